"""Words for groups of people, counted by label: which are far more frequent under one."""

import pytest

from pipeline.acceptance.term_findings import count_terms, leaning_terms, term_reports
from pipeline.text.identity_terms import chosen_terms
from pipeline.text.term_finding import TermFinder

FINDER = TermFinder(chosen_terms({}))
ROWS = [
    *[(["he and his son"], ["good"])] * 40,
    *[(["the man himself"], ["bad"])] * 40,
    *[(["a korean film"], ["bad"])] * 30,
    *[(["a french film", "she came"], ["good"])] * 30,
    *[(["a gay film"], ["bad"])] * 3,
    *[(["nobody"], ["good"])] * 30,
    *[(["nobody"], ["bad"])] * 27,
]
COUNTS = {"good": 100, "bad": 100}


def test_rows_are_counted_once_a_group_and_by_word_and_label() -> None:
    reports = {(r.kind, r.group): r for r in term_reports(count_terms(ROWS, FINDER), COUNTS)}
    men = reports["gender", "men"]
    assert (men.language, men.rows, men.labels) == ("English", 80, {"good": 40, "bad": 40})
    assert men.words == {"he": 40, "himself": 40, "his": 40, "man": 40, "son": 40}
    assert reports["gender", "women"].labels == {"good": 30, "bad": 0}
    assert set(reports) == {
        *[("gender", "men"), ("gender", "women"), ("origin", "Korean"), ("origin", "French")],
        ("orientation", "gay"),
    }


def test_a_group_or_a_word_that_is_far_more_frequent_under_a_label_is_named_with_an_interval() -> (
    None
):
    found = {
        (t.group, t.word): t for t in leaning_terms(count_terms(ROWS, FINDER), COUNTS, total=200)
    }
    korean = found["Korean", None]
    assert (korean.label, korean.rows) == ("bad", 30)
    assert korean.times == pytest.approx(2.0)
    assert 1.25 < korean.interval[0] < 2.0 <= korean.interval[1]
    assert found["men", "himself"].label == "bad"
    assert found["men", "he"].label == "good"


def test_groups_of_both_labels_and_words_of_few_rows_lean_to_none() -> None:
    leaning = {
        (t.group, t.word) for t in leaning_terms(count_terms(ROWS, FINDER), COUNTS, total=200)
    }
    assert ("men", None) not in leaning
    assert not any(group == "gay" for group, _ in leaning)
    assert ("Korean", "korean") not in leaning, (
        "all rows of the group hold the word: it is told once"
    )


def test_a_number_that_all_rows_have_is_no_label_to_lean_to() -> None:
    rows = [(texts, ["stars"]) for texts, _ in ROWS]
    assert leaning_terms(count_terms(rows, FINDER), {"stars": 200}, total=200) == []


def test_rows_may_come_one_by_one_and_without_any_there_is_nothing_to_report() -> None:
    assert count_terms(iter(ROWS), FINDER) == count_terms(ROWS, FINDER)
    assert term_reports(count_terms(iter(()), FINDER), COUNTS) == []
    assert leaning_terms(count_terms(iter(()), FINDER), COUNTS, total=0) == []
