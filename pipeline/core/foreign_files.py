"""Tells a file that is not what its name says: what git-lfs, a login page or a broken copy left."""

from pathlib import Path

from pipeline.core.errors import DataError

_LFS = b"version https://git-lfs.github.com/spec/"
_PAGES = (b"<!doctype html", b"<html")
_FIRST_BYTES = 256
_AGAIN = "download the file again, and compare its size with the one at its origin"


def refuse_foreign(file: Path, *, of: str, expected: str) -> None:
    """Raises DataError where a file is empty, a git-lfs pointer or a web page.

    Args:
        of: what the file belongs to, for the message: `source tickets`, `checkpoint my-encoder`.
        expected: what it should hold.
    """
    if (found := what_is(file)) is None:
        return
    what, next_step = found
    raise DataError(f"{of}: {file.name} is {what}", expected=expected, next_step=next_step)


def what_is(file: Path) -> tuple[str, str] | None:
    """Says what a foreign file is, and what to do about it; None for any other file."""
    with file.open("rb") as stream:
        start = stream.read(_FIRST_BYTES)
    size = file.stat().st_size
    if not start:
        return "empty", _AGAIN
    if start.startswith(_LFS):
        pull = "run `git lfs pull` in the repository that it came from (`git lfs install` once)"
        return f"a git-lfs pointer of {size} bytes: git never fetched the file itself", pull
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_PAGES):
        return f"a web page of {size:,} bytes, perhaps of a login or an error", _AGAIN
    return None
