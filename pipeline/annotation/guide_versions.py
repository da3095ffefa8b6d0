"""Keeps every version of the guide: what it said, since when, who wrote it and why; nothing is ever rewritten.

    <folder>/<hash>.md      the text of a version; the hash is its SHA-256
    <folder>/log.jsonl      one line a version, the newest last
    <folder>/file.json      the version that annotations/guide.md had when it was last looked at

People may edit `annotations/guide.md` by hand as well: what they write there becomes the newest version.
"""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.annotation.event_log import set_torn_line_aside
from pipeline.core.errors import DataError, PipelineError
from pipeline.core.files import read_json, write_json, write_text
from pipeline.core.line_file import add_line, encoded_line, read_lines
from pipeline.core.typed_json import MismatchError, read_as

GUIDE_FILE = "guide.md"
"""Name of the guide that people read and edit in `annotations/`."""
GUIDE_FOLDER = "guide"
"""Name of the folder of versions, among the live events and in `annotations/`."""
BY_HAND = "by hand"
"""Who wrote a version that came from the file."""
MOST_WHY = 500
"""Characters of a reason."""

_LOG, _FILE = "log.jsonl", "file.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """A version of the guide.

    Attributes:
        hash: SHA-256 of the text.
        base: hash of the version that it was written from; None for the first. Where that is not the version before
            it in the log, what that one had changed is not in it.
        time: UTC, ISO 8601 with milliseconds.
        who: published name of the person, such as p1; `by hand` for the file.
        why: the reason that the person gave.
    """

    hash: str
    base: str | None
    time: str
    who: str
    why: str


class GuideChangedError(PipelineError):
    """Somebody changed the guide after the version that an edit began with; nothing was saved.

    Args:
        current: the newest version.
    """

    def __init__(self, current: Version | None) -> None:
        super().__init__(
            "an edit of an older version of the guide",
            expected=f"an edit of the newest one, {current.hash[:12] if current else 'which is none'}",
            next_step="bring your change into the newest text and save again",
        )
        self.current = current


class GuideVersions:
    """The guide of a product, open for edits by one process.

    Args:
        folder: of the versions.
        file: `annotations/guide.md`; None where the product has none there.

    Raises:
        DataError: the log is damaged.
    """

    def __init__(
        self,
        folder: Path,
        *,
        file: Path | None = None,
        clock: Callable[[], str] = lambda: datetime.now(UTC).isoformat(timespec="milliseconds"),
    ) -> None:
        self._folder, self._file, self._clock = folder, file, clock
        self._guard = threading.RLock()
        set_torn_line_aside(folder / _LOG)
        if file is not None and not (folder / _LOG).exists():
            _take_published(file.parent / GUIDE_FOLDER, folder)
        self.versions = read_versions(folder)
        self._texts: dict[str, str] = {}
        self._stamp: tuple[int, int] | None = None
        self.look_at_file()

    @property
    def current(self) -> Version | None:
        """The newest version; None where there is no guide."""
        return self.versions[-1] if self.versions else None

    @property
    def hash(self) -> str | None:
        """SHA-256 of the newest version, which votes carry; None where there is no guide."""
        return self.versions[-1].hash if self.versions else None

    @property
    def text(self) -> str:
        """The newest version's text; empty where there is no guide."""
        return self.text_of(self.hash)

    @property
    def newest(self) -> tuple[str, str | None]:
        """Text and hash of the newest version; an empty text and None where there is no guide."""
        with self._guard:
            return self.text, self.hash

    def version(self, hash_: str) -> Version | None:
        """The newest version of this hash; None where there is none."""
        return next((each for each in reversed(self.versions) if each.hash == hash_), None)

    def text_of(self, hash_: str | None) -> str:
        """The text of a version; empty where it is not known."""
        with self._guard:
            if hash_ is None or not any(each.hash == hash_ for each in self.versions):
                return ""
            if hash_ not in self._texts:
                self._texts[hash_] = _read_text(self._folder / f"{hash_}.md")
            return self._texts[hash_]

    def save(self, text: str, *, base: str | None, who: str, why: str) -> Version:
        """Makes the text the newest version, on the disk when this returns.

        Args:
            base: hash of the version that was edited; None where there was none.

        Raises:
            GuideChangedError: the newest version is another one.
            DataError: the text is that of the newest version.
            DiskFullError: there is no room.
        """
        with self._guard:
            self.look_at_file()
            if base != self.hash:
                raise GuideChangedError(self.current)
            if text == self.text and self.hash is not None:
                raise DataError(
                    "a guide without a change",
                    expected="a text that differs from the newest version",
                    next_step="change something first",
                )
            return self._add(text, base=base, who=who, why=why)

    def changed(self, change: Callable[[str], str], *, who: str, why: str) -> Version:
        """Makes what `change` makes of the newest text the newest version; else as `save`."""
        with self._guard:
            self.look_at_file()
            return self.save(change(self.text), base=self.hash, who=who, why=why)

    def look_at_file(self) -> Version | None:
        """Takes what somebody wrote into the file by hand; returns the version, None where nothing is new."""
        with self._guard:
            if self._file is None or (stamp := _stamp(self._file)) in (None, self._stamp):
                return None
            text, last, added = _read_text(self._file), _last_in_file(self._folder), None
            digest = hash_of(text)
            if text and digest not in (last, self.hash):
                why = f"{GUIDE_FOLDER}.md was edited"
                added = self._add(text, base=last, who=BY_HAND, why=why)
            if text and digest != last:
                note_file(self._folder, digest)
            self._stamp = stamp
            return added

    def _add(self, text: str, *, base: str | None, who: str, why: str) -> Version:
        given = Version(hash=hash_of(text), base=base, time=self._clock(), who=who, why=why)
        path = self._folder / f"{given.hash}.md"
        if not path.exists():
            write_text(path, text)
        add_line(self._folder / _LOG, {"v": 1, **asdict(given)})
        self.versions.append(given)
        return given


