"""Random texts of what a fast path may get wrong: scripts, marks, entities, tags, controls, emoji, long runs."""

import random
import sys

_PIECES = [
    *("good", "Film", "USA.", "I'm", "naïve", "É", "straße", "ﬁne", "İstanbul", "배송", "이 정말", "뷁", "ㅋㅋ"),
    *("映画", "ガラス", "ｶﾞﾗｽ", "々", "हिन्दी", "வேண்டும்", "หนังดีมาก", "مَرْحَبًا", "می\u200cخواهم", "Ωμέγας"),
    *("привет", "Й", "e\u0301", "\u0301", "\u0316\u0301", "\u1107\u1162\u11af", "\u11a8", "\u3099", "\u0344"),
    *("<br />", "</p>", "<b>", "<grin>", "<", ">", "< p", "<3", "&", "&amp;", "&lt;", "&lt;br /&gt;", "&gt;"),
    *("&#133;", "&#x200d;", "&shy;", "&nbsp;", "&eacute;", "!&lt;/p&gt;", "&Lt;b/&GT;", ";", "#"),
    *(" ", "  ", "\n", "\n\n", " \n \n ", "\r\n", "\t", "\v", "\f", "\x1c", "\x1f", "\x85", "\xa0", "\u2028"),
    *("\u3000", "\u2009", "\x00", "\x7f", "\x80", "\x93", "\x9d", "\xad", "\u200b", "\u2060", "\ufeff", "\uffff"),
    *("\u202e", "\u3164", "\uffa0", "\u034f", "\u115f", "\u200d", "\u200c", "\ufe0f", "\U000e0100", "\ud800"),
    *("❤", "❤\ufe0f", "👩\u200d💻", "🏴\U000e0067\U000e007f", "👍🏽", "★", "…", "“", "”", "—", "、", "。", "！", "·"),
    *(".", ",", "-", "_", "'", "`", "(", ")", "/", "+", ":", "::", "@", "://", "www.", "WWW.", "wWw.", "Www."),
    *("1", "10/10", "8.5", "2001", "12345678", "010-1234-5678", "０１０", "＠", "：", "900101-1234568", "192.168.0.12"),
    *("1.2.3.4", "fe80::1ff:fe23:4567:890a", "1:2:3:4:5:6:7:8", "12:30:45", "hong@naver.com", "ｗｗｗ．a.kr"),
    *("https://example.org/a_(b)", "www.example.co.kr", "M123A4567", "GB29NWBK60161331926819", "4111 1111 1111 1111"),
    *("x" * 40, " " * 40, "\u0301\u0316" * 20, "\u2014" * 40, "\n" * 9, "<b" * 9, "5" * 20, "가" * 30, "ﷺ", "㎞"),
]  # fmt: skip


def odd_texts(count: int, *, longest: int = 30) -> list[str]:
    """Texts of 1 to `longest` such pieces, or of characters drawn from all of Unicode; the same each time."""
    chance = random.Random(7)  # noqa: S311
    texts = []
    for number in range(count):
        size = chance.randrange(1, longest + 1)
        pieces = chance.choices(_PIECES, k=size)
        if number % 3 == 0:
            most = chance.choice([0x80, 0x180, 0x3000, 0x10000, sys.maxunicode + 1])
            pieces += [chr(chance.randrange(most)) for _ in range(size)]
            chance.shuffle(pieces)
        texts.append(chance.choice(["", "", " "]).join(pieces))
    return texts
