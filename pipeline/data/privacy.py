"""Personal data that a pattern can see: addresses of e-mail and the web, telephone numbers."""

import re
from collections.abc import Iterable

# Patterns find most and not all; the data card says so.
PATTERNS = {
    "email": re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+\b"),
    "url": re.compile(r"\b(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE),
    "phone": re.compile(
        r"(?<![\w.])(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)[ .-]?|\d{2,4}[ .-])\d{3,4}[ .-]\d{3,4}(?!\w)"
    ),
}


def personal_data(texts: Iterable[str]) -> dict[str, int]:
    """How many of the texts hold each kind of personal data."""
    counts = dict.fromkeys(PATTERNS, 0)
    for text in texts:
        for kind, pattern in PATTERNS.items():
            counts[kind] += pattern.search(text) is not None
    return counts
