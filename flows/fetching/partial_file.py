"""A download that was begun: the bytes so far, and how to ask for the rest of the same file."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.core.errors import PipelineError
from pipeline.core.files import read_json, write_json

_NOTE = "begun.json"


@dataclass(frozen=True, kw_only=True)
class Edition:
    """A file at an address as it was at one moment.

    Attributes:
        mark: its strong ETag or, without one, its Last-Modified; empty where the server names neither.
        total: its bytes; None where the server does not say.
    """

    mark: str = ""
    total: int | None = None

    def goes_on_as(self, other: "Edition") -> bool:
        """Whether a part of the other edition continues what was begun of this one."""
        return bool(self.mark) and self.mark == other.mark and self.total in (None, other.total)


class PartialFile:
    """The bytes of one edition that have come so far, below `.modelyard/`, where DVC does not look."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._note = path.with_name(_NOTE)

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def edition(self) -> Edition:
        """The edition that the bytes are of; without a mark where none are here, or nobody knows."""
        with suppress(PipelineError, TypeError):
            if self.size:
                return Edition(**read_json(self._note))
        return Edition()

    @property
    def is_whole(self) -> bool:
        """Whether all bytes of the edition are here."""
        return self.size > 0 and self.edition.total == self.size

    def begin(self, edition: Edition) -> None:
        """Forgets the bytes of another edition."""
        self.forget()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._note, asdict(edition))
        self.path.touch()

    def forget(self) -> None:
        """Removes what is here."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)


def edition_of(headers: Mapping[str, str]) -> Edition:
    """The edition that an answer with these headers is of.

    Of an answer with a part of a file, the total stands in Content-Range. A weak ETag names no bytes
    (RFC 9110, section 8.8.1), so the time of change has to do.
    """
    tag = headers.get("etag", "")
    mark = headers.get("last-modified", "") if not tag or tag.startswith("W/") else tag
    length = headers.get("content-length", "")
    if "content-range" in headers:
        length = headers["content-range"].rpartition("/")[2]
    return Edition(mark=mark, total=int(length) if length.isascii() and length.isdigit() else None)


def starts_at(headers: Mapping[str, str]) -> int | None:
    """The first byte of a part, of an answer's Content-Range (`bytes 100-199/200`); None for another unit."""
    unit, _, span = headers.get("content-range", "").partition(" ")
    first = span.partition("-")[0]
    return int(first) if unit == "bytes" and first.isascii() and first.isdigit() else None
