"""A party's own part of a joint model in a file of its job: whose it is, what it belongs to, and what is in it.

A part alone says nothing of what is shared: its words are uniform. Parts belong together by the plan of the job
that made them; each names it, its party and all parties, and a digest over its own content.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeVar

import numpy as np
from blake3 import blake3

from unseen.computation.circle import Circle
from unseen.computation.profile import Carries, Message, Profile
from unseen.computation.share.array import Shared
from unseen.computation.types import Words
from unseen.encoding import Json, canonical, digest, from_base64, parse_json, to_base64
from unseen.errors import MisuseError, UnseenError
from unseen.interaction.application import Run
from unseen.interaction.plan import Plan

Content = TypeVar("Content")
FILE_LIMIT: Final = 64 << 20


@dataclass(frozen=True)
class Origin:
    """Whose part this is, and among whom; `plan` is the hash of the job that made it."""

    party: str
    parties: tuple[str, ...]
    plan: str
    agreement: str

    @classmethod
    def of(cls, party: str, plan: Plan) -> Origin:
        """The part of `party` in what the job of `plan` makes."""
        return cls(party, plan.parties, plan.hash, plan.agreement)


@dataclass(frozen=True)
class Kind:
    """The parts of one application's models, by its name: their file, and the tag under their digest."""

    name: str

    @property
    def file(self) -> str:
        return f"{self.name}-model.json"

    @property
    def tag(self) -> str:
        return f"unseen/{self.name}-model/v1"

    @property
    def message(self) -> str:
        """The kind of the messages in which parties compare what model they have parts of."""
        return f"{self.name}/model"


def compared(kind: Kind) -> Profile:
    """What comparing parts of one model tells."""
    return Profile(
        id=kind.message,
        title="Parts of one model",
        source="digests of the plan that made it, compared",
        messages=(Message(kind.message, Carries.DISCLOSED, most_messages=1, most_bytes=64),),
    )


def closed(kind: Kind, origin: Origin, content: Mapping[str, Json]) -> bytes:
    """The file of a part."""
    body: dict[str, Json] = {**content, **asdict(origin), "parties": list(origin.parties)}
    return canonical({**body, "digest": digest(kind.tag, body)})


def opened(
    kind: Kind,
    data: bytes,
    job: str,
    party: str,
    parties: tuple[str, ...],
    read: Callable[[Origin, Mapping[str, Any]], Content],
) -> Content:
    """What `read` makes of the file of job `job`. Raises MisuseError for one that is altered, or another party's
    part."""
    try:
        body: Any = parse_json(data, FILE_LIMIT)
        named = body.pop("digest", None)
        if digest(kind.tag, body) != named:
            raise MisuseError("its digest does not fit; the file was altered")
        whole = tuple(map(str, body["parties"]))
        origin = Origin(str(body["party"]), whole, str(body["plan"]), str(body["agreement"]))
        content = read(origin, body)
    except (UnseenError, AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise MisuseError(f"the model of job {job} cannot be read: {error}") from error
    if origin.party != party or origin.parties != parties:
        raise MisuseError(
            f"the model of job {job} is {origin.party}'s part among {', '.join(origin.parties)}; "
            f"{party} can only use its own among {', '.join(parties)}"
        )
    return content


def require_agreement(run: Run, job: str, origin: Origin) -> None:
    """Raises MisuseError for a part that was made under another agreement than this run is."""
    if origin.agreement != run.plan.agreement:
        raise MisuseError(f"the model of job {job} was made under another agreement")


def require_same(run: Run, kind: Kind, origin: Origin) -> None:
    """Compare digests with all others: one round. Raises MisuseError where one holds a part of another model."""
    mine = np.frombuffer(blake3(origin.plan.encode()).digest(), dtype=np.uint8)
    for channel in run.circle.others():
        channel.send(kind.message, mine)
    for channel in run.circle.others():
        if not np.array_equal(channel.receive(kind.message, np.uint8, len(mine)), mine):
            raise MisuseError(f"{channel.peer} holds a part of another model; both must name one job")


def words_as_text(words: Words) -> str:
    """Shares (…) uint64 as a text."""
    return to_base64(words.astype("<u8").tobytes())


def text_as_words(text: str) -> Words:
    """What `words_as_text` wrote, flat. Raises MisuseError or ValueError for another text."""
    return np.frombuffer(from_base64(text), dtype="<u8").astype(np.uint64)


def shared_as_json(shared: Shared) -> Json:
    """A party's part of shared numbers."""
    return {"fraction": shared.fraction, "words": words_as_text(shared.words)}


def json_as_shared(found: Mapping[str, Any], circle: Circle) -> Shared:
    """The vector of `shared_as_json`. Raises MisuseError for an impossible number of fractional bits."""
    fraction = int(found["fraction"])
    if not 0 <= fraction <= 62:
        raise MisuseError("a number of fractional bits is out of range")
    return Shared(circle, text_as_words(found["words"]), fraction)
