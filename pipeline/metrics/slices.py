"""Parts of the rows that a model may serve worse: short and long texts, negation, each label."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from pipeline.core.artifacts.variant_reports import SliceReport
from pipeline.metrics.intervals import Draws, gap_interval
from pipeline.problem.probabilities import Mask, Values
from pipeline.problem.problem import Problem


@dataclass(frozen=True)
class Lengths:
    """Up to which length a text of a language is short, and from which it is long.

    Attributes:
        unit: what is counted: words between blanks, or characters that are letters or digits.
    """

    short: int
    long: int
    unit: Literal["words", "characters"] = "words"

    def of(self, text: str) -> int:
        """The length of a text in the unit."""
        return len(text.split()) if self.unit == "words" else sum(map(str.isalnum, text))


_SHORT_WORDS = 10
_LONG_WORDS = 28
_LENGTHS = Lengths(_SHORT_WORDS, _LONG_WORDS)
LENGTHS = MappingProxyType(
    {
        "Korean": Lengths(25, 70, "characters"),
        "Japanese": Lengths(25, 70, "characters"),
        "Chinese": Lengths(16, 45, "characters"),
        "Thai": Lengths(40, 110, "characters"),
    }
)
"""Language, as pipeline/text/scripts.py calls it → lengths that hold about as much as 10 and 28 words
of English, which all other languages are counted by."""

_ENGLISH = r"\b(?:not|no|never|nothing|nobody|nor|neither|without|hardly|barely|cannot)\b|n['’ ]t\b"
# 안 stands before its verb, apart or not; alone it also begins words such as 안내. 잘못 and 연못 are nouns.
_KOREAN = (
    r"않|없|아니|아닌|아닙|아닐|아녜|별로|결코|전혀|지 ?(?:마[세시라요]|말)|(?<![잘연])못"
    r"|(?<![가-힣])안(?:\s|돼|되|됐|된|됩|됨|좋|먹|했|해|하[고는지며면]|갔|왔|봤|맞|썼)"
)
# 少ない, 危ない, 切ない and 汚ない are no negations.
_JAPANESE = r"(?<![少危切汚])な(?:い|かっ|く[てなはも])|ません"
_HAN = r"[不没沒无無未勿]|非(?!常)"
_NEGATION = re.compile("|".join((_ENGLISH, _KOREAN, _JAPANESE, _HAN)), re.IGNORECASE)


def slice_masks(
    texts: Sequence[str],
    gold: Values,
    *,
    problem: Problem,
    labels: Sequence[str],
    language: str = "",
) -> dict[str, Mask]:
    """Slice → which rows belong to it, `(rows,)`: by length, by negation and by label.

    Negation is found in English, Korean, Japanese and Chinese.

    Args:
        texts: of a pair, both texts in one.
        gold: see `Values`.
        language: decides what a short and a long text is; see `LENGTHS`.
    """
    limits = LENGTHS.get(language, _LENGTHS)
    lengths = np.array([limits.of(text) for text in texts])
    masks: dict[str, Mask] = {
        f"at most {limits.short} {limits.unit}": lengths <= limits.short,
        f"at least {limits.long} {limits.unit}": lengths >= limits.long,
        "with negation": np.array([bool(_NEGATION.search(text)) for text in texts]),
    }
    return masks | problem.slices(gold, labels)


def slice_gaps(
    scores: NDArray[np.float64], masks: Mapping[str, Mask], *, min_rows: int, **draws: Unpack[Draws]
) -> list[SliceReport]:
    """Each slice with its rows, its mean score and its gap to all rows.

    A slice of fewer than `min_rows` rows is listed with null figures: they would say nothing.

    Args:
        scores: how well each row is answered, `(rows,)`.
    """
    reports = []
    for name, mask in masks.items():
        rows = int(mask.sum())
        if rows < min_rows:
            reports.append(SliceReport(name=name, rows=rows, score=None, gap=None, interval=None))
            continue
        gap = gap_interval(scores, mask, **draws)
        score = float(scores[mask].mean())
        reports.append(
            SliceReport(name=name, rows=rows, score=score, gap=gap.value, interval=gap.as_list())
        )
    return reports
