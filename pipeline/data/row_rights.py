"""Judges each row of a source by its licence and by the consent of whoever wrote it, and counts what was found."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from pipeline.core.artifacts.data_reports import RightsReport
from pipeline.core.errors import DataError
from pipeline.core.licences import is_allowed
from pipeline.core.product import Requirements
from pipeline.core.rights_section import RightsColumns

_GIVEN = frozenset(["yes", "y", "true", "1", "given", "granted", "동의", "예", "네"])
_REFUSED = frozenset(
    ["no", "n", "false", "0", "withdrawn", "refused", "denied", "철회", "거부", "아니오", "아니요"]
)
NOT_GIVEN, NOT_RECORDED = "consent refused or withdrawn", "no consent recorded"
_MOST_KNOWN, _MOST_TOLD, _CHARACTERS = 1000, 20, 80
_OTHERS = "others"


class RowRights:
    """Judges rows one by one; holds the counts of a bounded number of licences, reasons and places."""

    def __init__(self, columns: RightsColumns, *, licence: str, requirements: Requirements) -> None:
        """Take the columns of a source, and the licence of rows that say none: that of the source."""
        self._columns, self._licence, self._requirements = columns, licence, requirements
        self._allowed: dict[str, bool] = {}
        self._licences: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._origins: Counter[str] = Counter()
        self._days: tuple[str, str] | None = None

    @property
    def columns(self) -> list[str]:
        """The columns that are read for it."""
        return self._columns.columns

    def reason(self, row: Mapping[str, str], *, where: str) -> str | None:
        """Why a row is left out; None where it may be used.

        Args:
            where: source, file and line, for a message.

        Raises:
            DataError: a consent or a day cannot be read.
        """
        stated = self._cell(row, self._columns.licence)
        reason = self._licence_fault(stated) or self._consent_fault(row, where)
        if reason:
            _count(self._left_out, reason)
            return reason
        _count(self._licences, stated or self._licence)
        if origin := self._cell(row, self._columns.origin):
            _count(self._origins, urlsplit(origin).hostname or origin)
        if day := self._cell(row, self._columns.collected):
            self._see_day(_day(day, where))
        return None

    def report(self) -> RightsReport:
        """The counts, the commonest first."""
        return RightsReport(
            licences=_told(self._licences),
            left_out=_told(self._left_out),
            origins=_told(self._origins),
            collected=None if self._days is None else [*self._days],
        )

    def _cell(self, row: Mapping[str, str], column: str | None) -> str:
        return row[column].strip() if column else ""

    def _licence_fault(self, stated: str) -> str | None:
        """Why a licence bars its row; that of the source, for rows that say none, is judged with the source."""
        if not stated:
            return None
        allowed = self._allowed.get(stated)
        if allowed is None:
            allowed = is_allowed(stated, self._requirements)
            if len(self._allowed) < _MOST_KNOWN:
                self._allowed[stated] = allowed
        return None if allowed else f"licence {stated[:_CHARACTERS]} is not allowed"

    def _consent_fault(self, row: Mapping[str, str], where: str) -> str | None:
        if self._columns.consent is None:
            return None
        said = self._cell(row, self._columns.consent).lower()
        if said in _GIVEN:
            return None
        if said in _REFUSED:
            return NOT_GIVEN
        if not said:
            return NOT_RECORDED
        raise DataError(
            f"{where}: the consent {said[:_CHARACTERS]!r} in the column {self._columns.consent}",
            expected=f"one of {', '.join(sorted(_GIVEN | _REFUSED))}, or nothing",
            next_step="write it so, or take `rights.consent` out of the source",
        )

    def _see_day(self, day: str) -> None:
        first, last = self._days or (day, day)
        self._days = min(first, day), max(last, day)


def _count(counts: Counter[str], name: str) -> None:
    known = name in counts or len(counts) < _MOST_KNOWN
    counts[name[:_CHARACTERS] if known else _OTHERS] += 1


def _told(counts: Counter[str]) -> dict[str, int]:
    """The commonest; all others are one entry."""
    told = dict(counts.most_common(_MOST_TOLD))
    left = counts.total() - sum(told.values())
    return told | ({_OTHERS: told.get(_OTHERS, 0) + left} if left else {})


def _day(cell: str, where: str) -> str:
    try:
        return datetime.fromisoformat(cell).date().isoformat()
    except ValueError as error:
        raise DataError(
            f"{where}: {cell[:_CHARACTERS]!r} as the day of collection",
            expected="a day or a time in the form of ISO 8601, such as 2026-01-10",
            next_step="correct the row, or take `rights.collected` out of the source",
        ) from error
