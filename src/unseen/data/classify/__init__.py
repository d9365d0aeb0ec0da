"""What a column holds, found by its values and its name: categories, check digits, recognisers, vocabulary."""
