"""The comparison of two answers to one text."""

from dataclasses import asdict
from typing import Any

import pytest

from pipeline.judge.pairs import Answered, compare
from pipeline.problem.prediction import Prediction


def label(name: str, probability: float) -> Prediction:
    other = "negative" if name == "positive" else "positive"
    return Prediction(
        label=name,
        probability=probability,
        probabilities={name: probability, other: 1 - probability},
    )


def outcomes(first: Prediction | None, second: Prediction | None, **options: Any) -> Any:
    times = options.pop("times", (1.0, 1.0))
    champion = Answered(prediction=first, milliseconds=times[0])
    candidate = Answered(prediction=second, milliseconds=times[1])
    return compare(champion, candidate, **options).outcomes()


def test_equal_answers_are_even_in_every_stream() -> None:
    assert outcomes(label("positive", 0.9), label("positive", 0.9)) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("times", "expected"), [((1.0, 1.4), 0), ((1.0, 1.6), 1), ((1.6, 1.0), -1), ((1.4, 1.0), 0)]
)
def test_slower_is_over_one_and_a_half_times_the_others_time(
    times: tuple[float, float], expected: int
) -> None:
    same = label("positive", 0.9)
    assert outcomes(same, same, times=times)[1] == expected


def test_another_label_counts_against_the_candidate_alone() -> None:
    assert outcomes(label("positive", 0.9), label("negative", 0.9))[2] == 1


@pytest.mark.parametrize(
    ("first", "second", "sign"), [(0.9, 0.8, 1), (0.8, 0.9, -1), (0.9, 0.87, 0)]
)
def test_less_sure_is_lower_by_a_twentieth(first: float, second: float, sign: int) -> None:
    assert outcomes(label("positive", first), label("positive", second))[3] == sign


def test_a_failure_is_compared_as_a_failure_only() -> None:
    answer = label("positive", 0.9)
    assert outcomes(answer, None) == [1, None, None, None]
    assert outcomes(None, answer) == [-1, None, None, None]
    assert outcomes(None, None) == [0, None, None, None]


def test_numbers_are_the_same_within_a_twentieth_of_their_scale() -> None:
    def compared(value: float) -> Any:
        return outcomes(Prediction(value=3.0), Prediction(value=value), scale=(1.0, 5.0))

    assert compared(3.15) == [0, 0, 0, None]
    assert compared(3.25) == [0, 0, 1, None]


def test_several_labels_are_the_same_if_all_are() -> None:
    first = Prediction(labels=["a"], probabilities={"a": 0.9, "b": 0.2})
    second = Prediction(labels=["a", "b"], probabilities={"a": 0.9, "b": 0.6})
    assert outcomes(first, second)[2:] == [1, 1]


def test_a_pair_holds_nothing_of_the_text() -> None:
    answer = Answered(prediction=label("positive", 0.9), milliseconds=0.51234)
    assert asdict(compare(answer, answer)) == {
        "failed": (False, False),
        "milliseconds": (0.512, 0.512),
        "same_label": True,
        "confidence": (0.9, 0.9),
    }
