"""Decides which answers of a model are shown to whom before they label, and notes on each vote what was shown.

For each person and row, a hash decides whether the model's answer is shown or hidden. A vote carries the arm, and the
answer in either arm, so that both can be compared. People are never told an answer in the hidden arm.
"""

import hashlib
from dataclasses import replace

from pipeline.annotation.events import Arm, Event, Suggestion
from pipeline.annotation.people import Person
from pipeline.annotation.score_file import Scores
from pipeline.annotation.suggestion_effect import SuggestionEffect

MOST_SHARE = 0.9
"""Share of the rows with a suggestion in sight at most; without a hidden arm nobody could tell what they do."""
_HASH_BITS = 64


class Suggestions:
    """A model's answers, shown to each person on a share of the rows.

    Args:
        share: of the rows, 0 to 0.9; 0 shows and notes nothing.
        seed: another one deals the rows to other arms.
    """

    def __init__(self, *, share: float = 0.0, seed: int = 1) -> None:
        self.share, self._seed = min(share, MOST_SHARE), seed
        self.turned_off: SuggestionEffect | None = None
        self._scores: Scores | None = None
        self._given: dict[tuple[str, str], tuple[Arm, Suggestion]] = {}

    @property
    def are_on(self) -> bool:
        """Whether some are shown."""
        return self.share > 0 and self.turned_off is None

    def use(self, scores: Scores) -> None:
        """Takes newer answers of a model for rows that are given from now on."""
        self._scores = scores

    def turn_off(self, effect: SuggestionEffect) -> None:
        """Shows none any more, for what they were found to do."""
        self.turned_off = effect

    def give(self, person: Person, row: str) -> tuple[Arm, Suggestion | None] | None:
        """The arm of a row that a person is given, and what is shown; None where there is nothing to show or hide."""
        key = (person.published, row)
        if key not in self._given:
            found = self._scores.suggestion(row) if self._scores and self.are_on else None
            if found is None:
                return None
            self._given[key] = self.arm(person, row), found
        arm, found = self._given[key]
        return arm, found if arm == "shown" else None

    def arm(self, person: Person, row: str) -> Arm:
        """The arm to which a person's row is dealt."""
        dealt = hashlib.sha256(f"{self._seed}\0{person.published}\0{row}".encode()).digest()
        share = int.from_bytes(dealt[: _HASH_BITS // 8], "big") / 2**_HASH_BITS
        return "shown" if share < self.share else "hidden"

    def noted(self, event: Event, person: Person) -> Event:
        """An answer with the arm in which it was given, and with what the model answered."""
        if event.event not in ("vote", "skip"):
            return event
        given = self._given.pop((person.published, event.row), None)
        if given is not None:
            return replace(event, arm=given[0], suggestion=given[1])
        if event.arm == "hidden" and event.suggestion is None and self._scores is not None:
            # Given before this server started: what the model answers today was not in sight either.
            return replace(event, suggestion=self._scores.suggestion(event.row))
        return event
