"""What one institution holds: sources, catalogue, key contracts, and release: the one door that data leaves by."""
