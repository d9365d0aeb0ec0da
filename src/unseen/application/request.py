"""A request as a person writes it: a strict model, and an error that names every field that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from unseen.errors import MisuseError
from unseen.interaction.agreement import explained

Asked = TypeVar("Asked", bound=BaseModel)


class Strict(BaseModel):
    """A request or a part of one: immutable, and an error where it has a field that nobody knows."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read(kind: type[Asked], body: Mapping[str, Any]) -> Asked:
    """Raises MisuseError, naming each field that is wrong."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise MisuseError(f"the request cannot be used: {explained(error)}") from error
