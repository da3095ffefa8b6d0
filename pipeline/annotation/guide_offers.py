"""Keeps which votes were offered again after a change of the guide, until their people have answered.

An offer is open as long as the offered vote is the last answer of its person to the row: another answer ends it, the
same label too, and taking that back opens it again. The old vote counts until then.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.annotation.event_log import set_torn_line_aside
from pipeline.annotation.guide_changes import GivenVote
from pipeline.annotation.standing_answers import Answers
from pipeline.core.line_file import add_line, read_lines
from pipeline.core.typed_json import read_as

WHY = "guide"
"""Why such a row is in the queue, as its vote says later."""
OFFERS_FILE = "offers.jsonl"


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """Votes that were offered again at one time.

    Attributes:
        version: hash of the guide whose change they are near.
        time: UTC, ISO 8601 with milliseconds.
        who: published name of the person who offered them.
        votes: each as published name of its person, row, uid; dearest first.
    """

    version: str
    time: str
    who: str
    votes: tuple[tuple[str, str, str], ...]


class GuideOffers:
    """All offers of a product; `add` returns once they are on the disk.

    Args:
        path: the file, which one process at a time may have open.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        set_torn_line_aside(path)
        self.offers: list[Offer] = []
        self._by_person: dict[str, dict[str, str]] = {}
        for line in read_lines(path):
            self._take(read_as(Offer, {k: v for k, v in line.items() if k != "v"}))

    def add(self, votes: Iterable[GivenVote], *, version: str, who: str, time: str) -> Offer:
        """Offers votes again.

        Raises:
            DiskFullError: there is no room; nothing was offered.
        """
        given = tuple((vote.person, vote.row, vote.uid) for vote in votes)
        offer = Offer(version=version, time=time, who=who, votes=given)
        add_line(self._path, {"v": 1, **asdict(offer)})
        self._take(offer)
        return offer

    def open(self, person: str, answers: Answers, count: int) -> list[str]:
        """Up to `count` rows whose vote was offered to the person again and still stands, in the order of the offers."""
        found: list[str] = []
        for row, uid in self._by_person.get(person, {}).items():
            if len(found) == count:
                break
            last = answers.last(row)
            if last is not None and last.event.uid == uid:
                found.append(row)
        return found

    def _take(self, offer: Offer) -> None:
        self.offers.append(offer)
        for person, row, uid in offer.votes:
            self._by_person.setdefault(person, {})[row] = uid
