"""The mistakes of the released model: the surest first, filtered, each with a control."""

from pathlib import Path

import pytest

from pipeline.annotation.mistakes import (
    Mistake,
    ValidationAnswers,
    Wanted,
    choices,
    fits,
    read_answers,
)
from tests.support.answered_rows import AnsweredRow, write_answers
from tests.support.labelling import row_id

GOOD, BAD = "good", "bad"


def read(folder: Path, *rows: AnsweredRow) -> ValidationAnswers:
    write_answers(folder / "answers.parquet", rows)
    return read_answers(folder / "answers.parquet")


def ids(found: ValidationAnswers) -> list[str]:
    return [each.row for each in found.mistakes]


def test_mistakes_come_the_surest_first(tmp_path: Path) -> None:
    rows = [
        AnsweredRow(number=number, label=GOOD, answer=answer, confidence=sure)
        for number, (answer, sure) in enumerate([(BAD, 0.6), (GOOD, 0.99), (BAD, 0.95)])
    ]
    found = read(tmp_path, *rows)
    assert ids(found) == [row_id(2), row_id(0)]
    assert found.labels == {row_id(number): GOOD for number in range(3)}


def test_test_rows_are_never_among_them(tmp_path: Path) -> None:
    test = AnsweredRow(number=1, label=GOOD, answer=BAD, split="test")
    found = read(tmp_path, test, AnsweredRow(number=2, label=GOOD, answer=BAD))
    assert ids(found) == [row_id(2)]
    assert test.id not in found.labels


def test_of_numbers_the_farther_half_is_looked_at(tmp_path: Path) -> None:
    rows = [
        AnsweredRow(number=0, label="1.0", answer="1.0", confidence=None),
        AnsweredRow(number=1, label="1.0", answer="7.0", confidence=None),
        AnsweredRow(number=2, label="2.0", answer="2.0", confidence=None),
    ]
    found = read(tmp_path, *rows)
    assert (ids(found), found.has_confidence) == ([row_id(1)], False)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), True),
        (Wanted(slice="short"), True),
        (Wanted(slice="long"), False),
        (Wanted(source="mail"), True),
        (Wanted(source="web"), False),
        (Wanted(label=GOOD, answer=BAD), True),
        (Wanted(label=BAD), False),
        (Wanted(least=0.8), True),
        (Wanted(most=0.8), False),
    ],
    ids=lambda value: str(value) if isinstance(value, bool) else None,
)
def test_a_filter_lets_through_what_is_wanted(wanted: Wanted, expected: bool) -> None:
    mistake = Mistake(row="a", label=GOOD, answer=BAD, confidence=0.9, score=0.0, slices=("short",))
    assert fits(mistake, wanted, source="mail") is expected


def test_choices_are_counted_the_commonest_first(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        AnsweredRow(number=0, label=GOOD, answer=BAD, slices=("short",)),
        AnsweredRow(number=1, label=BAD, answer=GOOD, slices=("short", "with negation")),
        AnsweredRow(number=2, label=GOOD, answer=BAD),
    )
    sources = {row_id(0): "web", row_id(1): "mail", row_id(2): "web"}
    assert choices(found.mistakes, sources) == {
        "slices": [{"name": "short", "rows": 2}, {"name": "with negation", "rows": 1}],
        "sources": [{"name": "web", "rows": 2}, {"name": "mail", "rows": 1}],
        "pairs": [
            {"label": GOOD, "answer": BAD, "rows": 2},
            {"label": BAD, "answer": GOOD, "rows": 1},
        ],
    }


def test_a_control_is_answered_right_and_has_the_label_of_the_mistake(tmp_path: Path) -> None:
    mistake, same, other, taken = (
        AnsweredRow(number=5, label=GOOD, answer=BAD),
        AnsweredRow(number=3, label=GOOD, answer=GOOD),
        AnsweredRow(number=6, label=BAD, answer=BAD),
        AnsweredRow(number=7, label=GOOD, answer=GOOD),
    )
    found = read(tmp_path, mistake, same, other, taken)
    [one] = found.mistakes
    assert found.control(one, taken=()) == taken.id  # the first after it
    assert found.control(one, taken=[taken.id]) == same.id
    assert found.control(one, taken=[taken.id, same.id]) == other.id
    assert found.control(one, taken=[taken.id, same.id, other.id]) is None
