"""What the rows of a later population, scored with an earlier model, are held against."""

from __future__ import annotations

from enum import StrEnum


class Monitor(StrEnum):
    """What an earlier model's later rows are held against."""

    POPULATION = "population"
    """The rows it was fitted to: has the population moved?"""
    OUTCOMES = "outcomes"
    """That, and the label: does the model still hold?"""
