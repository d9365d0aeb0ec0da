"""Finding the identifiers that institutions have in common."""
