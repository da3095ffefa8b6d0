"""Whether machine learning solves a problem, judged from the baselines before a model is trained.

The answer is one of four: a rule of a few words does it; nothing can be told from these texts; not
yet, and about how many labels are missing; yes.
"""

from pipeline.acceptance.findings import Findings
from pipeline.core.artifacts.data_reports import BaselineVerdict, KeywordRule, LabelsOutlook
from pipeline.core.errors import CannotBeToldError
from pipeline.metrics.intervals import Interval
from pipeline.problem.problem import Problem

A_RULE, CANNOT_BE_TOLD, YES = "no: a rule does it", "no: cannot be told", "yes"
_DIGITS = 2


def judge_worth(
    found: Findings, *, min_quality: float, min_gain: float, problem: Problem, metric: str
) -> BaselineVerdict:
    """The verdict, decided on validation by the product's metric."""
    best, constant = found.best, problem.words.constant_answer
    quality = found.quality[best].validation
    gain = found.gain(quality)
    answer = _answer(found, min_quality=min_quality, min_gain=min_gain)
    reached = f"{best} reaches {metric} {quality:.3f} on validation, {gain:+.3f} from {constant}"
    return BaselineVerdict(
        verdict=answer,
        worth_a_model=answer not in (A_RULE, CANNOT_BE_TOLD),
        best=best,
        quality_metric=metric,
        gain_over_majority=gain,
        reason=" ".join([f"{reached}.", *_reasons(answer, found, metric, min_quality)]),
        quality=dict(found.quality),
        regularisation=dict(found.regularisation),
        rule=found.rule,
        outlook=found.outlook,
    )


def refuse_what_cannot_be_told(verdict: BaselineVerdict, *, min_gain: float) -> None:
    """Ends the build where no baseline learned anything; that is an answer, not a fault.

    Raises:
        CannotBeToldError: the verdict is `no: cannot be told`.
    """
    if verdict.verdict != CANNOT_BE_TOLD:
        return
    raise CannotBeToldError(
        f"{verdict.verdict}: {verdict.reason}",
        expected=f"a gain of at least {min_gain} (baseline.min_gain)",
        next_step="look whether labels fit the texts (artifacts/validate/data_card.md), "
        "collect more rows, or lower the limit if you know that words alone cannot tell",
    )


def _answer(found: Findings, *, min_quality: float, min_gain: float) -> str:
    rule, quality = found.rule, found.quality[found.best].validation
    if rule and found.gain(rule.validation) >= min_gain and 0 < min_quality <= rule.validation:
        return A_RULE
    if found.gain(quality) < min_gain:
        return CANNOT_BE_TOLD
    if quality >= min_quality:
        return YES
    return f"not yet: {_more_labels(found.outlook)}"


def _more_labels(found: LabelsOutlook | None) -> str:
    """`3,900 more labels (1,200–9,800)`, or why there is no number."""
    if found is None:
        return "more labels, too few rows to tell how many"
    if found.more_labels is None:
        return "not reachable by more labels"
    low = _rounded(found.at_least or 0)
    high = "no end" if found.at_most is None else _rounded(found.at_most)
    return f"{_rounded(found.more_labels)} more labels ({low}–{high})"


def _rounded(number: int) -> str:
    """A number with two digits that count: 3,900."""
    return f"{round(number, _DIGITS - len(str(number))):,}"


def _reasons(answer: str, found: Findings, metric: str, min_quality: float) -> list[str]:
    """Sentences on what the answer rests on."""
    sentences = []
    if found.rule:
        told = f"The rule: {rule_in_words(found.rule)}: {metric} {found.rule.validation:.3f}."
        needless = f" min_quality is {min_quality:g}: a model is not needed for it."
        sentences.append(told + (needless if answer == A_RULE else ""))
    if answer.startswith("not yet"):
        sentences.append(
            f"min_quality is {min_quality:g}. The number of labels is what {found.best} would need: a "
            "pretrained model usually needs fewer, so the build goes on."
        )
    if found.outlook:
        twice = Interval(found.outlook.after_twice, *found.outlook.after_twice_interval)
        sentences.append(
            f"After twice the labels {found.best} would have {metric} {twice.value:.3f} "
            f"({twice.low:.3f}–{twice.high:.3f})."
        )
    return sentences


def rule_in_words(rule: KeywordRule) -> str:
    """`"fine" or "warm" means positive, all else negative`."""
    parts = []
    for label, words in rule.words.items():
        quoted = " or ".join(f'"{word}"' for word in words)
        parts.append(f"{quoted} means {label}")
    rest = "all else no label" if rule.otherwise is None else f"all else {rule.otherwise}"
    return ", ".join([*parts, rest])
