"""The workloads that `unseen bench` knows, as data. A workload's program is imported when it is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from unseen.encoding import Json
from unseen.errors import MisuseError

if TYPE_CHECKING:
    from unseen.computation.circle import Circle

Size = Mapping[str, int]


@dataclass(frozen=True)
class Program:
    """What every party of a workload does.

    `prepare(rank, parties, size)` makes this party's inputs and is not timed; `run(circle, inputs)` is. What
    `run` returns at rank 0 is added to the report (a figure of quality, say). What a real run does once, before
    what is measured and many times repeated, stands in `enter(circle, inputs)`, which makes what `run` takes.
    """

    prepare: Callable[[int, int, Size], Any]
    run: Callable[[Circle, Any], Mapping[str, Json]]
    enter: Callable[[Circle, Any], Any] = lambda circle, inputs: inputs


@dataclass(frozen=True)
class Workload:
    """One workload: `program` is `module:NAME` of a `Program`.

    `size` holds the sizes when none are given; `small` sizes for warming up the kernels, which is not timed,
    and for tests; `tables` the sizes that the documentation shows (`size` if empty), `circles` the numbers of
    parties besides `parties` with which it shows `size`. `each` names the size that seconds, bytes and rounds
    are divided by: they are then those of one tree, say.
    """

    name: str
    summary: str
    program: str
    size: Size
    small: Size
    parties: int = 2
    repeat: int = 3
    tables: tuple[Size, ...] = field(default=())
    circles: tuple[int, ...] = ()
    each: str = ""

    def load(self) -> Program:
        """Import the program."""
        module, _, name = self.program.partition(":")
        program: Program = getattr(import_module(module), name)
        return program

    def shown(self) -> list[tuple[Size, int]]:
        """Sizes and numbers of parties that the documentation shows."""
        sizes = [(given, self.parties) for given in self.tables or (self.size,)]
        return sizes + [(self.size, count) for count in self.circles]

    def sized(self, given: Size) -> Size:
        """The sizes with the given ones in place. Raises MisuseError for a name that is none."""
        if strangers := sorted(set(given) - set(self.size)):
            raise MisuseError(f"{self.name} has no size {', '.join(strangers)} (sizes: {', '.join(self.size)})")
        if any(value <= 0 for value in given.values()):
            raise MisuseError("sizes are positive")
        return {**self.size, **given}

    def read(self, words: Sequence[str]) -> Size:
        """Sizes as a person writes them: names with numbers, or the number alone of the only size there is.

        Raises MisuseError for what is neither.
        """
        sizes = {}
        for word in words:
            name, _, number = word.rpartition("=")
            if "=" not in word and len(self.size) == 1:
                (name,) = self.size
            if not name or not number.isdecimal():
                known = ", ".join(f"{size}={value}" for size, value in self.size.items())
                raise MisuseError(f"{word!r} is no size of {self.name}; write {known}, or some of these")
            sizes[name] = int(number)
        return sizes


_WORKLOADS: Final = "unseen.cli.bench.workloads"

WORKLOADS: Final = (
    Workload(
        "round-trip",
        "a number there and back over the same channel, one after the other",
        f"{_WORKLOADS}.channel:ROUND_TRIP",
        size={"times": 2000},
        small={"times": 10},
    ),
    Workload(
        "open",
        "open a shared vector of 64-bit words to all parties",
        f"{_WORKLOADS}.channel:OPEN",
        size={"words": 1 << 24},
        small={"words": 1 << 10},
    ),
    Workload(
        "product",
        "multiply two shared vectors, with exact truncation",
        f"{_WORKLOADS}.engine:PRODUCT",
        size={"values": 1_000_000},
        small={"values": 1000},
    ),
    Workload(
        "comparison",
        "compare two shared vectors, whole range",
        f"{_WORKLOADS}.engine:COMPARISON",
        size={"values": 1_000_000},
        small={"values": 1000},
    ),
    Workload(
        "logistic-function",
        "1/(1+e^-x) of a shared vector on [-12, 12]",
        f"{_WORKLOADS}.engine:LOGISTIC",
        size={"values": 1_000_000},
        small={"values": 1000},
    ),
    Workload(
        "division",
        "divide two shared vectors, 2^-8 to 2^8 on a logarithmic scale",
        f"{_WORKLOADS}.engine:DIVISION",
        size={"values": 1_000_000},
        small={"values": 1000},
    ),
    Workload(
        "exponential",
        "e^x of a shared vector on [-16, 8]",
        f"{_WORKLOADS}.engine:EXPONENTIAL",
        size={"values": 1_000_000},
        small={"values": 1000},
    ),
    Workload(
        "matrix-product",
        "multiply two shared square matrices, with exact truncation",
        f"{_WORKLOADS}.engine:MATRIX_PRODUCT",
        size={"side": 1000},
        small={"side": 40},
    ),
    Workload(
        "woe",
        "weights of evidence and information values of a partner's columns against the label",
        f"{_WORKLOADS}.evidence:WOE",
        size={"rows": 100_000, "columns": 50, "bins": 10},
        small={"rows": 500, "columns": 4, "bins": 4},
    ),
    Workload(
        "align",
        "find the common customers of all parties, and put their rows in one order",
        f"{_WORKLOADS}.alignment:ALIGN",
        size={"keys": 1 << 20},
        small={"keys": 3000},
        tables=({"keys": 1 << 20}, {"keys": 1 << 22}, {"keys": 1 << 24}),
        circles=(3,),
    ),
    Workload(
        "align-prepared",
        "find the common customers of a small set and a large one that was prepared beforehand: the run alone",
        f"{_WORKLOADS}.prepared:PREPARED",
        size={"keys": 1 << 12, "other": 1 << 24},
        small={"keys": 50, "other": 3000},
    ),
    Workload(
        "align-parts",
        "where its time goes at one party: base transfers, expansion, encoding, hashing, matching, network",
        f"{_WORKLOADS}.alignment_parts:ALIGN_PARTS",
        size={"keys": 1 << 20},
        small={"keys": 3000},
        repeat=1,
    ),
    Workload(
        "align-buckets",
        "find the common customers bucket after bucket, with one bucket in memory and the others on the disk",
        f"{_WORKLOADS}.buckets:BUCKETS",
        size={"keys": 1 << 20, "buckets": 4},
        small={"keys": 3000, "buckets": 2},
        repeat=1,
    ),
    Workload(
        "align-csv",
        "the same from the text of a CSV file to that of the common rows",
        f"{_WORKLOADS}.alignment:ALIGN_CSV",
        size={"keys": 1 << 20},
        small={"keys": 3000},
    ),
    Workload(
        "overlap",
        "count the common customers of two parties by elliptic curves, and nothing of which",
        f"{_WORKLOADS}.alignment:OVERLAP",
        size={"keys": 10_000},
        small={"keys": 300},
    ),
    Workload(
        "known-at",
        "count the customers that two or more parties know, and nothing else of them",
        f"{_WORKLOADS}.alignment:KNOWN",
        size={"keys": 50_000},
        small={"keys": 3000},
        parties=3,
    ),
    Workload(
        "sort",
        "sort a shared vector",
        f"{_WORKLOADS}.rows:SORT",
        size={"values": 100_000},
        small={"values": 10_000},
    ),
    Workload(
        "histogram",
        "sum a shared vector by the bins of many groupings that one party knows and has entered once before",
        f"{_WORKLOADS}.rows:HISTOGRAM",
        size={"rows": 1_000_000, "groupings": 50, "bins": 32},
        small={"rows": 5000, "groupings": 2, "bins": 4},
    ),
    Workload(
        "logistic-regression",
        "logistic regression to the optimum with standard errors, columns cut among the parties",
        f"{_WORKLOADS}.learning:LOGISTIC_REGRESSION",
        size={"rows": 100_000, "columns": 100},
        small={"rows": 500, "columns": 10},
        tables=({"rows": 100_000, "columns": 100}, {"rows": 1_000_000, "columns": 100}),
    ),
    Workload(
        "hidden-scorecard",
        "a scorecard whose tables nobody sees, from keys to points and reasons, columns cut among the parties",
        f"{_WORKLOADS}.scorecards:HIDDEN_SCORECARD",
        size={"rows": 100_000, "columns": 50, "bins": 10},
        small={"rows": 500, "columns": 4, "bins": 4},
        repeat=1,
    ),
    Workload(
        "boosting",
        "boosted trees with nothing shown, columns cut among the parties; seconds, bytes and rounds a tree",
        f"{_WORKLOADS}.trees:BOOSTING",
        size={"rows": 100_000, "columns": 50, "bins": 32, "depth": 4, "trees": 10},
        small={"rows": 600, "columns": 4, "bins": 8, "depth": 3, "trees": 1},
        each="trees",
        tables=(
            {"rows": 100_000, "columns": 50, "bins": 32, "depth": 4, "trees": 10},
            {"rows": 1_000_000, "columns": 50, "bins": 32, "depth": 4, "trees": 3},
        ),
    ),
    Workload(
        "prediction",
        "scores of new rows by boosted trees, opened to one party",
        f"{_WORKLOADS}.trees:PREDICTION",
        size={"rows": 100_000, "columns": 50, "bins": 32, "depth": 4, "trees": 100},
        small={"rows": 600, "columns": 4, "bins": 8, "depth": 3, "trees": 2},
        tables=(
            {"rows": 100_000, "columns": 50, "bins": 32, "depth": 4, "trees": 100},
            {"rows": 1_000_000, "columns": 50, "bins": 32, "depth": 4, "trees": 100},
        ),
    ),
)


def workload(name: str) -> Workload:
    """Raises MisuseError, naming those there are."""
    for known in WORKLOADS:
        if known.name == name:
            return known
    raise MisuseError(f"there is no workload {name!r} (known: {', '.join(known.name for known in WORKLOADS)})")
