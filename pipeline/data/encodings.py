"""Says in which encoding a file that is not UTF-8 seems to be.

An encoding is never guessed while rows are read: bytes of one can be read as another without an
error, and a model would learn from what comes out. `modelyard new` guesses, shows what it guessed and
writes it into the product file; `modelyard data check` says it.
"""

import codecs
import unicodedata
from collections.abc import Callable, Sequence
from itertools import groupby

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
_MOST_OTHERS = 0.9
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
    if nearly_utf8(data) or has_halves(data) or is_mixed(data):
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

    A letter that is a word by itself, as the Italian è, tells nothing beside others; where there are no
    others, the words around it are of ASCII, and so it is Latin.
    """
    words = [word for word in _words(text) if not word.isascii()]
    foreign = [[not c.isascii() for c in word] for word in words if len(word) > 1]
    letters = sum(map(sum, foreign))
    beside = sum(map(_letters_beside, foreign))
    inside = beside / letters if letters else float(name in _LATIN or bool(words))
    return inside if name in _LATIN else 1 - inside


def _words(text: str) -> list[str]:
    """The runs of letters."""
    runs = groupby(text, _is_letter)
    return ["".join(run) for is_word, run in runs if is_word]


def _letters_beside(foreign: Sequence[bool]) -> int:
    """How many foreign letters of a word have one of ASCII beside them; two in a row count as one.

    Args:
        foreign: of each letter whether it is outside ASCII.
    """
    runs = [(kind, len([*run])) for kind, run in groupby(foreign)]
    if len(runs) == 1:
        return 0
    ends = (0, len(runs) - 1)
    return sum(
        length if length <= 2 else 1 + (place not in ends)
        for place, (is_foreign, length) in enumerate(runs)
        if is_foreign
    )


def _is_letter(character: str) -> bool:
    """Whether it is a letter, or a mark upon one, as vowels and tones of Thai are."""
    return character.isalpha() or unicodedata.category(character)[0] == "M"


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


def _small_letters_in(*languages: str) -> Callable[[str, str], float]:
    """Scores as `_letters_in`, and by how few are capitals: other tables have these at those places."""
    known = _letters_in(*languages)
    return lambda text, name: known(text, name) * (0.5 + 0.5 * share_of(text, _is_not_upper))


def _is_not_upper(character: str) -> bool:
    return not character.isupper()


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
    return known * (0.7 + 0.3 * share_of(text, _is_not_upper)) * _commonness(text, "оеаинті")


def _commonness(text: str, common: str) -> float:
    """1 where nearly half of the letters are the commonest ones of a language, else less: another table
    makes rare letters of them.
    """
    share = share_of(text, lambda c: c.lower() in common)
    return min(1.0, share / _SHARE_OF_COMMON) ** 2


def _with_common(common: str, known: Callable[[str, str], float]) -> Callable[[str, str], float]:
    """The score, and how common the letters are."""
    return lambda text, name: known(text, name) * _commonness(text, common)


def _western(text: str, name: str) -> float:
    """The share of letters of one Western language; of a file in several it is their common share."""
    together = 0.9 * _letters_in("".join(_OF_THE_WEST))(text, name)
    return max(_letters_in(*_OF_THE_WEST)(text, name), together)


_PRINTED_MARKS = "–—“”„‘’«»…€£§°·•©®™¡¿ºª½²\xa0"
_LATIN = ("cp1252", "cp1250", "cp1257", "iso8859_2", "cp1254", "mac_roman", "cp850")
_OF_THE_WEST = (
    *(
        "éèêëàâçùûüîïôœ",
        "äöüß",
        "áéíóúüñ",
        "ãõáéíóúâêôàç",
        "åäöæøé",
        "àèéìòù",
        "áæðéíóöúýþ",
        "äöõü",
    ),
    "ëéïóöüèê",
    "àèéíïòóúüç",
)
"""Letters of French, German, Spanish, Portuguese, the North, Italian, Icelandic, Estonian, Dutch and Catalan."""
_OF_THE_CENTRE = ("ąćęłńóśźż", "áčďéěíňóřšťúůýžľĺôä", "áéíóöőúüű", "ăâîşţ", "čćđšž")
_SHARE_OF_COMMON = 0.45
"""Least share of the seven or eight commonest letters: in Russian, Greek, Hebrew and Arabic they are over a half."""
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
    "koi8-u": _lower_cyrillic,
    "mac_cyrillic": _lower_cyrillic,
    "iso8859_5": _lower_cyrillic,
    "cp866": _lower_cyrillic,
    "cp1252": _western,
    "cp1250": _letters_in(*_OF_THE_CENTRE),
    "iso8859_2": _letters_in(*_OF_THE_CENTRE),
    "mac_roman": _small_letters_in(*_OF_THE_WEST),
    "cp850": _small_letters_in(*_OF_THE_WEST),
    "cp1253": _with_common(
        "αεηιοτσνάέήίό", _small_letters_in("αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋ")
    ),
    "cp1254": _letters_in("çğıöşüâî"),
    "cp1255": _with_common("יוהלארתמ", _letters_in("אבגדהוזחטיךכלםמןנסעףפץצקרשת")),
    "cp1256": _with_common("اليمنرتو", _letters_in("ابةتثجحخدذرزسشصضطظعغفقكلمنهوىيءآأؤإئ،؟")),
    "iso8859_6": _with_common("اليمنرتو", _letters_in("ابةتثجحخدذرزسشصضطظعغفقكلمنهوىيءآأؤإئ،؟")),
    "cp1257": _letters_in("ąčęėįšųūž", "āčēģīķļņšūž"),
    "cp874": _letters_in("กขคฆงจฉชซญฎฏฐฑณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮะาำเแโใไิีึืุู่้๊๋์ั็"),
}
"""Encodings of single countries, each with a score of how like its languages a text is."""


def nearly_utf8(data: bytes) -> bool:
    """Whether all but a few of the letters outside ASCII are UTF-8."""
    text = data.decode(UTF8, errors="replace")
    wrong = text.count("\ufffd")
    letters = sum(not character.isascii() for character in text)
    return wrong <= _FEW * letters


def has_halves(data: bytes) -> bool:
    """Whether the bytes are UTF-8 but for characters that are written as two halves of three bytes each."""
    if b"\xed" not in data:
        return False
    try:
        data.decode(UTF8, errors="surrogatepass")
    except UnicodeDecodeError:
        return False
    return not is_decodable(data, UTF8)


def is_mixed(data: bytes) -> bool:
    """Whether many lines with letters outside ASCII are UTF-8 and many are not; bytes of one country's table
    are hardly ever UTF-8 by chance.
    """
    lines = [line for line in data.splitlines() if not line.isascii()]
    others = len(other_lines(data))
    return 0 < others < _MOST_OTHERS * len(lines)


def other_lines(data: bytes) -> list[bytes]:
    """The lines that are not UTF-8."""
    return [line for line in data.splitlines() if not (line.isascii() or is_decodable(line, UTF8))]


def name_of(encoding: str) -> str:
    """The encoding as people call it."""
    return _NAMES.get(encoding, encoding.upper())


_NAMES = {
    "cp949": "CP949 (EUC-KR)",
    "cp932": "Shift JIS (CP932)",
    "mac_roman": "Mac Roman",
    "mac_cyrillic": "Mac Cyrillic",
    "iso8859_2": "ISO-8859-2",
    "iso8859_5": "ISO-8859-5",
    "iso8859_6": "ISO-8859-6",
    "euc_jp": "EUC-JP",
    "iso2022_jp": "ISO-2022-JP",
    "big5": "Big5",
    "utf-8-sig": "UTF-8 with a byte order mark",
    **{f"cp{number}": f"Windows-{number}" for number in range(1250, 1259)},
}
