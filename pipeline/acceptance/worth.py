"""Whether machine learning solves a problem, judged from the baselines before a model is trained.

The answer is one of four: a rule of a few words does it; nothing can be told from these texts; not
yet, and about how many labels are missing; yes.
"""

from pipeline.acceptance.findings import Findings
from pipeline.core.artifacts.data_reports import (
    BaselineVerdict,
    KeywordRule,
    LabelsOutlook,
    NoiseCeiling,
)
from pipeline.core.errors import CannotBeToldError
from pipeline.metrics.intervals import Interval
from pipeline.problem.problem import Problem

A_RULE, CANNOT_BE_TOLD, YES = "no: a rule does it", "no: cannot be told", "yes"
NOT_YET = "not yet: "
_OUT_OF_REACH = "not reachable by more labels"
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
        noise_ceiling=found.ceiling,
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


def in_short(verdict: BaselineVerdict) -> str:
    """The verdict as a headline: of `not yet` it says that this holds for the simple model alone."""
    waits = verdict.verdict.removeprefix(NOT_YET)
    if waits == verdict.verdict:
        return f"worth a model? {verdict.verdict}"
    if waits == _OUT_OF_REACH:
        return f"{verdict.best}, a simple model, gets there by no number of labels; a pretrained one may"
    return (
        f"{verdict.best}, a simple model, would need {waits}; a pretrained one usually needs fewer"
    )


def _answer(found: Findings, *, min_quality: float, min_gain: float) -> str:
    rule, quality = found.rule, found.quality[found.best].validation
    if rule and found.gain(rule.validation) >= min_gain and 0 < min_quality <= rule.validation:
        return A_RULE
    if found.gain(quality) < min_gain:
        return CANNOT_BE_TOLD
    if quality >= min_quality:
        return YES
    return f"{NOT_YET}{_more_labels(found.outlook)}"


def _more_labels(found: LabelsOutlook | None) -> str:
    """`3,900 more labels (1,200–9,800)`, or why there is no number."""
    if found is None:
        return "more labels, too few rows to tell how many"
    if found.more_labels is None:
        return _OUT_OF_REACH
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
    if answer.startswith(NOT_YET):
        sentences.append(
            f"min_quality is {min_quality:g}. 'Not yet' is said of {found.best}, a simple model that only counts "
            "words or their pieces. It says nothing of the pretrained teacher, which knows the language before it "
            "sees a label and usually needs fewer of them; so the build goes on and trains it."
        )
    if found.outlook:
        twice = Interval(found.outlook.after_twice, *found.outlook.after_twice_interval)
        sentences.append(
            f"After twice the labels {found.best} would have {metric} {twice.value:.3f} "
            f"({twice.low:.3f}–{twice.high:.3f})."
        )
        if (rows := found.outlook.measured[-1].labels) < found.outlook.train_rows:
            sentences.append(
                f"This was measured on {rows:,} of the {found.outlook.train_rows:,} train rows, to save time."
            )
    if found.ceiling:
        sentences += _ceiling_in_words(found.ceiling, metric, min_quality)
    return sentences


def _ceiling_in_words(found: NoiseCeiling, metric: str, min_quality: float) -> list[str]:
    """Sentences on the accuracy that people's agreement allows, and on whether `min_quality` asks for more."""
    low, high = found.interval
    told = (
        f"On {found.rows:,} rows that several people labelled they agree so often that a model without a mistake would "
        f"have accuracy {found.accuracy:.3f} ({low:.3f}–{high:.3f}) on labels of one person."
    )
    if metric != "accuracy" or min_quality <= high:
        return [told]
    return [
        told,
        f"min_quality {min_quality:g} is more than that: no model reaches it on such labels. Let several people "
        "label each row, or make the instructions clearer.",
    ]


def rule_in_words(rule: KeywordRule) -> str:
    """`"fine" or "warm" means positive, all else negative`."""
    parts = []
    for label, words in rule.words.items():
        quoted = " or ".join(f'"{word}"' for word in words)
        parts.append(f"{quoted} means {label}")
    rest = "all else no label" if rule.otherwise is None else f"all else {rule.otherwise}"
    return ", ".join([*parts, rest])
