"""Decodes text files, and says in which encoding a file that is not UTF-8 seems to be.

An encoding is never guessed while rows are read: bytes of one can be read as another without an
error, and a model would learn from what comes out. `modelyard new` guesses, shows what it guessed and
writes it into the product file.
"""

import codecs
from collections.abc import Callable

from pipeline.core.errors import DataError

UTF8 = "utf-8"
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order marks, the longer ones before those that they begin with."""
_SAMPLE = 200_000
_FEW = 0.01
"""Share of a file's letters outside ASCII that may be wrong in a file that is UTF-8 but for a slip."""


def decoded(data: bytes, *, name: str, encoding: str | None = None) -> str:
    """The text of a file without its byte order mark.

    Args:
        encoding: as its source names it. Without one, a mark is obeyed, and a file without a mark is
            UTF-8.

    Raises:
        DataError: the bytes are not of the encoding; the message names the likely one.
    """
    chosen = encoding or marked(data) or UTF8
    try:
        text = data.decode(chosen)
    except UnicodeDecodeError as error:
        raise _not_decodable(data, error, name=name, encoding=encoding) from error
    except LookupError as error:
        raise DataError(
            f"the encoding {encoding!r} of {name}",
            expected="one that Python knows, such as utf-8, cp949, windows-1252, shift_jis or gb18030",
            next_step="correct `encoding` of the source",
        ) from error
    if encoding is None and "\0" in text:
        raise _with_zeros(data, name)
    return text.removeprefix("\ufeff")


def marked(data: bytes) -> str | None:
    """The encoding that a byte order mark at the start says; None without a mark."""
    return next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)


def likely_encoding(data: bytes) -> str | None:
    """The encoding in which a file seems to be; None where nothing fits its bytes.

    A file that is UTF-8 but for a few bytes counts as none: in another encoding all else of it would
    be wrong.
    """
    if (mark := marked(data)) is not None:
        return mark
    if (wide := _wide(data)) is not None:
        return wide
    if _is(data, UTF8):
        return UTF8
    if _nearly_utf8(data):
        return None
    return _of_one_country(data)


def _of_one_country(data: bytes) -> str | None:
    """The likely encoding of a file whose letters outside ASCII are bytes of one country's table."""
    sample = _sample(data)
    decoded = {name: sample.decode(name, errors="ignore") for name in _SCORES if _is(data, name)}
    scores = {
        name: _SCORES[name](foreign, name) * _beside_ascii(text, name)
        for name, text in decoded.items()
        if (foreign := "".join(c for c in text if not c.isascii()))
    }
    best = max(scores, key=scores.__getitem__, default=None)  # of equals, the first
    return best if best is not None and scores[best] >= _LEAST_SCORE else None


def _sample(data: bytes) -> bytes:
    """The lines with letters outside ASCII, which alone tell the encoding; as many as are needed."""
    lines = [line for line in data[: 20 * _SAMPLE].splitlines() if not line.isascii()]
    return b"\n".join(lines)[:_SAMPLE]


def _beside_ascii(text: str, name: str) -> float:
    """Share of the letters outside ASCII that stand where such letters do: in Latin beside others of
    ASCII, in other scripts among themselves.
    """
    beside = [
        any(c.isascii() and c.isalpha() for c in text[max(place - 1, 0) : place + 2])
        for place, letter in enumerate(text)
        if not letter.isascii() and letter.isalpha()
    ]
    inside = sum(beside) / len(beside) if beside else float(name in _LATIN)
    return inside if name in _LATIN else 1 - inside


def _share(text: str, is_likely: Callable[[str], bool]) -> float:
    return sum(map(is_likely, text)) / len(text)


def _common_hangul(text: str, name: str) -> float:
    """Share of syllables of KS X 1001, which are those in use: chance gives others as well."""
    del name
    return _share(text, lambda c: "가" <= c <= "힣" and _has(c, "euc_kr"))


def _kana_and_han(text: str, name: str) -> float:
    """Share of Japanese letters; without kana, which every sentence has, it is not Japanese."""
    kana = _share(text, lambda c: "ぁ" <= c <= "ヿ" or c in "、。「」ー")
    common = _share(text, lambda c: "一" <= c <= "鿿" and c.encode(name)[0] < 0x98)
    return kana + common if kana > 0.15 else 0.0


