"""Splits running text into sentences, by punctuation.

A simple splitter is enough here: a wrong cut gives an unlabelled fragment, not a wrong label, and
limits on the number of words remove most fragments.
"""

import re
from collections.abc import Iterator

# A sentence ends with its marks, closing quotes or brackets and white space, before a capital, a
# digit, an opening mark or a letter of a script without capitals (Hangul, kana, Han); or with a
# Chinese or Japanese full stop, which needs no space after it.
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
    """Yields the sentences of a text; a line break also ends a sentence."""
    for line in text.split("\n"):
        start = 0
        for end in _END.finditer(line):
            marks = end.end("marks" if end["marks"] else "stop")
            if not _ABBREVIATION.search(line, max(start, marks - 12), marks):
                yield line[start:marks].strip()
                start = end.end()
        if rest := line[start:].strip():
            yield rest
