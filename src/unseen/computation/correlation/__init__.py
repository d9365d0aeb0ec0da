"""Correlated randomness: the interface that protocols ask, and the ways to make it."""
