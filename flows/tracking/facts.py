"""The events of a run, as Prefect and MLflow are told it: one frozen dataclass a kind of event.

A fact holds all that is told, so it can be told later, when files have changed or are gone.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pipeline.core.process_identity import ProcessIdentity
from pipeline.core.typed_json import read_as

State = Literal["completed", "failed", "cancelled", "crashed"]
"""How a stage, a build or a run ended; `crashed` where its process ended without a word."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that happened at `time`, in seconds since 1970."""

    time: float


@dataclass(frozen=True, kw_only=True)
class RunStarted(Fact):
    """A flow was called; `flow_run` is Prefect's run where a form or a schedule asked for it."""

    run: str
    flow: str
    title: str
    parameters: dict[str, Any]
    process: ProcessIdentity
    flow_run: str | None = None


@dataclass(frozen=True, kw_only=True)
class BuildStarted(Fact):
    """A build began in the run; a search has several, numbered from 0.

    Attributes:
        kept: the file, from the main root, that names the MLflow run of the newest build.
    """

    build: int
    experiment: str
    title: str
    tags: dict[str, str]
    kept: str


@dataclass(frozen=True, kw_only=True)
class StageStarted(Fact):
    """A stage of a build began."""

    build: int
    stage: str


@dataclass(frozen=True, kw_only=True)
class Said(Fact):
    """A line was printed; `build` and `stage` are those that printed it, if any."""

    text: str
    build: int | None = None
    stage: str | None = None
    is_error: bool = False


@dataclass(frozen=True, kw_only=True)
class Progress(Fact):
    """A stage has done `share` percent."""

    build: int
    stage: str
    share: float


@dataclass(frozen=True, kw_only=True)
class Point:
    """One figure at one step."""

    name: str
    value: float
    step: int


@dataclass(frozen=True, kw_only=True)
class Curve(Fact):
    """New points of a stage's learning curve."""

    build: int
    stage: str
    points: list[Point]


@dataclass(frozen=True, kw_only=True)
class StageEnded(Fact):
    """A stage of a build ended.

    Attributes:
        name: the state's name in Prefect: `Cached`, or the state itself.
        figures: the numbers of metrics.json; `last_step` is the last one of the curve.
        bundle: of the gate: the hash of the bundle that it left.
    """

    build: int
    stage: str
    state: State
    name: str
    message: str
    seconds: float = 0.0
    parameters: dict[str, str] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    last_step: int = 0
    bundle: str | None = None


@dataclass(frozen=True, kw_only=True)
class Picture(Fact):
    """A stage left a plot; `data` is the PNG in base64."""

    build: int
    stage: str
    name: str
    data: str


@dataclass(frozen=True, kw_only=True)
class Document(Fact):
    """A build left a file of text that is shown with it."""

    build: int
    name: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Table(Fact):
    """A table for the run's page in Prefect."""

    key: str
    description: str
    rows: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Page(Fact):
    """A text in Markdown for the run's page in Prefect."""

    key: str
    markdown: str


@dataclass(frozen=True, kw_only=True)
class BuildEnded(Fact):
    """A build ended; `figures` are those of the gate."""

    build: int
    state: State
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RunEnded(Fact):
    """The run ended."""

    state: State
    message: str


_KINDS: dict[str, type[Fact]] = {kind.__name__: kind for kind in Fact.__subclasses__()}
CHATTER = (Said, Progress, Curve)
"""Kinds that come in great numbers: the first to be left out where there is no room."""


def to_line(fact: Fact) -> bytes:
    """The fact as one line of JSON."""
    return json.dumps({"fact": type(fact).__name__, **asdict(fact)}).encode() + b"\n"


def from_line(line: bytes) -> Fact:
    """The fact that `to_line` wrote; what another version of this program wrote becomes a line of text."""
    try:
        values = json.loads(line)
        return read_as(_KINDS[values.pop("fact")], values)
    except (ValueError, KeyError, AttributeError, TypeError):
        return Said(time=0.0, text=line.decode(errors="replace").strip())
