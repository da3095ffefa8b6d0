"""Splits Korean text into sentences by its morphemes, also where no mark stands: `좋았어요 다음에 또 살게요`.

Kiwi finds where a sentence ends (Lee 2024, "Kiwi: Developing a Korean Morphological Analyzer Based on Statistical
Language Models and Skip-Bigram"). It is an optional package: `pip install -c constraints.txt '.[korean]'`.
"""

import importlib.util
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from pipeline.core.errors import DataError
from pipeline.text.sentences import sentences

MARKS, KIWI = "marks", "kiwipiepy"
INSTALL = ".venv/bin/pip install -c constraints.txt '.[korean]'"
"""The command that installs Kiwi."""
_HANGUL = re.compile(r"[가-힣]")
# A word that ends a sentence, not as 필요, 중요, 주요, 수요 do, and goes on with another word.
_UNMARKED = re.compile(
    r"(?:(?<![필중주수])요|[니한는었았했였왔갔됐졌이]다|죠)[ \t]+(?=[가-힣A-Za-z0-9])"
)


def splitter(name: str) -> Callable[[str], Iterator[str]]:
    """The function that yields the sentences of a text, as `prepare.sentence_ends` names it.

    Raises:
        DataError: its package is not installed.
    """
    if name == MARKS:
        return sentences
    _kiwi()
    return _by_morphemes


def is_installed() -> bool:
    """Whether Kiwi is there."""
    return importlib.util.find_spec(KIWI) is not None


def unmarked_share(texts: Iterable[str]) -> float:
    """The share of the texts in which a Korean sentence ends without a mark and another word follows.

    Some endings of polite and of plain sentences are looked for, so this is the least that it can be.
    """
    found = [bool(_UNMARKED.search(text)) for text in texts]
    return sum(found) / max(len(found), 1)


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
            next_step=f"run `{INSTALL}`, or set prepare.sentence_ends to {MARKS}",
        ) from error
