"""A text is found inside another only word for word."""

from pipeline.text.bare_words import bare_words
from pipeline.text.containment import containing, equal_pairs


def test_containment_is_word_for_word() -> None:
    haystacks = [bare_words(t) for t in ("I said: a warm, funny film it is!", "A warm funny filmy")]
    needles = ["a warm funny film", "warm funny", ""]
    assert containing(haystacks, needles) == [(0, 0)]
    assert containing(haystacks, needles, min_words=1) == [(0, 0), (0, 1), (1, 1)]
    assert equal_pairs(["a", "b", ""], ["b", ""]) == [(1, 0)]
