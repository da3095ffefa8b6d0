"""Golden requests notice another label, another probability and another set of labels."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.problem.prediction import Prediction
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.golden import GoldenRequest, differences
from pipeline.runtime.golden_check import check_golden
from pipeline.runtime.text_model import TextModel
from tests.support.tiny_bundle import make_tiny_bundle, tiny_task

TOLERANCE = 1e-4


@pytest.fixture(name="pair")
def make_pair(tmp_path: Path) -> tuple[TextModel, list[GoldenRequest]]:
    make_tiny_bundle(tmp_path / "bundle")
    bundle = open_bundle(tmp_path / "bundle")
    return TextModel.from_bundle(bundle, threads=1), [*bundle.golden]


def answered(golden: GoldenRequest, **change: Any) -> GoldenRequest:
    """The golden request with another answer."""
    return replace(golden, answer=replace(golden.answer, **change))


def test_the_model_that_gave_the_answers_agrees_with_them(
    pair: tuple[TextModel, list[GoldenRequest]],
) -> None:
    assert check_golden(*pair, TOLERANCE) == []


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
    pair: tuple[TextModel, list[GoldenRequest]], change: dict[str, Any], reason: str
) -> None:
    model, golden = pair
    golden[0] = answered(golden[0], **change)
    failures = check_golden(model, golden, TOLERANCE)
    assert failures
    assert all(failure.startswith("golden request 1: ") for failure in failures)
    assert reason in failures[0]


def test_another_model_fails_on_the_golden_answers(
    pair: tuple[TextModel, list[GoldenRequest]], tmp_path: Path
) -> None:
    make_tiny_bundle(tmp_path / "other", seed=1)
    other = TextModel.from_bundle(open_bundle(tmp_path / "other"), threads=1)
    assert check_golden(other, pair[1], TOLERANCE)


@pytest.mark.parametrize("problem", ["multi_label", "regression"])
def test_other_problems_have_golden_answers_too(tmp_path: Path, problem: str) -> None:
    make_tiny_bundle(tmp_path / "bundle", task=tiny_task(problem, pairs=True))
    bundle = open_bundle(tmp_path / "bundle")
    model = TextModel.from_bundle(bundle, threads=1)
    assert check_golden(model, bundle.golden, TOLERANCE) == []
    changed: dict[str, Any] = (
        {"value": 99.0} if problem == "regression" else {"labels": ["negative"]}
    )
    failures = check_golden(model, [answered(bundle.golden[0], **changed)], TOLERANCE)
    assert len(failures) == 1
    assert "expected" in failures[0]


def test_a_label_may_differ_if_its_probability_is_at_the_threshold() -> None:
    probabilities = {"negative": 0.505, "positive": 0.1}
    golden = Prediction(labels=["negative"], probabilities=probabilities)
    answer = Prediction(labels=[], probabilities={"negative": 0.495, "positive": 0.1})
    task = tiny_task("multi_label")
    assert differences(answer, golden, task=task, tolerance=0.02) == []
    assert differences(answer, golden, task=task, tolerance=0.001) != []
    wrong = replace(golden, labels=["negative", "positive"])
    assert differences(wrong, golden, task=task, tolerance=0.02) != []
