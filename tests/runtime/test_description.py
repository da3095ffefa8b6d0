"""Golden requests notice another label, another probability and another set of labels."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.problem.prediction import Prediction
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.description import BundleDescription, GoldenRequest
from pipeline.runtime.task import Request
from pipeline.runtime.text_model import TextModel
from tests.support.tiny_bundle import make_tiny_bundle, tiny_task

Answering = tuple[BundleDescription, Callable[[Request], Prediction]]


def answering(folder: Path, **options: Any) -> Answering:
    """A tiny bundle's description, and the answers of its model."""
    make_tiny_bundle(folder, **options)
    bundle = open_bundle(folder)
    return bundle.description, TextModel.from_bundle(bundle, threads=1).answer


@pytest.fixture(name="tiny")
def make_tiny(tmp_path: Path) -> Answering:
    return answering(tmp_path / "bundle")


def with_first_answer(described: BundleDescription, **change: Any) -> BundleDescription:
    """The description with another answer to its first golden request."""
    first, *others = described.golden
    answer = replace(first.answer, **change)
    return replace(described, golden=(replace(first, answer=answer), *others))


def test_the_model_that_gave_the_answers_agrees_with_them(tiny: Answering) -> None:
    described, answer = tiny
    assert described.golden_differences(answer) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label": "negative"}, "label 'positive'"),
        ({"probabilities": {"negative": 0.5, "positive": 0.5}}, "probability of 'negative'"),
        ({"probabilities": {"positive": 1.0}}, "labels"),
        ({"probabilities": {"negative": float("nan"), "positive": float("nan")}}, "nan"),
    ],
)
def test_a_difference_is_named_with_the_number_of_its_request(
    tiny: Answering, change: dict[str, Any], reason: str
) -> None:
    described, answer = tiny
    failures = with_first_answer(described, **change).golden_differences(answer)
    assert failures
    assert all(failure.startswith("golden request 1: ") for failure in failures)
    assert reason in failures[0]


def test_another_model_fails_on_the_golden_answers(tiny: Answering, tmp_path: Path) -> None:
    _, other = answering(tmp_path / "other", seed=1)
    assert tiny[0].golden_differences(other)


@pytest.mark.parametrize(
    ("problem", "change"),
    [("multi_label", {"labels": ["negative"]}), ("regression", {"value": 99.0})],
)
def test_other_problems_have_golden_answers_too(
    tmp_path: Path, problem: str, change: dict[str, Any]
) -> None:
    described, answer = answering(tmp_path / "bundle", task=tiny_task(problem, pairs=True))
    assert described.golden_differences(answer) == []
    (failure,) = with_first_answer(described, **change).golden_differences(answer)
    assert "expected" in failure


def test_a_label_may_differ_if_its_probability_is_at_the_threshold(tmp_path: Path) -> None:
    described, _ = answering(tmp_path / "bundle", task=tiny_task("multi_label"))
    expected = Prediction(labels=["negative"], probabilities={"negative": 0.505, "positive": 0.1})
    found = Prediction(labels=[], probabilities={"negative": 0.495, "positive": 0.1})
    golden = (GoldenRequest(request="the film", answer=expected),)

    def differences(answer: Prediction, tolerance: float) -> list[str]:
        changed = replace(described, golden=golden, golden_tolerance=tolerance)
        return changed.golden_differences(lambda _: answer)

    assert differences(found, 0.02) == []
    assert differences(found, 0.001) != []
    assert differences(replace(expected, labels=["negative", "positive"]), 0.02) != []
