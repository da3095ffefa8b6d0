"""The examples of a bundle: those that the product names, or else short validation texts."""

from pipeline.runtime.task import examples_of

LONG = "word " * 60


def test_named_examples_are_taken_as_they_are() -> None:
    assert examples_of(["One.", "Two."], ["A text."], []) == ["One.", "Two."]
    assert examples_of([["Is it?", "It is."]], ["A"], ["B"]) == [("Is it?", "It is.")]


def test_without_any_the_first_short_texts_are_taken() -> None:
    texts = [LONG, *(f"Text {number}." for number in range(9))]
    assert examples_of([], texts, []) == [f"Text {number}." for number in range(6)]


def test_long_texts_are_taken_where_there_are_no_others() -> None:
    assert examples_of([], [LONG, "Short."], []) == ["Short.", LONG]


def test_pairs_are_shown_as_pairs() -> None:
    assert examples_of([], ["Is it?", LONG], ["It is.", "No."]) == [
        ("Is it?", "It is."),
        (LONG, "No."),
    ]
