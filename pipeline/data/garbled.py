"""Tells texts whose letters were spoiled before they came here: read in a wrong encoding, lost, or escaped."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from pipeline.data.encodings import likely_encoding, name_of

_MOST_TEXTS = 20_000
_LEAST_SHARE = 0.01
_OF_WINDOWS = "".join(
    bytes([code]).decode("cp1252", errors="ignore") or chr(code) for code in range(0x80, 0xA0)
)
"""The letters of Windows-1252 for the bytes that Latin-1 has none for; two of five missing ones stay."""
_RUN = re.compile(f"[\\x80-\\xff{re.escape(_OF_WINDOWS)}]{{2,}}")
_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}")
_LOST = "\ufffd"
_NO_LETTERS_IN_USE = ("\u0180", "\u0370")
"""Rare Latin, phonetic letters and loose accents: what a capital and a closing quote make of each other."""
_LONG_RUN = 4
_OTHER = ("cp949", "cp932", "euc_jp", "gb18030", "big5", "cp1251", "koi8-r")


def notes_on_garbled(texts: Sequence[str]) -> Iterator[str]:
    """Says what was spoiled in the texts, a sentence each."""
    some = [*islice(texts, _MOST_TEXTS)]
    least = max(1, _LEAST_SHARE * len(some))
    repaired = {text: good for text in some if (good := _as_utf8(text))}
    if (count := sum(text in repaired for text in some)) >= least:
        spoiled, meant = next(iter(repaired.values()))
        yield (
            f"{count:,} of {len(some):,} texts are UTF-8 that was read in another encoding, as Windows-1252"
            f" ({spoiled!r} for {meant!r}): go back to the file before that, or repair it with ftfy"
        )
    else:
        yield from _of_another_encoding(some)
    if lost := sum(_LOST in text for text in some):
        yield (
            f"{lost:,} of {len(some):,} texts hold {_LOST!r}, which stands for letters that were lost:"
            " go back to the file before that"
        )
    if (escaped := sum(bool(_ESCAPE.search(text)) for text in some)) >= least:
        yield (
            f"{escaped:,} of {len(some):,} texts hold letters as \\uXXXX: read the file that they come from"
            " as JSON, and write the letters"
        )


def _as_utf8(text: str) -> tuple[str, str] | None:
    """The first letters that are bytes of UTF-8, and what they stand for; None where most are no such bytes."""
    if text.isascii():
        return None
    runs = [run[0] for run in _RUN.finditer(text)]
    decoded = [(run, good) for run in runs if (good := _decoded(run))]
    if len(decoded) * 2 <= len(runs):
        return None
    run, good = decoded[0]
    return run[: len(good[0].encode())], good[0]


def _decoded(run: str) -> str:
    """The letters as bytes of UTF-8; "" where they are none, or rare letters."""
    try:
        text = _bytes_of(run).decode()
    except UnicodeDecodeError:
        return ""
    low, high = _NO_LETTERS_IN_USE
    return "" if any(low <= letter < high for letter in text) else text


def _of_another_encoding(texts: Sequence[str]) -> Iterator[str]:
    """Whether the letters of Western Europe are the bytes of another part of the world."""
    runs = [run[0] for text in texts if not text.isascii() for run in _RUN.finditer(text)]
    if not runs or sum(map(len, runs)) < _LONG_RUN * len(runs):
        return
    likely = likely_encoding(b" ".join(map(_bytes_of, runs)))
    if likely in _OTHER:
        yield (
            f"the letters are those of Western Europe, but {name_of(likely)} read as Windows-1252 or Latin-1,"
            f" as it seems: go back to the file before that, and write `encoding: {likely}` into its source"
        )


def _bytes_of(run: str) -> bytes:
    """The bytes that Windows-1252, or Latin-1 where it has none, writes for the letters."""
    return b"".join(
        bytes([0x80 + _OF_WINDOWS.index(letter)])
        if letter in _OF_WINDOWS
        else letter.encode("latin-1")
        for letter in run
    )
