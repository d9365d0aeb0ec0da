"""Loops that run at native speed: Numba functions over arrays, each with a NumPy one-liner as its oracle."""
