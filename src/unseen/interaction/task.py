"""A task: everything a worker must know to do its job, as the node writes it into the job's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from unseen.encoding import Json, canonical, parse_json
from unseen.errors import MisuseError
from unseen.interaction.agreement import Agreement, from_json
from unseen.interaction.application import Request
from unseen.interaction.job import request_as_json, request_from_json
from unseen.interaction.session import Meeting, Member
from unseen.interaction.transport import Credentials

TASK_FILE: Final = "task.json"
RESULT_FILE: Final = "result.json"


@dataclass(frozen=True)
class Task:
    """One job at one party. `folder` is HOME/jobs/<job>; keys and database lie in that home."""

    request: Request
    agreement: Agreement
    meeting: Meeting
    folder: Path

    @property
    def database(self) -> Path:
        return self.folder.parents[1] / "state.db"

    def save(self) -> None:
        """Write the task into its folder, which is made if it is not there."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        meeting = self.meeting
        (self.folder / TASK_FILE).write_bytes(
            canonical(
                {
                    "request": request_as_json(self.request),
                    "agreement": self.agreement.as_json(),
                    "plan": meeting.plan,
                    "me": meeting.me,
                    "members": [dict(member.__dict__) for member in meeting.members],
                    "opening_seconds": meeting.opening_seconds,
                    "patience": meeting.patience,
                }
            )
        )

    @classmethod
    def load(cls, folder: Path) -> Task:
        """Read a task that the node wrote. Raises MisuseError."""
        try:
            value: Any = parse_json((folder / TASK_FILE).read_bytes())
            request = request_from_json(value["request"])
            meeting = Meeting(
                job=request.job,
                plan=value["plan"],
                me=value["me"],
                members=tuple(_member(entry) for entry in value["members"]),
                credentials=home_credentials(folder.parents[1]),
                opening_seconds=value["opening_seconds"],
                patience=value["patience"],
            )
            return cls(request, from_json(value["agreement"]), meeting, folder)
        except (OSError, KeyError, TypeError) as error:
            raise MisuseError(f"{folder / TASK_FILE} cannot be used") from error


def home_credentials(home: Path) -> Credentials:
    return Credentials(home / "keys" / "node.crt", home / "keys" / "node.key")


def _member(entry: Mapping[str, Json]) -> Member:
    return Member(str(entry["name"]), str(entry["address"]), str(entry["root"]))
