"""Sentences of running text, by punctuation.

A small splitter is enough here: a wrong cut gives a fragment to learn from, not a wrong label, and
word limits take most fragments out.
"""

import re
from collections.abc import Iterator

# The end of a sentence: its marks, closing quotes or brackets, white space, then a capital, digit or
# opening mark; a letter of a script without capitals (Hangul, kana, Han) will do. Or a full stop of
# Chinese or Japanese, which no space follows.
_END = re.compile(
    r"(?<![.!?…])(?P<marks>[.!?…]++[\"'”’)\]]*+)\s++"
    r"(?=[\"'“‘(\[]*[A-Z0-9Α-ΩА-Я\u3040-\u9fff\uac00-\ud7a3])"
    r"|(?P<stop>[。！？]++[」』”’)]*+)\s*+"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|Prof|Gen|Col|Capt|Lt|Sgt|Rev|Hon|vs|etc|cf|al|No|Vol|Pt|Mt|"
    r"approx|e\.g|i\.e)|(?<![A-Za-z])[A-Z])\.$"
)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text; a line break ends one too."""
    for line in text.split("\n"):
        start = 0
        for end in _END.finditer(line):
            marks = end.end("marks" if end["marks"] else "stop")
            if not _ABBREVIATION.search(line, max(start, marks - 12), marks):
                yield line[start:marks].strip()
                start = end.end()
        if rest := line[start:].strip():
            yield rest
