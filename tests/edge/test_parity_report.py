"""What counts as the same answer, and when a folder may be published."""

from dataclasses import replace

import pytest

from pipeline.edge.parity_report import Answered, Compared, Parity, compared
from pipeline.problem.prediction import Prediction


def answer(label: str = "a", share: float = 0.75, **more: bool) -> Prediction:
    return Prediction(label=label, probabilities={"a": share, "b": 1 - share}, **more)


def read(ids: list[int], said: Prediction | None, *, truncated: bool = False) -> Answered:
    return Answered([ids], said, truncated)


REFUSED = Answered(None, None, truncated=False)


def compare(own: Answered, other: Answered, tolerance: float = 0.1) -> Compared:
    return compared(["text"], [own], [other], tolerance=tolerance)


def test_the_same_ids_and_the_same_label_are_the_same() -> None:
    found = compare(read([1, 2], answer()), read([1, 2], answer(share=0.5)))
    assert (found.ids, found.answered, found.labels, found.apart) == (1, 1, 1, ())
    assert found.largest_difference == 0.25


@pytest.mark.parametrize(
    "other",
    [read([1, 3], answer()), read([1, 2], answer(), truncated=True), REFUSED],
    ids=["another id", "cut", "refused"],
)
def test_another_id_a_cut_or_a_refusal_differs_and_is_shown(other: Answered) -> None:
    found = compare(read([1, 2], answer()), other)
    assert (found.ids, found.apart) == (0, (("text",),))


def test_a_text_that_both_refuse_is_read_alike_and_not_answered() -> None:
    found = compare(REFUSED, REFUSED)
    assert (found.ids, found.answered, found.labels) == (1, 0, 0)


@pytest.mark.parametrize(
    "other", [answer("b"), answer(abstained=True)], ids=["another label", "abstained"]
)
def test_another_label_or_an_abstention_is_another_answer(other: Prediction) -> None:
    assert compare(read([1], answer()), read([1], other)).labels == 0


@pytest.mark.parametrize(("value", "same"), [(3.05, 1), (3.2, 0)])
def test_numbers_within_the_tolerance_are_one_answer(value: float, same: int) -> None:
    pair = (read([1], Prediction(value=3.0)), read([1], Prediction(value=value)))
    assert compare(*pair).labels == same


def all_alike(count: int) -> Compared:
    return Compared(
        requests=count, ids=count, answered=count, labels=count, largest_difference=0.0, apart=()
    )


PARITY = Parity(
    sentences=all_alike(1000),
    hostile=all_alike(200),
    golden=(3, 3),
    timed_tokens=32,
    milliseconds=(0.5, 1.0, 1.5, 9.0),
    started_ms=200.0,
    browser="Chromium",
)


@pytest.mark.parametrize(
    ("parity", "passed"),
    [
        (PARITY, True),
        (replace(PARITY, sentences=replace(all_alike(1000), labels=994)), True),
        (replace(PARITY, sentences=replace(all_alike(1000), labels=993)), False),
        (replace(PARITY, hostile=replace(all_alike(200), ids=199)), False),
        (replace(PARITY, golden=(2, 3)), False),
    ],
    ids=["alike", "six other answers", "seven other answers", "other ids", "golden"],
)
def test_ids_and_golden_answers_are_the_same_and_199_of_200_others(
    parity: Parity, passed: bool
) -> None:
    assert parity.passed is passed
    assert parity.as_dict()["passed"] is passed


def test_the_report_says_ids_answers_and_milliseconds() -> None:
    text = "\n".join(PARITY.lines())
    assert "token ids 1,000 of 1,000" in text
    assert "1.50 ms at 32 tokens (95 %: 9.00)" in text
