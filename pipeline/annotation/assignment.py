"""The question that people are asked about each row, and a check whether an event answers it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from pipeline.annotation.events import Event, SecondLook
from pipeline.annotation.people import Person
from pipeline.data.adjudications import CAUSES
from pipeline.data.row_ids import is_id
from pipeline.problem.labelling import BETWEEN_LABELS
from pipeline.problem.problems import REGRESSION, problem_named

_KEYS = tuple((str(digit), f"Digit{digit}") for digit in range(1, 10)) + tuple(
    (letter.lower(), f"Key{letter}") for letter in "QWRTYIOPADLZXVBNM"
)
"""What is written on the key of each label, and the key's place (`KeyboardEvent.code`); the other letters are
commands of the page."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Why an event is not taken.

    Attributes:
        uid: the event's own; None where it has none that can be read.
    """

    uid: str | None
    got: str
    expected: str
    next_step: str = "reload the page; if it happens again, tell whoever runs the server"


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The question that a product puts to its annotators.

    Attributes:
        problem: kind of answer, as `product.problem` has it.
        labels: `product.labels`; for regression, the name of the number.
    """

    product: str
    problem: str
    labels: tuple[str, ...]
    pairs: bool = False

    @property
    def keys(self) -> list[dict[str, str | None]]:
        """Each label with the key that gives it: `name`, `key`, `code`; later ones have none."""
        keys: list[tuple[str | None, str | None]] = [*_KEYS]
        keys += [(None, None)] * (len(self.labels) - len(keys))
        return [
            {"name": label, "key": key, "code": code}
            for label, (key, code) in zip(self.labels, keys, strict=False)
        ]

    def stored(self, labels: Sequence[str], number: float | None) -> str:
        """An answer in the form that tables of rows use."""
        if number is not None:
            return repr(float(number))
        return BETWEEN_LABELS.join(label for label in self.labels if label in labels)

    def refusal(self, event: Event, person: Person) -> Refused | None:
        """Why the person may not give the event; None where it is all right.

        Whether an undo names something of the person's is for the store to say.
        """
        if not is_id(event.row):
            return _refused(event, f"the row {event.row[:40]!r}", "an id of 16 hex digits")
        if event.event in ("adjudicate", "queue") and person.role == "annotator":
            return _refused(event, f"{event.event} by an annotator", "an adjudicator or the lead")
        if event.event == "queue" and event.why not in get_args(SecondLook):
            return _refused(event, f"queue for the reason {event.why!r}", "error or control")
        if event.event == "comment" and event.comment is None:
            return _refused(event, "a comment without `comment`", "its text; empty to remove it")
        if event.event == "adjudicate" and event.why not in CAUSES:
            causes = f"the cause of the dispute as `why`: {', '.join(CAUSES)}"
            return _refused(event, f"the cause {(event.why or '')[:40]!r}", causes)
        answers = event.event in ("vote", "adjudicate", "gold")
        if not answers and (event.labels or event.number is not None):
            return _refused(
                event, f"{event.event} with an answer", "labels of a vote or a decision alone"
            )
        return self._answer_refusal(event) if answers else None

    def _answer_refusal(self, event: Event) -> Refused | None:
        problem, labels = problem_named(self.problem), event.labels
        if problem.name == REGRESSION:
            fits = event.number is not None and not labels
            expected = f"`number`, the {self.labels[0]}, and no labels"
            return None if fits else _refused(event, _shown(event), expected)
        if unknown := [label for label in labels if label not in self.labels]:
            known = f"labels of the product: {', '.join(self.labels)}"
            return _refused(event, f"the label {unknown[0][:60]!r}", known)
        one = len(labels) == 1 or problem.many_labels
        if not one or len(set(labels)) < len(labels) or event.number is not None:
            expected = "each label once" if problem.many_labels else "one label"
            return _refused(event, _shown(event), f"{expected}, and no number")
        return None


def _shown(event: Event) -> str:
    return f"a vote with labels {[*event.labels]!r:.80} and number {event.number}"


def _refused(event: Event, got: str, expected: str) -> Refused:
    return Refused(uid=event.uid, got=got, expected=expected)
