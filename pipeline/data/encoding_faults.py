"""Says what to do about a file whose bytes are not of its encoding: the cause as its bytes tell it."""

from pipeline.core.errors import DataError
from pipeline.data.encodings import (
    SHIFTED,
    UTF8,
    has_halves,
    is_mixed,
    likely_encoding,
    marked,
    name_of,
    nearly_utf8,
    other_lines,
)
from pipeline.data.wide_encodings import wide_encoding


def not_decodable(
    data: bytes, *, name: str, line: int, byte: int, encoding: str | None
) -> DataError:
    """The error for a file that is not of its encoding; it names the likely one.

    Args:
        data: enough of the file to tell its encoding.
        line: where the byte is that cannot be decoded.
        encoding: as the source names it.
    """
    got = f"{name}, line {line}: byte 0x{byte:02x} is not {name_of(encoding or UTF8)}"
    likely = likely_encoding(data)
    if likely is None and (why := _why_none(data)) is not None:
        return DataError(
            f"{got}, and {why[0]}",
            expected="text in UTF-8",
            next_step=why[1].format(line=line, name=name),
        )
    if likely is not None and likely == marked(data):
        return _beside_its_mark(data, got, name=name, likely=likely)
    if likely is None or likely == (encoding or UTF8):
        return DataError(
            got,
            expected="text in UTF-8, or `encoding` of the source says in which other encoding",
            next_step="find out which program wrote the file, and save it there as UTF-8",
        )
    return DataError(
        f"{got}; the file seems to be in {name_of(likely)}",
        expected="text in UTF-8, or `encoding` of the source says in which other encoding",
        next_step=f"write `encoding: {likely}` into the source, and look at what is read (or convert it: "
        f"`iconv -f {likely.upper()} -t UTF-8 {name}`)",
    )


def _why_none(data: bytes) -> tuple[str, str] | None:
    """Why a file is of no encoding, and what to do; None where that is not known."""
    if has_halves(data):
        return (
            "emoji are written in two halves (CESU-8), as some databases and Java do",
            "write the file again as UTF-8 (MySQL: character set utf8mb4)",
        )
    if nearly_utf8(data):
        return (
            "nearly all else in the file is",
            "correct line {line}; do not convert the whole file, all else would be spoiled",
        )
    if is_mixed(data):
        other = likely_encoding(b"\n".join(other_lines(data)))
        named = name_of(other) if other else "another encoding"
        return (
            f"other lines are: the file is joined of parts in UTF-8 and in {named}",
            "convert the part that line {line} is from before the parts are joined; of the whole file one of"
            " them would be spoiled",
        )
    return None


def _beside_its_mark(data: bytes, got: str, *, name: str, likely: str) -> DataError:
    """The error for a file that begins with a byte order mark, and is not what the mark says."""
    expected = f"text in {name_of(likely)}, as the first bytes say"
    inner = likely_encoding(data[3:]) if likely == "utf-8-sig" else None
    if inner in (None, UTF8):
        return DataError(
            f"{got.rpartition(': ')[0]}: the bytes are no text of {name_of(likely)}, which the file begins as:"
            " it is cut off, or spoiled there",
            expected=expected,
            next_step="copy or download the file again, or write it again as UTF-8",
        )
    return DataError(
        f"{got}; after the mark of UTF-8 the file seems to be in {name_of(inner or '')}",
        expected=expected,
        next_step=f"take the three bytes of the mark away (`tail -c +4 {name}`), and write"
        f" `encoding: {inner}` into the source",
    )


def unknown_encoding(name: str, encoding: str) -> DataError:
    """The error for an encoding that Python does not know."""
    return DataError(
        f"the encoding {encoding!r} of {name}",
        expected="one that Python knows, such as utf-8, cp949, windows-1252, shift_jis or gb18030",
        next_step="correct `encoding` of the source",
    )


def no_text(data: bytes, name: str) -> DataError:
    """The error for a file with zero bytes, or with shifts to another table: no text in UTF-8 has these."""
    likely = wide_encoding(data) or (likely_encoding(data) if SHIFTED in data else None)
    kind = "shifts to another table" if SHIFTED in data else "zero bytes"
    line = data.count(b"\n", 0, data.find(b"\0")) + 1 if b"\0" in data else 1
    place = f", line {line}," if kind == "zero bytes" and likely is None else ""
    wide = ", as UTF-16 without a mark does" if likely and SHIFTED not in data else ""
    return DataError(
        f"{name}{place} holds {kind}{wide}",
        expected="text",
        next_step=f"write `encoding: {likely}` into the source"
        if likely and likely != UTF8
        else f"take them out (`tr -d '\\000' < {name}`); at the end of a file, copy it again"
        if kind == "zero bytes"
        else "save the file again as UTF-8",
    )
