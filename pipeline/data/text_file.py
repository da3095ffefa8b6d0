"""Reads a text file line by line, whatever its encoding, and never more of it than a line at once."""

import codecs
import io
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.data.encoding_faults import no_text, not_decodable, unknown_encoding
from pipeline.data.encodings import SHIFTED, UTF8, marked
from pipeline.data.layout import LONGEST_ROW, too_long
from pipeline.data.packed import unpacked

_SHIFTED = SHIFTED.decode()
_CHUNK = 1 << 20
_SAMPLE = 4 * _CHUNK
_NO_MARK = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}
"""Encodings that ask for a mark, and what they mean without one."""


def lines_of(path: Path, *, encoding: str | None = None, newline: str = "") -> Iterator[str]:
    r"""The lines of a text file with their ends, without its byte order mark.

    Args:
        encoding: as its source names it. Without one, a mark is obeyed, and a file without a mark is
            UTF-8.
        newline: the one end of lines, or "" for any of `\n`, `\r` and `\r\n`.

    Raises:
        DataError: the bytes are not of the encoding (the message names the likely one), or a line
            is longer than `LONGEST_ROW`.
    """
    rows = _pieces(path, encoding, newline, lambda text: text.readline(LONGEST_ROW + 1))
    for number, line in enumerate(rows, start=1):
        if len(line) > LONGEST_ROW:
            raise too_long(path, number)
        yield line


def parts_of(path: Path, *, encoding: str | None = None, characters: int) -> Iterator[str]:
    """The text of a file in parts of so many characters; see `lines_of`."""
    yield from _pieces(path, encoding, "", lambda text: text.read(characters))


def _pieces(
    path: Path, encoding: str | None, newline: str, read: Callable[[io.TextIOWrapper], str]
) -> Iterator[str]:
    try:
        with unpacked(path) as stream:
            text = io.TextIOWrapper(stream, encoding=_chosen(path, encoding), newline=newline)
            is_first = True
            while piece := read(text):
                if encoding is None and ("\0" in piece or _SHIFTED in piece):
                    raise no_text(sample_of(path), path.name)
                yield piece.removeprefix("\ufeff") if is_first else piece
                is_first = False
    except UnicodeError as error:
        line, byte = _place_of_error(path, _chosen(path, encoding))
        sample = sample_of(path)
        raise not_decodable(
            sample, name=path.name, line=line, byte=byte, encoding=encoding
        ) from error
    except LookupError as error:
        raise unknown_encoding(path.name, str(encoding)) from error


def beginning_of(path: Path, *, encoding: str | None = None, characters: int = _CHUNK) -> str:
    """The first characters of a text file; what cannot be decoded is left to `lines_of`."""
    with unpacked(path) as stream:
        data = stream.read(4 * characters)
    try:
        text = codecs.getincrementaldecoder(_chosen(path, encoding))("ignore").decode(data)
    except LookupError as error:
        raise unknown_encoding(path.name, str(encoding)) from error
    return text.removeprefix("\ufeff")[:characters]


def usual_end(path: Path, *, encoding: str | None = None) -> str:
    r"""The end of the file's lines: `\r` as on an old Mac where there is no other, else `\n`."""
    text = beginning_of(path, encoding=encoding)
    return "\r" if "\r" in text and "\n" not in text else "\n"


def sample_of(path: Path) -> bytes:
    """The bytes that tell the encoding: the first megabyte, and then what is not ASCII, up to 4 MB.

    All but the first part is cut at ends of lines, and so between characters.
    """
    parts: list[bytes] = []
    size = 0
    with unpacked(path) as stream:
        while size < _SAMPLE and (chunk := stream.read(_CHUNK)):
            if parts and chunk.isascii():
                continue
            whole = len(chunk) < _CHUNK
            part = _whole_lines(chunk, first=not parts, last=whole)
            parts.append(part)
            size += len(part)
    return b"".join(parts)


def _whole_lines(chunk: bytes, *, first: bool, last: bool) -> bytes:
    """The lines that are whole in a part of a file; all of it where it has no end of a line."""
    if b"\0" in chunk:
        return chunk[: len(chunk) // 4 * 4]  # of UTF-16 and 32, where a line feed is several bytes
    start = 0 if first else chunk.find(b"\n") + 1
    end = chunk.rfind(b"\n") + 1
    if end <= start:  # no end of a line: no character of several bytes ends with one of these
        end = max(chunk.rfind(mark) for mark in (b" ", b",", b'"')) + 1
    return chunk[start:] if last else chunk[start:end] or chunk


def _chosen(path: Path, encoding: str | None) -> str:
    """The encoding by which the file is read."""
    with unpacked(path) as stream:
        mark = marked(stream.read(4))
    if encoding is None:
        return mark or UTF8
    name = codecs.lookup(encoding).name
    return _NO_MARK.get(name, encoding) if mark is None else encoding


def _place_of_error(path: Path, encoding: str) -> tuple[int, int]:
    """The line, and the byte, that cannot be decoded."""
    decoder, lines = codecs.getincrementaldecoder(encoding)(), 0
    with unpacked(path) as stream:
        while True:
            chunk = stream.read(_CHUNK)
            try:
                lines += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                before = error.object[: error.start].count(b"\n")
                return lines + before + 1, error.object[error.start]
            if not chunk:
                return 1, 0
