"""Requests as files: what a person writes, or one that was prepared so that its plan has one exact hash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import yaml
from cyclopts import Parameter

from unseen.cli.options import AsJson, HomeFolder, emit, open_home
from unseen.errors import MisuseError
from unseen.interaction.agreement import Agreement
from unseen.interaction.agreements import Agreements
from unseen.interaction.application import Request, find
from unseen.interaction.job import new_request, request_as_json, request_from_json
from unseen.interaction.plan import Plan

RequestFile = Annotated[
    Path, Parameter(name="REQUEST", help="The request in YAML or JSON, or one that `unseen plan prepare` wrote.")
]
Under = Annotated[str, Parameter(name="--agreement", help="The agreement's identifier, or its first digits.")]


def prepare(
    app: str,
    request: RequestFile,
    /,
    *,
    agreement: Under,
    to: Annotated[Path, Parameter(help="The file to write; hand it to those who approve.")],
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Fix a request's job and seed, so that people can approve its exact plan before it runs."""
    asked, plan, _ = derived(app, request, agreement, home)
    try:
        with to.open("x", encoding="utf-8") as file:
            json.dump(request_as_json(asked), file, indent=2)
    except FileExistsError:
        raise MisuseError(f"{to} is there already; name another file") from None
    except OSError as error:
        raise MisuseError(f"cannot write {to}: {error.strerror}") from error
    value = {"file": str(to), "job": asked.job, "plan": plan.hash}
    words = f"Prepared in {to}: job {asked.job[:12]}, plan {plan.hash}"
    emit(as_json, value, lambda console: console.print(words, markup=False))


def derived(app: str, file: Path, agreement: str, home: Path | None) -> tuple[Request, Plan, Agreement]:
    """A file's request, the plan that it has, derived here without the node, and the terms that it is under.

    Raises MisuseError, also for a prepared request of another application or agreement than those named.
    """
    ours = open_home(home)
    with ours.store() as store:
        terms = Agreements(ours, store).find(agreement).terms
    value = read_request(file)
    if is_prepared(value):
        asked = request_from_json(value)
        if (asked.application, asked.agreement) != (app, terms.id):
            raise MisuseError(
                f"{file} was prepared for {asked.application} under agreement {asked.agreement[:12]}"
            )
    else:
        asked = new_request(app, terms.id, ours.name, value)
    return asked, find(app).plan(asked, terms), terms


def is_prepared(value: dict[str, Any]) -> bool:
    """Whether a file's content is a request with job and seed, as `prepare` writes it."""
    return {"job", "seed", "application", "agreement", "requester", "body"} == set(value)


def read_request(file: Path) -> dict[str, Any]:
    """A request as a person writes it. Raises MisuseError."""
    try:
        value = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise MisuseError(f"cannot read {file}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MisuseError(f"{file} is no YAML: {error}") from error
    if not isinstance(value, dict):
        raise MisuseError(f"{file} holds no request; write `key: value` lines")
    return value