def hash_of(text: str) -> str:
    """SHA-256 of a guide's text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_versions(folder: Path) -> list[Version]:
    """The versions in a folder, the oldest first; none where there is no guide. A server may be adding some.

    Raises:
        DataError: the log is damaged.
    """
    found = []
    for number, line in enumerate(read_lines(folder / _LOG), start=1):
        try:
            found.append(read_as(Version, {k: v for k, v in line.items() if k != "v"}))
        except MismatchError as error:
            raise DataError(
                f"line {number} of the guide's {_LOG}: {error}",
                expected="hash, base, time, who and why of a version",
                next_step="restore the file from a backup",
            ) from error
    return found


def publish_guide(folder: Path, annotations: Path) -> dict[str, Any] | None:
    """Writes the versions to `annotations/guide/`, the newest to `annotations/guide.md`: equal bytes for equal versions.

    A `guide.md` that was edited by hand since stays as it is; the next `modelyard annotate` takes it.

    Returns:
        `hash` of the newest version, number of `versions`, and whether the file was `edited_by_hand`; None where there
        is no guide.
    """
    versions = read_versions(folder)
    if not versions:
        return None
    target, file, newest = annotations / GUIDE_FOLDER, annotations / GUIDE_FILE, versions[-1].hash
    for version in versions:
        text = _read_text(folder / f"{version.hash}.md")
        if not (target / f"{version.hash}.md").exists():
            write_text(target / f"{version.hash}.md", text)
    lines = b"".join(encoded_line(asdict(version)) for version in versions)
    write_text(target / _LOG, lines.decode())
    there = hash_of(_read_text(file)) if file.exists() else None
    by_hand = there not in (None, _last_in_file(folder), newest)
    if not by_hand and there != newest:
        write_text(file, _read_text(folder / f"{newest}.md"))
        note_file(folder, newest)
    return {"hash": newest, "versions": len(versions), "edited_by_hand": by_hand}


def _take_published(published: Path, folder: Path) -> None:
    """Takes the versions that somebody published elsewhere, as on the machine that this project was cloned from."""
    for version in read_versions(published):
        write_text(folder / f"{version.hash}.md", _read_text(published / f"{version.hash}.md"))
        add_line(folder / _LOG, {"v": 1, **asdict(version)})


def note_file(folder: Path, digest: str) -> None:
    """Notes which version `annotations/guide.md` has, so that an edit by hand is known to be one of it."""
    write_json(folder / _FILE, {"hash": digest})


def _last_in_file(folder: Path) -> str | None:
    path = folder / _FILE
    return str(read_json(path)["hash"]) if path.exists() else None


def _read_text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return stream.read()
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path.name}: {error}",
            expected="the guide, or a version of it, as UTF-8",
            next_step="save the file as UTF-8, or restore it from a backup",
        ) from error


def _stamp(path: Path) -> tuple[int, int] | None:
    """Time and size of a file, which differ where it was written anew; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
