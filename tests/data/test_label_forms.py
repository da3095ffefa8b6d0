"""The labels of a column are told as people mean them, however they are written, or refused as what they are."""

from collections.abc import Mapping, Sequence

import pytest

from pipeline.core.errors import DataError
from pipeline.data.columns import describe
from pipeline.data.label_forms import LabelForm, likely_form


def form_of(counts: Mapping[str, int]) -> LabelForm:
    cells = [value for value, count in counts.items() for _ in range(count)]
    [column] = describe(["label"], [(n, {"label": cell}) for n, cell in enumerate(cells, 2)])
    return likely_form(column)


@pytest.mark.parametrize(
    ("counts", "labels"),
    [
        ({"good": 3, '["good"]': 4, '["bad"]': 2, "[]": 1}, {"good": 7, "bad": 2}),
        ({'["Good"]': 3, '["good"]': 4, '["bad"]': 2}, {"good": 7, "bad": 2}),
        ({"good": 3, "good\u200b": 2, "\ufeffbad": 1, "bad": 4}, {"good": 5, "bad": 5}),
        ({"very good": 3, "very\xa0 good ": 2, "bad": 4}, {"very good": 5, "bad": 4}),
        ({"İyi": 3, "iyi": 4, "KÖTÜ": 1, "kötü": 2}, {"iyi": 7, "kötü": 3}),
        ({"[good]": 3, "[bad]": 4}, {"[good]": 3, "[bad]": 4}),
        ({"good": 3, "\u202bgood\u202c": 2, "\u2067bad\u2069": 4}, {"good": 5, "bad": 4}),
        ({"1.00": 3, "1.0": 4, "0.00": 2, "0": 3}, {"1": 7, "0": 5}),
    ],
)
def test_spellings_of_one_label_are_one_label(
    counts: Mapping[str, int], labels: Mapping[str, int]
) -> None:
    form = form_of(counts)
    assert form.counts == labels
    for value in counts:
        if value != "[]":
            spelled = value.strip('["]') if '"' in value else value
            assert form.labelling.label_of(spelled) in labels


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('{"name": "mina"}', "line 2: label holds an object"),
        ('[{"annotator": "mina"}]', "line 2: label holds a list of objects"),
        ('[[0, 5, "mina"]]', "line 2: label holds a list of lists"),
        ("('mina',)", "line 2: label holds a list, tuple or set in Python's form"),
        ("['mina']", "line 2: label holds a list, tuple or set in Python's form"),
    ],
)
def test_what_is_no_label_is_refused_without_its_words(value: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        form_of({value: 3, "good": 9})
    assert message in str(caught.value)
    assert "mina" not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        ("1.234,56", "2.345,10", "12"),
        ("1 234,56", "900"),
        ("1\xa0234,5", "2\u202f345,1"),
        ("1'234.56", "2’345.10"),
        ("1,23,456", "12,34,567"),
        ("1.234.567", "4,5"),
    ],
)
def test_marks_between_thousands_of_other_countries_are_told(values: Sequence[str]) -> None:
    with pytest.raises(DataError, match=r"line 2: a number with a (comma|mark between thousands)"):
        form_of(dict.fromkeys(values, 2))


@pytest.mark.parametrize(
    "values",
    [
        ("[0, 1, 0]", "[1, 0, 0]"),
        ("[0.0, 1.0]", "[1.0, 0.0]"),
        ("[0, 1]", "[1, 1]", "[0, 0]"),
        ("[0.2, 0.8]", "[0.5, 0.5]", "[0.9, 0.1]"),
    ],
)
def test_numbers_that_stand_for_labels_by_their_places_are_told(values: Sequence[str]) -> None:
    with pytest.raises(DataError, match=r"line 2: label holds lists of [23] numbers"):
        form_of(dict.fromkeys(values, 20))


def test_lists_of_numbers_of_labels_and_lists_with_null_are_labels() -> None:
    assert form_of({"[0, 1]": 9, "[0]": 9, "[]": 2}).counts == {"0": 18, "1": 9}
    assert form_of({"[3, 7]": 9, "[7, 3]": 9, "[3, 5]": 2}).counts == {"3": 20, "7": 18, "5": 2}
    assert form_of({'["a", null]': 9, '["a", "b"]': 2}).counts == {"a": 11, "b": 2}


def test_labels_that_doccano_joins_are_several_and_names_with_a_sharp_are_not() -> None:
    assert form_of({"a": 9, "a#b": 9, "b#c": 2}).separator == "#"
    assert form_of({"C#": 9, "C": 9, "F#": 2}).separator is None


def test_commas_between_thousands_are_not_called_decimal() -> None:
    with pytest.raises(DataError, match="without commas: a comma may stand between thousands"):
        form_of({"1,000": 1, "1,037,500": 1, "12": 1})
    with pytest.raises(DataError, match="decimal comma"):
        form_of({"4,5": 1, "3,25": 1})
