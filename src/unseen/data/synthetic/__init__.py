"""Synthetic copies of a data set, with differential privacy: for a partner to develop against."""
