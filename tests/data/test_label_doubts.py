"""Labels that may be none, or not what people wrote, are told of; others are not."""

import pytest

from pipeline.data.label_doubts import doubts, doubts_of_cells


def test_words_for_no_label_errors_of_formulas_and_dates_are_told() -> None:
    told = "\n".join(doubts({"good": 9, "N/A": 4, "#REF!": 3, "3-Jan": 8, "1월 2일": 5, "godo": 1}))
    assert "'N/A' (4 rows) may mean that there is none" in told
    assert "'#REF!' (3 rows) is an error of a spreadsheet's formula" in told
    assert "dates of labels: 3-Jan, 1월 2일" in told
    assert "fewer than 3 rows, perhaps misspelled: godo" in told


@pytest.mark.parametrize("label", ["\\N", ".", "undefined", "TBD", "–", "없음", "Unlabeled"])
def test_a_word_that_may_mean_no_label_is_told(label: str) -> None:
    assert "may mean that there is none" in "\n".join(doubts({"good": 9, label: 8}))


@pytest.mark.parametrize(
    "date", ["01. Mrz", "1. Mär", "01-mars", "01-avr", "01-mar", "2026-03-01", "3/1/2026", "Okt 03"]
)
def test_dates_that_excel_makes_in_other_countries_are_told(date: str) -> None:
    assert f"dates of labels: {date}" in "\n".join(doubts({"2-4": 9, date: 8}))


@pytest.mark.parametrize("label", ["go\x08od", "\x1b[31mgood", "n\ufffdgatif"])
def test_labels_with_what_is_no_letter_are_told(label: str) -> None:
    assert "holds what is no letter" in "\n".join(doubts({"bad": 9, label: 8}))


def test_letters_of_greek_and_curled_apostrophes_look_alike_too() -> None:
    told = "\n".join(doubts({"Alpha": 9, "\u0391lpha": 9, "don't": 8, "don\u2019t": 8}))
    assert told.count("look alike") == 2


def test_plain_labels_are_not_doubted() -> None:
    assert [*doubts({"2026-01-01": 9, "2026-01-02": 9})] == []
    assert [*doubts({"good": 9, "C++": 4, "👍": 3, "1-2": 7})] == []
    assert [*doubts({"+": 9, "-": 9})] == []
    assert [*doubts({"a": 1, "b": 2})] == []


def test_a_header_that_stands_again_and_the_word_null_are_told() -> None:
    cells = [("One two", "good"), ("text", "label"), ("Three", "null"), ("Four", "NaN")]
    cells.append(("\ufefftext", "label"))
    rows = [(n, {"text": text, "label": label}) for n, (text, label) in enumerate(cells, 2)]
    told = "\n".join(doubts_of_cells(rows, text="text", label="label"))
    assert "stand again in line 3 (2 rows)" in told
    assert "the word 'null' in label (1 row) counts as no label" in told
    assert "the word 'NaN' in label (1 row) counts as no label" in told


def test_labels_that_look_alike_are_told_with_the_letter_that_differs() -> None:
    told = "\n".join(
        doubts({"bad": 9, "b\u0430d": 4, "non-fiction": 3, "non–fiction": 5, "❤": 7, "❤️": 8})
    )
    assert "'bad' and 'b\u0430d' look alike (cyrillic small letter a)" in told
    assert "'non-fiction' and 'non–fiction' look alike (en dash)" in told
    assert "'❤' and '❤️' look alike (variation selector-16)" in told


def test_a_label_twice_in_one_list_is_told() -> None:
    rows = [(n, {"text": "One two", "label": '["good", "good", "bad"]'}) for n in (2, 3)]
    told = "\n".join(doubts_of_cells(rows, text="text", label="label"))
    assert "twice in one list, as in line 2 (2 rows)" in told
