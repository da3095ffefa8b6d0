"""Texts on which a browser is compared with Python: sentences, and strings made to be misread."""

import random
import sys
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from pipeline.core.errors import DataError

_LONGEST_SENTENCE = 40
_LONGEST_HOSTILE = 30
_SURROGATES = range(0xD800, 0xE000)
_ENDS = (0x80, 0x250, 0x800, 0x3000, 0x10000, 0x20000, sys.maxunicode + 1)
_MARKS = (
    *range(0x300, 0x370),
    *range(0x8D3, 0x1000),
    *range(0x1B00, 0x1C00),
    *range(0x11000, 0x11800),
)
_PIECES = (
    *("good", "Film", "I'm", "don't", "naïve", "straße", "ẞ", "ﬁne", "İstanbul", "ıI", "ΑΣ", "ΣΑΣ.", "ς", "Å", "Ω"),
    *("배송", "뷁", "ㅋㅋ", "映画", "ガラス", "ｶﾞﾗｽ", "々", "豈", "𠀀", "हिन्दी", "வேண்டும்", "หนังดีมาก", "مَرْحَبًا", "می\u200cخواهم"),
    *("e\u0301", "\u0301", "\u0316\u0301", "\u1107\u1162\u11af", "\u11a8", "\u3099", "\u0344", "\u0f73", "\u0340", "\u212b"),
    *("<br />", "</p>", "<b>", "<grin>", "<", ">", "< p", "<3", "&", "&amp;", "&lt;", "&lt;br /&gt;", "&gt;", "<bloc\u212aquote>"),
    *("&#133;", "&#x200d;", "&shy;", "&nbsp;", "&eacute;", "!&lt;/p&gt;", "&amp;amp;lt;", "&notit;", "&#0;", "&#55296;", "&#9999999;"),
    *(" ", "  ", "\n", "\n\n", "\r\n", "\t", "\v", "\f", "\x1c", "\x1f", "\x85", "\xa0", "\u2028", "\u3000", "\u180e"),
    *("\x00", "\x7f", "\x80", "\x9d", "\xad", "\u200b", "\u2060", "\ufeff", "\ufffd", "\uffff", "\U000f0000", "\U0010fffd"),
    *("\u202e", "\u3164", "\uffa0", "\u034f", "\u115f", "\u200d", "\u200c", "\ufe0f", "\U000e0100", "\U000e0001"),
    *("❤\ufe0f", "👩\u200d💻", "🏴\U000e0067\U000e007f", "👍🏽", "🫨", "★", "…", "“", "—", "、", "。", "！", "·", "€", "²", "Ⅷ", "㎞", "ﷺ"),
    *(".", ",", "-", "_", "'", "`", "(", "/", "@", "$", "^", "|", "~", "１０", "constructor", "__proto__", "toString"),
    *("x" * 101, "가" * 101, "\u0301\u0316" * 20, "ab" * 50, "\u2014" * 40, "word " * 200, "<b" * 9, "&" * 9),
)  # fmt: skip


def sentences(tokenizer: Tokenizer, count: int, *, own: Sequence[str] = ()) -> list[str]:
    """The first of the team's `own` texts, and for the rest words drawn from the tokenizer's vocabulary.

    The same each time.
    """
    chance = random.Random(11)  # noqa: S311
    words = sorted(filter(None, (_spoken(tokenizer, at) for at in tokenizer.get_vocab().values())))
    drawn = (
        " ".join(chance.choices(words, k=chance.randint(1, _LONGEST_SENTENCE)))
        for _ in range(max(count - len(own), 0))
    )
    return [*own[:count], *drawn]


def hostile_texts(count: int, *, special: Sequence[str]) -> list[str]:
    """Strings of odd pieces, of combining marks, or drawn from all of Unicode; the same each time.

    Args:
        special: the tokenizer's own tokens, which a text may hold as they are written.
    """
    chance = random.Random(13)  # noqa: S311
    pieces = (*_PIECES, *special)

    def text(number: int) -> str:
        size = chance.randint(1, _LONGEST_HOSTILE)
        parts = chance.choices(pieces, k=size)
        if number % 3 == 1:
            parts += [_drawn(chance, chance.choice(_ENDS)) for _ in range(size)]
            chance.shuffle(parts)
        elif number % 3 == 2:
            parts = ["a", *(chr(chance.choice(_MARKS)) for _ in range(size)), chance.choice(parts)]
        return chance.choice(("", "", " ")).join(parts)

    return [text(number) for number in range(count)]


def read_texts(file: Path) -> list[str]:
    """The texts of a file, one a line, in UTF-8; empty lines are left out.

    Raises:
        DataError: it cannot be read, or has no text.
    """
    try:
        found = [line for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(f"{file}: {error}") from error
    if not found:
        raise _unreadable(f"{file} without a text")
    return found


def _unreadable(got: str) -> DataError:
    return DataError(
        got, expected="texts in UTF-8, one a line", next_step="give another --texts FILE"
    )


def _spoken(tokenizer: Tokenizer, number: int) -> str:
    return str(tokenizer.decode([number])).removeprefix("##").strip()


def _drawn(chance: random.Random, end: int) -> str:
    code = chance.randrange(end)
    return "?" if code in _SURROGATES else chr(code)
