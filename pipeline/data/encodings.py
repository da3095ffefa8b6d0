"""Says in which encoding a file that is not UTF-8 seems to be, and what to do about it.

An encoding is never guessed while rows are read: bytes of one can be read as another without an
error, and a model would learn from what comes out. `modelyard new` guesses, shows what it guessed and
writes it into the product file; `modelyard data check` says it.
"""

import codecs
from collections.abc import Callable

from pipeline.core.errors import DataError
from pipeline.data.wide_encodings import is_decodable, is_hangul, share_of, wide_encoding

UTF8 = "utf-8"
SHIFTED = b"\x1b$"
"""Shifts to another table in the old encodings of mails, whose bytes are those of ASCII."""
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order marks, the longer ones before those that they begin with."""
_SAMPLE = 200_000
_LEAST_KANA = 0.15
_MARKS_OF_EAST_ASIA = "★☆♥♡♪※○●◎◇◆□■△▲▽▼→←↑↓…·‥“”‘’「」『』《》〈〉【】（），。！？～：；￦"
_FEW = 0.01
"""Share of a file's letters outside ASCII that may be wrong in a file that is UTF-8 but for a slip."""


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
    if (wide := wide_encoding(data)) is not None:
        return wide
    if SHIFTED in data and is_decodable(data, "iso2022_jp"):
        return "iso2022_jp"
    if is_decodable(data, UTF8):
        return UTF8
    if _nearly_utf8(data):
        return None
    return _of_one_country(data)


def _of_one_country(data: bytes) -> str | None:
    """The likely encoding of a file whose letters outside ASCII are bytes of one country's table."""
    sample = _sample(data)
    decoded = {
        name: sample.decode(name, errors="ignore") for name in _SCORES if is_decodable(data, name)
    }
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


def _common_hangul(text: str, name: str) -> float:
    """Share of syllables of KS X 1001, which are those in use (chance gives others as well), of single
    letters as in ㅋㅋ, and of marks.
    """
    del name
    return share_of(
        text,
        lambda c: _is_common(c) if is_hangul(c) else "ㄱ" <= c <= "ㅣ" or c in _MARKS_OF_EAST_ASIA,
    )


def _kana_and_han(text: str, name: str) -> float:
    """Share of Japanese letters; without kana, which every sentence has, it is not Japanese."""
    last = {"cp932": 0x97, "euc_jp": 0xCF}[name]
    kana = share_of(text, lambda c: "ぁ" <= c <= "ヿ" or c in "、。「」ー")
    common = share_of(text, lambda c: "一" <= c <= "鿿" and c.encode(name)[0] <= last)
    return kana + common if kana > _LEAST_KANA else 0.0


def _common_han(text: str, name: str) -> float:
    """Share of the common half of the characters, which the table has first, and of its marks."""
    first, last, least = {"gb18030": (0xB0, 0xD7, 0xA1), "big5": (0xA4, 0xC6, 0x40)}[name]

    def is_common(character: str) -> bool:
        spelled = character.encode(name)
        return first <= spelled[0] <= last and len(spelled) == 2 and spelled[1] >= least

    return share_of(text, lambda c: c in "，。！？、；：“”「」（）" or is_common(c))


def _letters_in(*languages: str) -> Callable[[str, str], float]:
    """Scores by the share of the letters of one of some groups of languages, and of printed marks."""
    known = [{*letters, *letters.upper(), *_PRINTED_MARKS} for letters in languages]

    def score(text: str, name: str) -> float:
        del name
        return max(share_of(text, letters.__contains__) for letters in known)

    return score


def _is_common(syllable: str) -> bool:
    """Whether a syllable is one of KS X 1001: EUC-KR spells all others with eight bytes."""
    return len(syllable.encode("euc_kr")) == 2


_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґ"


def _lower_cyrillic(text: str, name: str) -> float:
    """Share of Cyrillic letters; KOI8 and Windows put small letters where the other has capitals."""
    known = share_of(text, lambda c: c.lower() in _CYRILLIC or c in "«»—–№…")
    if name == "cp1251" and not any(letter in text.lower() for letter in _ONLY_IN_SLAVIC):
        known *= 0.9
    return known * (0.5 + 0.5 * share_of(text, lambda c: not c.isupper()))


_PRINTED_MARKS = "–—“”„‘’«»…€£§°·•©®™¡¿ºª½²\xa0"
_LATIN = ("cp1252", "cp1250", "cp1254")
_ONLY_IN_SLAVIC = "ыьэюя"
"""Common letters of Russian whose bytes in Windows-1251 no Hebrew letter has in Windows-1255."""
_LEAST_SCORE = 0.6
_SCORES: dict[str, Callable[[str, str], float]] = {
    "cp932": _kana_and_han,
    "cp949": _common_hangul,
    "euc_jp": _kana_and_han,
    "gb18030": _common_han,
    "big5": _common_han,
    "cp1251": _lower_cyrillic,
    "koi8-r": _lower_cyrillic,
    "cp1252": _letters_in("éèêëàâçùûüîïôöäßñáíóúãõåæøœìò", "áæðéíóöúýþ"),
    "cp1250": _letters_in("ąćęłńóśźż", "áčďéěíňóřšťúůýžľĺôä", "áéíóöőúüű", "ăâîşţ", "čćđšž"),
    "cp1253": _letters_in("αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋ"),
    "cp1254": _letters_in("çğıöşüâî"),
    "cp1255": _letters_in("אבגדהוזחטיךכלםמןנסעףפץצקרשת"),
    "cp1256": _letters_in("ابةتثجحخدذرزسشصضطظعغفقكلمنهوىيءآأؤإئ،؟"),
    "cp874": _letters_in("กขคฆงจฉชซญฎฏฐฑณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮะาำเแโใไิีึืุู่้๊๋์ั็"),
}
"""Encodings of single countries, each with a score of how like its languages a text is."""


def _nearly_utf8(data: bytes) -> bool:
    text = data.decode(UTF8, errors="replace")
    wrong = text.count("\ufffd")
    letters = sum(not character.isascii() for character in text)
    return wrong <= _FEW * letters


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
    if likely is None and _nearly_utf8(data):
        return DataError(
            f"{got}, and nearly all else in the file is",
            expected="text in UTF-8",
            next_step=f"correct line {line}; do not convert the whole file, all else would be spoiled",
        )
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
    wide = ", as UTF-16 without a mark does" if likely and SHIFTED not in data else ""
    return DataError(
        f"{name} holds {kind}{wide}",
        expected="text",
        next_step=f"write `encoding: {likely}` into the source"
        if likely and likely != UTF8
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
