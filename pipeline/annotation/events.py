"""Events: each is one thing that a person does to a row while labelling, as the page sends it and as the log keeps it.

Nothing is ever rewritten: an undo is an event too, and so is another label for the same row.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from pipeline.core.typed_json import MismatchError, read_as

FORMAT = 1
"""Version of the form of an event in the log."""
Kind = Literal["vote", "skip", "flag", "comment", "undo", "adjudicate", "gold", "queue"]
SecondLook = Literal["error", "control"]
"""Why a row with a label is asked about again: the model contradicts the label; or it agrees, and the row goes along
so that not only mistakes are looked at."""
Arm = Literal["hidden", "shown"]

MOST_COMMENT = 4_000
"""Characters of a comment."""
_MOST_NAME = 200
_MOST_LABELS = 1_000
_MOST_SECONDS = 86_400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """The answer that a model gave for the row before the person did.

    Attributes:
        p: probability of the label, 0 to 1.
        model: hash of the model's bundle.
    """

    label: str
    p: float
    model: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One thing that a person did to a row.

    Attributes:
        uid: the client's own id of the event; an event that comes twice is one event.
        event: what was done. `undo` takes back the event whose uid is `undoes`; `gold` answers a gold item, and is
            never published.
        row: id of the row.
        labels: of `vote`, `adjudicate` and `gold`: the labels given; empty where the row has none of several.
        number: of the same in a regression: the number given.
        comment: of `comment`: its text, empty to remove it; of `adjudicate`: the reason.
        seconds: for how long the row was in sight, without the time in which the tab was hidden.
        arm: whether a suggestion was shown before the answer; None where there was none to show.
        suggestion: what the model answered, in either arm.
        why: why the queue had the row: random, uncertain, diverse, suspect, error, control or guide; of `queue`:
            why one more person is to label it, `error` or `control`; of `adjudicate`: why people differ on it,
            one of `CAUSES` in pipeline/data/adjudications.py.
        guide: hash of the guide that the person could read then.
        undoes: of `undo`: uid of the event that is taken back.
    """

    uid: str
    event: Kind
    row: str
    labels: tuple[str, ...] = ()
    number: float | None = None
    comment: str | None = None
    seconds: float | None = None
    arm: Arm | None = None
    suggestion: Suggestion | None = None
    why: str | None = None
    guide: str | None = None
    undoes: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """An event as the log keeps it.

    Attributes:
        seq: its number among the person's events, from 1.
        person: published name of the person, such as p1.
        text_sha: SHA-256 of the row's text, by which the vote outlives a renamed source; None where
            the row is not in the data.
        time: when the server had it: UTC, ISO 8601 with milliseconds.
    """

    event: Event
    seq: int
    person: str
    text_sha: str | None
    time: str


def read_event(value: object) -> Event:
    """The event that a client sent, or that a line of the log holds.

    Raises:
        MismatchError: it is none; the message names the key that is wrong.
    """
    event = read_as(Event, value)
    for name, text in (("uid", event.uid), ("row", event.row)):
        _require(0 < len(text) <= _MOST_NAME, text, name, f"1 to {_MOST_NAME} characters")
    for name, known in (("why", event.why), ("guide", event.guide), ("undoes", event.undoes)):
        _require(known is None or len(known) <= _MOST_NAME, known, name, f"{_MOST_NAME} characters")
    _require(len(event.labels) <= _MOST_LABELS, "…", "labels", f"at most {_MOST_LABELS}")
    _require(
        len(event.comment or "") <= MOST_COMMENT,
        "…",
        "comment",
        f"at most {MOST_COMMENT} characters",
    )
    for name, number in (("number", event.number), ("seconds", event.seconds)):
        _require(number is None or math.isfinite(number), number, name, "a finite number")
    _require(0 <= (event.seconds or 0) <= _MOST_SECONDS, event.seconds, "seconds", "0 to a day")
    _require(
        (event.undoes is None) == (event.event != "undo"), event.undoes, "undoes", "an undo's uid"
    )
    return event


def line_of(kept: Kept, *, before: str) -> dict[str, Any]:
    """The JSON object of an event in the log.

    Args:
        before: SHA-256 of the line before, in hex; empty for the first.
    """
    given = {name: value for name, value in asdict(kept.event).items() if value not in (None, ())}
    own = {"v": FORMAT, "seq": kept.seq, "person": kept.person, "time": kept.time, "prev": before}
    return own | given | ({"text_sha": kept.text_sha} if kept.text_sha else {})


def kept_of(line: Mapping[str, Any]) -> tuple[Kept, str]:
    """The event of a line of the log, and the SHA-256 that it says the line before has.

    Raises:
        MismatchError: it is no line of this format.
    """
    _require(line.get("v") == FORMAT, line.get("v"), "v", f"{FORMAT}")
    missing = [name for name in ("seq", "person", "time", "prev") if name not in line]
    _require(not missing, missing, "the line", "a line with seq, person, time and prev")
    event = {name: line[name] for name in _NAMES if name in line}
    kept = Kept(
        event=read_event(event),
        seq=int(line["seq"]),
        person=str(line["person"]),
        text_sha=line.get("text_sha"),
        time=str(line["time"]),
    )
    return kept, str(line["prev"])


def read_events(value: object) -> Sequence[Event]:
    """The events of a request's body, which is a list of them.

    Raises:
        MismatchError: it is no list, or one of them is no event.
    """
    if not isinstance(value, list):
        raise MismatchError(f"{str(value)[:60]!r}, not a list of events")
    found = []
    for number, item in enumerate(value):
        try:
            found.append(read_event(item))
        except MismatchError as error:
            raise MismatchError(f"event {number}: {error}") from error
    return found


def _require(fits: bool, value: object, name: str, expected: str) -> None:
    if not fits:
        raise MismatchError(f"{str(value)[:60]!r} as {name!r}, not {expected}")


_NAMES = tuple(field.name for field in fields(Event))
