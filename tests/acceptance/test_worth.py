"""The verdict on whether machine learning solves a problem, in words."""

from typing import Any

import numpy as np
import pytest

from pipeline.acceptance.findings import MOST_LEARNED, Findings, first_rows, outlook
from pipeline.acceptance.worth import (
    in_short,
    judge_worth,
    refuse_what_cannot_be_told,
    rule_in_words,
)
from pipeline.core.artifacts.data_reports import (
    BaselineQuality,
    BaselineVerdict,
    KeywordRule,
    LabelsOutlook,
    NoiseCeiling,
)
from pipeline.core.errors import CannotBeToldError
from pipeline.core.variants import CHARACTERS, MAJORITY, NAIVE_BAYES, TFIDF
from pipeline.models.baselines import BaselineRows
from pipeline.problem.problems import problem_named

RULE = KeywordRule(words={"praise": ["fine", "warm"]}, otherwise="blame", validation=0.8)
GROWING = {100: [0.6, 0.62], 200: [0.66, 0.65], 400: [0.69, 0.71], 800: [0.73, 0.72], 1600: [0.75]}


def judged(
    *,
    characters: float = 0.75,
    rule: KeywordRule | None = None,
    min_quality: float = 0.7,
    labels: LabelsOutlook | None = None,
    ceiling: NoiseCeiling | None = None,
) -> BaselineVerdict:
    values = {MAJORITY: 0.5, TFIDF: 0.5, NAIVE_BAYES: 0.5, CHARACTERS: characters}
    found = Findings(
        quality={name: BaselineQuality(validation=of, test=0.0) for name, of in values.items()},
        regularisation={},
        rule=rule,
        outlook=labels,
        ceiling=ceiling,
    )
    problem = problem_named("classification")
    return judge_worth(
        found, min_quality=min_quality, min_gain=0.05, problem=problem, metric="accuracy"
    )


def expected(wanted: float, *, trained: int = 1600, **changes: Any) -> LabelsOutlook:
    found = outlook(GROWING, wanted=wanted, labelled=1.25, trained=trained, seed=1)
    assert found is not None
    return found.model_copy(update=changes)


def test_a_baseline_that_reaches_the_quality_is_a_yes() -> None:
    found = judged()
    assert (found.verdict, found.best, found.worth_a_model) == ("yes", CHARACTERS, True)


def test_a_product_that_asks_for_no_quality_is_a_yes_as_soon_as_something_is_learned() -> None:
    assert judged(characters=0.6, rule=RULE, min_quality=0.0).verdict == "yes"


def test_a_rule_of_words_that_reaches_the_quality_needs_no_model() -> None:
    found = judged(rule=RULE)
    assert found.verdict == "no: a rule does it"
    assert not found.worth_a_model
    assert '"fine" or "warm" means praise, all else blame' in found.reason
    refuse_what_cannot_be_told(found, min_gain=0.05)  # an answer, and the build goes on


def test_a_rule_that_is_no_better_than_the_commonest_label_is_none() -> None:
    constant = RULE.model_copy(update={"validation": 0.52})
    assert judged(rule=constant, min_quality=0.4).verdict == "yes"


def test_what_no_baseline_learns_cannot_be_told_and_ends_the_build_with_that_answer() -> None:
    found = judged(characters=0.53)
    assert found.verdict == "no: cannot be told"
    with pytest.raises(
        CannotBeToldError, match=r"no: cannot be told: .*0\.530 .* the majority class"
    ):
        refuse_what_cannot_be_told(found, min_gain=0.05)


def test_missing_labels_are_counted_over_all_splits_with_an_interval() -> None:
    found = expected(0.8)
    assert found.more_labels is not None
    assert found.at_least is not None
    assert found.at_least <= found.more_labels
    some = expected(0.8, more_labels=3912, at_least=1234, at_most=98_765)
    assert (
        judged(min_quality=0.8, labels=some).verdict == "not yet: 3,900 more labels (1,200–99,000)"
    )
    endless = some.model_copy(update={"at_most": None})
    assert judged(min_quality=0.8, labels=endless).verdict.endswith("(1,200–no end)")


def test_a_quality_out_of_reach_is_said_to_be_so() -> None:
    found = expected(0.8, more_labels=None, at_least=None, at_most=None)
    verdict = judged(min_quality=0.8, labels=found)
    assert verdict.verdict == "not yet: not reachable by more labels"
    assert verdict.worth_a_model


def test_too_few_rows_have_no_outlook() -> None:
    assert (
        outlook({20: [0.5], 30: [0.6], 40: [0.6]}, wanted=0.7, labelled=1.5, trained=40, seed=1)
        is None
    )
    assert judged(min_quality=0.8).verdict == "not yet: more labels, too few rows to tell how many"


def test_a_rule_for_each_label_leaves_the_rest_without_one() -> None:
    several = KeywordRule(words={"rude": ["fool"], "spam": ["buy"]}, otherwise=None, validation=0.9)
    words = '"fool" means rude, "buy" means spam, all else no label'
    assert rule_in_words(several) == words


def test_not_yet_is_said_of_the_simple_model_and_not_of_the_one_that_is_trained_next() -> None:
    some = expected(0.8, more_labels=3912, at_least=1234, at_most=98_765)
    found = judged(min_quality=0.8, labels=some)
    assert in_short(found) == (
        f"{CHARACTERS}, a simple model, would need 3,900 more labels (1,200–99,000); a pretrained one "
        "usually needs fewer"
    )
    assert "says nothing of the pretrained teacher" in found.reason
    assert in_short(judged()) == "worth a model? yes"
    assert in_short(judged(min_quality=0.8)).startswith(
        f"{CHARACTERS}, a simple model, would need more"
    )


def test_of_many_rows_a_sample_is_measured_and_the_labels_are_counted_from_all() -> None:
    few, many = expected(0.8), expected(0.8, trained=100_000)
    assert few.more_labels is not None
    assert many.more_labels == max(0, round(few.more_labels - 1.25 * (100_000 - 1600)))
    assert many.after_twice > few.after_twice
    told = judged(min_quality=0.8, labels=many).reason
    assert "measured on 1,600 of the 100,000 train rows" in told
    assert "train rows" not in judged(min_quality=0.8, labels=few).reason


def test_a_search_for_the_labels_needed_learns_from_no_more_rows_than_its_limit() -> None:
    texts = [f"text {number}" for number in range(MOST_LEARNED + 5)]
    ids = [f"{number:06}" for number in range(len(texts))]
    every = BaselineRows(ids, texts, np.zeros((len(texts), 1)))
    kept = first_rows({"train": every, "validation": every})
    assert (
        len(kept["train"].ids)
        == len(kept["train"].inputs)
        == len(kept["train"].targets)
        == MOST_LEARNED
    )
    assert kept["train"].ids == ids[:MOST_LEARNED]
    assert len(kept["validation"].ids) == len(ids)


def test_the_reason_says_how_good_a_model_can_look_on_labels_that_people_disagree_on() -> None:
    ceiling = NoiseCeiling(accuracy=0.88, interval=[0.85, 0.91], rows=240)
    told = judged(ceiling=ceiling)
    assert told.noise_ceiling == ceiling
    assert "On 240 rows" in told.reason
    assert "accuracy 0.880 (0.850–0.910) on labels of one person" in told.reason
    assert "no model reaches it" not in told.reason
    assert "no model reaches it" in judged(min_quality=0.92, ceiling=ceiling).reason
