"""Joint computing on private arrays. Knows no file, no person, no law and no network."""
