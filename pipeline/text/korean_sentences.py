"""Splits Korean text into sentences by its morphemes, also where no mark stands: `좋았어요 다음에 또 살게요`.

Kiwi finds where a sentence ends (Lee 2024, "Kiwi: Developing a Korean Morphological Analyzer Based on Statistical
Language Models and Skip-Bigram"). It is an optional package: `pip install -c constraints.txt '.[korean]'`.
"""

import importlib
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from pipeline.core.errors import DataError
from pipeline.text.sentences import sentences

MARKS, KIWI = "marks", "kiwipiepy"
_HANGUL = re.compile(r"[가-힣]")


def splitter(name: str) -> Callable[[str], Iterator[str]]:
    """The function that yields the sentences of a text, as `prepare.sentence_ends` names it.

    Raises:
        DataError: its package is not installed.
    """
    if name == MARKS:
        return sentences
    _kiwi()
    return _by_morphemes


def _by_morphemes(text: str) -> Iterator[str]:
    """Yields the sentences of a text; a line without Hangul ends its sentences at marks."""
    for line in text.split("\n"):
        if not _HANGUL.search(line):
            yield from sentences(line)
            continue
        for found in _kiwi().split_into_sents(line):
            if sentence := found.text.strip():
                yield sentence


@cache
def _kiwi() -> Any:
    """Kiwi with its model, which takes a second to load; one worker, so that equal texts are cut alike."""
    try:
        return importlib.import_module(KIWI).Kiwi(num_workers=1)
    except ImportError as error:
        raise DataError(
            "the package kiwipiepy is not installed",
            expected=f"it, for prepare.sentence_ends is {KIWI}",
            next_step="run `.venv/bin/pip install -c constraints.txt '.[korean]'`, or set"
            f" prepare.sentence_ends to {MARKS}",
        ) from error
