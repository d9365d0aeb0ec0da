"""What one institution holds: sources, catalogue, key contracts and release, the one door through which data leaves."""
