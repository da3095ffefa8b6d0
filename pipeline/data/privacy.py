"""Counts texts with personal data that a pattern finds: e-mail, web and telephone addresses."""

import re
from collections.abc import Iterable

# Patterns find most personal data, not all; the data card says so.
PATTERNS = {
    "email": re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+\b"),
    "url": re.compile(r"\b(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE),
    "phone": re.compile(
        r"(?<![\w.])(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)[ .-]?|\d{2,4}[ .-])\d{3,4}[ .-]\d{3,4}(?!\w)"
    ),
}


def personal_data(texts: Iterable[str]) -> dict[str, int]:
    """Kind of personal data → how many of the texts contain it."""
    counts = dict.fromkeys(PATTERNS, 0)
    for text in texts:
        for kind, pattern in PATTERNS.items():
            counts[kind] += pattern.search(text) is not None
    return counts
