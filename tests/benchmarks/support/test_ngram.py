"""Kneser-Ney's probabilities add up, equal hand-counted ones, and predict known sequences."""

import numpy as np
import pytest

from benchmarks.support.ngram import KneserNey

END, VOCABULARY = 0, 7


def stream(*documents: list[int]) -> np.ndarray:
    return np.array([token for document in documents for token in [*document, END]])


def some_text(count: int, *, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return stream(*(random.integers(1, VOCABULARY, 9).tolist() for _ in range(count)))


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("context", [[], [2], [2, 3, 1], [6, 6, 6, 6, 6]])
def test_probabilities_of_all_next_tokens_add_up_to_one(order: int, context: list[int]) -> None:
    model = KneserNey(some_text(40), order=order, vocabulary_size=VOCABULARY, boundary=END)
    total = sum(np.exp(-model.nats(np.array([*context, token]))[-1]) for token in range(VOCABULARY))
    assert total == pytest.approx(1.0)


def test_a_bigram_is_what_the_formula_gives_by_hand() -> None:
    # Too little text for estimated discounts: they are 0.5, 0.75 and 0.9.
    model = KneserNey(stream([1, 2], [1, 3]), order=2, vocabulary_size=4, boundary=END)
    # Bigrams: ^1 (twice), 12, 13, 2$, 3$; different tokens before 1: one, 2: one, 3: one, $: two.
    continuation = (1 - 0.5) / 5 + (3 * 0.5 + 0.75) / 5 / 4
    expected = (1 - 0.5) / 2 + (0.5 + 0.5) / 2 * continuation
    assert np.exp(-model.nats(np.array([1, 2]))[1]) == pytest.approx(expected)


def test_a_longer_context_predicts_a_repeating_text_better() -> None:
    text = stream(*[[1, 2, 3, 1, 2, 4] * 3] * 20)
    costs = [
        KneserNey(text, order=n, vocabulary_size=VOCABULARY, boundary=END).nats(text).mean()
        for n in (1, 2, 3, 4)
    ]
    assert costs == sorted(costs, reverse=True)
    assert costs[3] < 0.3 * costs[0]


def test_no_context_reaches_across_the_end_of_a_document() -> None:
    model = KneserNey(some_text(40), order=5, vocabulary_size=VOCABULARY, boundary=END)
    alone = model.nats(stream([2, 3, 4]))
    behind_another = model.nats(stream([6, 5, 1], [2, 3, 4]))
    assert behind_another[4:] == pytest.approx(alone)


def test_a_text_never_seen_costs_more_and_stays_finite() -> None:
    model = KneserNey(stream(*[[1, 2, 3]] * 50), order=5, vocabulary_size=VOCABULARY, boundary=END)
    assert model.nats(stream([1, 2, 3])).mean() < 0.2
    assert np.isfinite(model.nats(stream([6, 5, 4, 6]))).all()
    assert model.nats(stream([6, 5, 4, 6])).mean() > 2
