"""Augmented texts are new, use the product's own words, and repeat for the same seed."""

from pipeline.data.augmentation import augmented

TEXTS = [f"a {word} film about {thing} that never quite ends" for word in ("dull", "warm", "odd")
         for thing in ("a clock", "two wolves", "the sea")]  # fmt: skip


def test_variants_are_new_and_made_of_the_texts_words() -> None:
    found = augmented(TEXTS, times=20, seed=1)
    variants = [text for _, text in found]
    assert len(set(variants)) == len(variants) > 15 * len(TEXTS)
    assert not set(variants) & set(TEXTS)
    words = {word for text in TEXTS for word in text.split()}
    assert {word for text in variants for word in text.split()} <= words
    assert {number for number, _ in found} == set(range(len(TEXTS)))


def test_most_words_of_a_text_stay_in_order() -> None:
    """A variant shares more with its own text than a text shares with another."""

    def share(variant: str, text: str) -> float:
        own = set(variant.split())
        return len(own & set(text.split())) / len(own)

    found = augmented(TEXTS, times=20, seed=1)
    own = [share(text, TEXTS[number]) for number, text in found]
    other = [share(text, TEXTS[(number + 4) % len(TEXTS)]) for number, text in found]
    assert sum(own) > sum(other)


def test_a_seed_decides_and_no_variants_can_be_asked_for() -> None:
    assert augmented(TEXTS, times=3, seed=1) == augmented(TEXTS, times=3, seed=1)
    assert augmented(TEXTS, times=3, seed=1) != augmented(TEXTS, times=3, seed=2)
    assert augmented(TEXTS, times=0, seed=1) == []
    # A text with nothing to vary yields what it can.
    assert len(augmented(["alone"], times=5, seed=1)) <= 1