def _common_han(text: str, name: str) -> float:
    """Share of the common half of the characters, which the table has first, and of its marks."""
    first, last = {"gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6)}[name]
    return _share(
        text, lambda c: c in "，。！？、；：“”「」（）" or first <= c.encode(name)[0] <= last
    )


def _letters_in(letters: str) -> Callable[[str, str], float]:
    """Scores by the share of the letters of some languages, and of printed marks."""
    known = {*letters, *letters.upper(), *"–—“”„‘’‚«»…€£§°·•©®™¡¿ºª½²\xa0"}

    def score(text: str, name: str) -> float:
        del name
        return _share(text, lambda c: c in known)

    return score


def _has(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґ"


def _lower_cyrillic(text: str, name: str) -> float:
    """Share of Cyrillic letters; KOI8 and Windows put small letters where the other has capitals."""
    del name
    known = _share(text, lambda c: c.lower() in _CYRILLIC or c in "«»—–№…")
    return known * (0.5 + 0.5 * _share(text, lambda c: not c.isupper()))


_LATIN = ("cp1252", "cp1250", "cp1254")
_LEAST_SCORE = 0.6
_SCORES: dict[str, Callable[[str, str], float]] = {
    "cp932": _kana_and_han,
    "cp949": _common_hangul,
    "gb18030": _common_han,
    "big5": _common_han,
    "cp1251": _lower_cyrillic,
    "koi8-r": _lower_cyrillic,
    "cp1252": _letters_in("éèêëàâçùûüîïôöäßñáíóúãõåæøœìò"),
    "cp1250": _letters_in("ąćęłńóśźżáčďéěíňřšťúůýžľĺôäöüőűßăâîşţđ"),
    "cp1253": _letters_in("αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋ"),
    "cp1254": _letters_in("çğıöşüâî"),
    "cp1255": _letters_in("אבגדהוזחטיךכלםמןנסעףפץצקרשת"),
    "cp1256": _letters_in("ابةتثجحخدذرزسشصضطظعغفقكلمنهوىيءآأؤإئ،؟"),
    "cp874": _letters_in("กขคฆงจฉชซญฎฏฐฑณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮะาำเแโใไิีึืุู่้๊๋์ั็"),
}
"""Encodings of single countries, each with a score of how like its languages a text is."""


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark, which shows as a zero in every second place."""
    sample = data[:_SAMPLE]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) < 0.2 * max(len(sample) // 2, 1):
        return None
    name = "utf-16-le" if odd > even else "utf-16-be"
    return name if _is(data, name) else None


def _nearly_utf8(data: bytes) -> bool:
    text = data.decode(UTF8, errors="replace")
    wrong = text.count("\ufffd")
    letters = sum(not character.isascii() for character in text)
    return wrong <= _FEW * letters


def _is(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _not_decodable(
    data: bytes, error: UnicodeDecodeError, *, name: str, encoding: str | None
) -> DataError:
    line = data.count(b"\n", 0, error.start) + 1
    got = f"{name}, line {line}: byte 0x{data[error.start]:02x} is not {name_of(encoding or UTF8)}"
    likely = likely_encoding(data)
    if likely is None and _nearly_utf8(data):
        return DataError(
            f"{got}, and nearly all else in the file is",
            expected="text in UTF-8",
            next_step=f"correct line {line}; do not convert the whole file, all else would be spoiled",
        )
    if likely is None or likely == encoding:
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


def _with_zeros(data: bytes, name: str) -> DataError:
    likely = _wide(data)
    return DataError(
        f"{name} holds zero bytes" + (", as UTF-16 without a mark does" if likely else ""),
        expected="text",
        next_step=f"write `encoding: {likely}` into the source"
        if likely
        else "save the file again as UTF-8",
    )


def name_of(encoding: str) -> str:
    """The encoding as people call it."""
    return _NAMES.get(encoding, encoding.upper())


_NAMES = {
    "cp949": "CP949 (EUC-KR)",
    "cp932": "Shift JIS (CP932)",
    "utf-8-sig": "UTF-8 with a byte order mark",
    **{f"cp{number}": f"Windows-{number}" for number in range(1250, 1259)},
}
