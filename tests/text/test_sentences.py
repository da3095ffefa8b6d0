"""Documents are cut into sentences, in several scripts."""

import pytest

from pipeline.text.sentences import sentences


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            'Mr. Lee is J. R. Good! "Really?" Yes... 10 times\nNew line e.g. This',
            ["Mr. Lee is J. R. Good!", '"Really?"', "Yes...", "10 times", "New line e.g. This"],
        ),
        ("국이 짜다. 밥은 좋았다! 또 올까?", ["국이 짜다.", "밥은 좋았다!", "또 올까?"]),
        ("Суп остыл. Рис хорош.", ["Суп остыл.", "Рис хорош."]),
        ("汤凉了。饭很好！下次再来。", ["汤凉了。", "饭很好！", "下次再来。"]),
    ],
)
def test_sentences_end_at_marks_and_lines_but_not_at_abbreviations(
    text: str, parts: list[str]
) -> None:
    assert [*sentences(text)] == parts
