"""Gold items: read from what the lead wrote, ten a person, open at eight right."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.annotation.assignment import Assignment
from pipeline.annotation.events import Event
from pipeline.annotation.gold_items import GoldItem, items_for, read_gold, standing_of
from pipeline.core.errors import DataError
from tests.support.labelling import LABELS, PRODUCT, row_id

ITEMS = tuple(GoldItem(id=row_id(number), label=LABELS[number % 2]) for number in range(30))


def _asked(problem: str, labels: tuple[str, ...] = LABELS) -> Assignment:
    return Assignment(product=PRODUCT, problem=problem, labels=labels)


def _read(tmp_path: Path, text: str, asked: Assignment) -> tuple[GoldItem, ...]:
    path = tmp_path / "gold.yaml"
    path.write_text(text, encoding="utf-8")
    return read_gold(path, asked)


def _answer(item: GoldItem, *, right: bool) -> Event:
    wrong = next(label for label in LABELS if label != item.label)
    return Event(uid="u", event="gold", row=item.id, labels=(item.label if right else wrong,))


@pytest.mark.parametrize(
    ("problem", "answer", "right", "wrong"),
    [
        ("classification", "label: complaint", {"labels": ("complaint",)}, {"labels": ("question",)}),
        ("multi_label", "labels: [question, complaint]", {"labels": LABELS}, {"labels": LABELS[:1]}),
        ("multi_label", "labels: []", {"labels": ()}, {"labels": LABELS[:1]}),
        ("regression", "number: 3\n  within: 0.5", {"number": 3.5}, {"number": 3.6}),
    ],
    ids=["a label", "several labels", "none of several", "a number"],
)  # fmt: skip
def test_each_kind_of_answer_may_be_gold(
    tmp_path: Path, problem: str, answer: str, right: dict[str, Any], wrong: dict[str, Any]
) -> None:
    asked = _asked(problem, ("stars",) if problem == "regression" else LABELS)
    (item,) = _read(tmp_path, f"- id: {row_id(1)}\n  {answer}\n  why: so\n", asked)
    assert (item.id, item.why) == (row_id(1), "so")
    assert item.is_right(Event(uid="u", event="gold", row=item.id, **right))
    assert not item.is_right(Event(uid="u", event="gold", row=item.id, **wrong))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- id: 0000000000000001\n  label: praise\n", "item 1: the label 'praise'"),
        ("- id: 0000000000000001\n", "item 1"),
        ("- id: row\n  label: complaint\n", "item 1: the row 'row'"),
        ("- label: complaint\n", "no key 'id'"),
        ("- id: 0000000000000001\n  lable: complaint\n", "lable"),
        ("- id: a1\n  label: [a\n", "gold.yaml"),
        ("label: complaint\n", "gold.yaml"),
        ("- {id: 0000000000000001, label: question}\n" * 2, "twice"),
    ],
    ids=["another label", "no answer", "no id", "id missing", "a typo", "no YAML", "no list", "twice"],
)  # fmt: skip
def test_what_is_no_gold_item_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError) as error:
        _read(tmp_path, text, _asked("classification"))
    assert said in error.value.got


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    assert read_gold(tmp_path / "gold.yaml", _asked("classification")) == ()


def test_a_person_gets_ten_and_others_get_other_ones() -> None:
    ann, bob = items_for("p1", ITEMS), items_for("p2", ITEMS)
    assert len({*ann}) == len({*bob}) == 10
    assert {*ann} != {*bob}
    assert items_for("p1", reversed(ITEMS)) == ann
    assert len(items_for("p1", ITEMS[:3])) == 3


def test_the_queue_opens_at_eight_right_of_ten_wrong_ones_may_be_given_again() -> None:
    items = items_for("p1", ITEMS)
    answers = [_answer(item, right=number < 7) for number, item in enumerate(items)]
    found = standing_of(items, answers)
    assert (found.right, found.needed, found.passed) == (7, 8, False)
    found = standing_of(items, [*answers, _answer(items[9], right=True)])
    assert (found.right, found.right_at_first, found.passed) == (8, 7, True)
    found = standing_of(items, [*answers, _answer(items[0], right=False)])
    assert (found.right, found.passed) == (6, False)


def test_answers_to_items_that_are_gold_no_more_do_not_count() -> None:
    found = standing_of(ITEMS[:2], [_answer(ITEMS[5], right=True)])
    assert (found.right, found.as_json()["answered"], found.needed) == (0, 0, 2)
