"""Bits per byte equal an example by hand, and xz copies from the training text."""

import numpy as np
import pytest

from pipeline.metrics.bits_per_byte import bits_per_byte, text_bytes, xz_bits_per_byte


def test_bits_a_byte_count_utf8_and_the_end_of_each_text() -> None:
    sizes = text_bytes(["abc", "영화"])
    assert sizes.tolist() == [4, 7]
    assert bits_per_byte(np.log(2) * np.array([8.0, 14.0]), sizes) == pytest.approx(2.0)


def test_xz_pays_little_for_what_it_has_seen_and_much_for_noise() -> None:
    random = np.random.default_rng(0)
    noise = ["".join(chr(97 + c) for c in random.integers(0, 26, 400)) for _ in range(20)]
    assert xz_bits_per_byte(noise[:10], noise[:10]) < 0.3
    assert xz_bits_per_byte(noise[:10], noise[10:]) > 4
