"""Statistics and learning on arrays that nobody sees whole."""
