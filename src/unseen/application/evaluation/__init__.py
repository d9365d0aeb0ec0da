"""How a joint model does on rows that it was not fitted to: the part that all models' applications share."""
