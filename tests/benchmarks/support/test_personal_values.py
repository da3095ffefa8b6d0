"""The drawn values of every kind are found where they stand, beside Korean particles too."""

import random

import pytest

from benchmarks.support.personal_values import value_of
from pipeline.data.personal_data import spans
from pipeline.data.personal_kinds import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_drawn_values_are_found_as_their_kind_at_their_exact_places(kind: str) -> None:
    chance = random.Random(3)  # noqa: S311 - test data, not a secret
    before = "계좌번호는 " if kind == "bank_account" else "자료는"
    for _ in range(50):
        value = value_of(kind, chance)
        places = [(span.kind, span.start, span.end) for span in spans(f"{before}{value}으로")]
        assert places == [(kind, len(before), len(before) + len(value))]
