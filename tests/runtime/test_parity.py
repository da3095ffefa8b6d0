"""Golden requests notice another label, another probability and another set of labels."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.classifier import Classifier
from pipeline.runtime.parity import check_golden
from tests.support.tiny_bundle import make_tiny_bundle

TOLERANCE = 1e-4


@pytest.fixture(name="pair")
def make_pair(tmp_path: Path) -> tuple[Classifier, list[dict[str, Any]]]:
    make_tiny_bundle(tmp_path / "bundle")
    bundle = open_bundle(tmp_path / "bundle")
    return Classifier.from_bundle(bundle, threads=1), [dict(golden) for golden in bundle.golden]


def test_the_model_that_gave_the_answers_agrees_with_them(
    pair: tuple[Classifier, list[dict[str, Any]]],
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
    pair: tuple[Classifier, list[dict[str, Any]]], change: dict[str, Any], reason: str
) -> None:
    classifier, golden = pair
    golden[0] |= change
    failures = check_golden(classifier, golden, TOLERANCE)
    assert failures
    assert all(failure.startswith("golden request 1: ") for failure in failures)
    assert reason in failures[0]


def test_another_model_fails_on_the_golden_answers(
    pair: tuple[Classifier, list[dict[str, Any]]], tmp_path: Path
) -> None:
    make_tiny_bundle(tmp_path / "other", seed=1)
    other = Classifier.from_bundle(open_bundle(tmp_path / "other"), threads=1)
    assert check_golden(other, pair[1], TOLERANCE)
