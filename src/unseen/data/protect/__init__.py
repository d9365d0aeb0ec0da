"""Protection of columns: tokens, format-preserving encryption, masks, generalisation; and what risk is left."""
