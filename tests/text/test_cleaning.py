"""Cleaning removes markup and control characters, and keeps the text."""

import pytest

from pipeline.text.cleaning import clean


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("One.<br /><br />Two.", "One.\nTwo."),
        ("so <i>very</i> good", "so very good"),
        ("I <3 this: 1 < 2 > 0 <grin>", "I <3 this: 1 < 2 > 0 <grin>"),
        ("Tom &amp; Jerry &#8217; R&B", "Tom & Jerry ’ R&B"),
        ("wait\x85 \x00no\ttabs\ufeff", "wait… no tabs"),
        ("cafe\u0301", "café"),
        ("one\ntwo\n\nthree", "one two\nthree"),
    ],
)
def test_markup_and_control_characters_go_and_text_stays(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned
