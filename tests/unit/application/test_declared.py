"""Declared numbers of rows on their way from a request into the plan."""

from __future__ import annotations

import pytest

from unseen.application.declared import as_parameter
from unseen.errors import MisuseError


def test_all_parties_declare_or_none_does() -> None:
    assert as_parameter({"a": None, "b": None}) == {}
    assert as_parameter({"a": 5, "b": 7}) == {"declared": {"a": 5, "b": 7}}
    with pytest.raises(MisuseError, match="not for b"):
        as_parameter({"a": 5, "b": None})
