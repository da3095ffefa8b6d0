"""n-gram models with interpolated modified Kneser-Ney smoothing (Chen and Goodman 1999).

The baseline that a neural language model has to beat. Counts are sorted arrays, so that a text of
millions of tokens is counted and scored in seconds.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class _Order:
    """The n-grams of one length.

    Attributes:
        keys: `context number · vocabulary + token`, sorted; an n-gram's number is its index here.
        discounted: (count − discount) / total of the context, `(n-grams,)`.
        left_over: the probability that a context gives to shorter n-grams, `(contexts,)`.
    """

    keys: Ints
    discounted: Floats
    left_over: Floats


class KneserNey:
    """The probability of a token given the `order − 1` tokens before it.

    Args:
        stream: token ids of the training documents, each followed by `boundary`.
        boundary: the token before and after every document; no context crosses it.
    """

    def __init__(
        self, stream: NDArray[Any], *, order: int, vocabulary_size: int, boundary: int
    ) -> None:
        self._vocabulary, self._boundary = vocabulary_size, boundary
        tokens = _framed(stream, boundary)
        numbers, contexts = [tokens], _contexts(tokens, boundary=boundary, order=order)
        keys: list[Ints] = [np.arange(vocabulary_size)]
        for n in range(1, order):
            found = _keys(numbers[-1], tokens, vocabulary_size)
            unique, places = np.unique(found[contexts[n]], return_inverse=True)
            found[contexts[n]] = places
            numbers.append(found)
            keys.append(unique)
        self._orders = []
        for n in range(order):
            counts = np.bincount(numbers[n][contexts[n]], minlength=len(keys[n])).astype(float)
            if n + 1 < order:
                counts = _continuations(
                    counts, numbers[n], longer=numbers[n + 1], inside=contexts[n + 1]
                )
            self._orders.append(self._smooth(keys[n], counts, len(keys[n - 1]) if n else 1))

    def _smooth(self, keys: Ints, counts: Floats, contexts: int) -> _Order:
        context = keys // self._vocabulary if contexts > 1 else np.zeros_like(keys)
        totals = np.maximum(np.bincount(context, weights=counts, minlength=contexts), 1.0)
        discounts = _discounts(counts)[np.minimum(counts, 3).astype(np.int64)]
        taken = np.bincount(context, weights=discounts, minlength=contexts)
        left_over = np.where(taken > 0, taken / totals, 1.0)
        return _Order(keys, (counts - discounts) / totals[context], left_over)

    def nats(self, stream: NDArray[Any]) -> Floats:
        """The nats of each token of a stream, boundaries included, `(tokens,)`."""
        tokens = _framed(stream, self._boundary)
        contexts = _contexts(tokens, boundary=self._boundary, order=len(self._orders))
        first = self._orders[0]
        probability = first.discounted[tokens] + first.left_over[0] / self._vocabulary
        numbers, known = tokens, np.ones(len(tokens), dtype=bool)
        for order, inside in zip(self._orders[1:], contexts[1:], strict=True):
            context = _before(numbers)
            usable = inside & _before(known)
            wanted = _keys(numbers, tokens, self._vocabulary)
            places = np.minimum(np.searchsorted(order.keys, wanted), len(order.keys) - 1)
            known = usable & (order.keys[places] == wanted)
            share = order.left_over[np.where(usable, context, 0)]
            higher = np.where(known, order.discounted[places], 0.0)
            probability = np.where(usable, higher + share * probability, probability)
            numbers = np.where(known, places, 0)
        costs: Floats = -np.log(probability[1:])
        return costs


def _framed(stream: NDArray[Any], boundary: int) -> Ints:
    return np.concatenate([[boundary], stream.astype(np.int64)])


def _before(values: NDArray[Any]) -> NDArray[Any]:
    """The values shifted by one place; the first is 0."""
    return np.concatenate([np.zeros(1, dtype=values.dtype), values[:-1]])


def _keys(numbers: Ints, tokens: Ints, vocabulary: int) -> Ints:
    """The keys of the n-grams, one token longer, that end at each place."""
    return _before(numbers) * vocabulary + tokens


def _contexts(tokens: Ints, *, boundary: int, order: int) -> list[Mask]:
    """For n = 0 … `order − 1`: the places whose n preceding tokens are a valid context.

    A boundary may be the first token of a context, but not a later one.
    """
    inside = [np.arange(len(tokens)) > 0]
    reach = np.ones(len(tokens), dtype=bool)
    for _ in range(1, order):
        inside.append(_before(reach))
        reach = (tokens != boundary) & _before(reach)
    return inside


def _continuations(counts: Floats, numbers: Ints, *, longer: Ints, inside: Mask) -> Floats:
    """Kneser-Ney counts of shorter n-grams: the number of distinct tokens seen before each.

    N-grams that start with a boundary have no token before them and keep their plain counts.
    """
    _, first = np.unique(longer[inside], return_index=True)
    ends = np.flatnonzero(inside)[first]
    different = np.bincount(numbers[ends], minlength=len(counts)).astype(float)
    return np.where(different > 0, different, counts)


def _discounts(counts: Floats) -> Floats:
    """The discounts of counts 0, 1, 2, and 3 or more (Chen and Goodman, equation 26)."""
    seen = [float(np.sum(counts == k)) for k in range(1, 5)]
    if min(seen) == 0:  # too little text for an estimate
        return np.array([0.0, 0.5, 0.75, 0.9])
    y = seen[0] / (seen[0] + 2 * seen[1])
    return np.array([0.0, *(k - (k + 1) * y * seen[k] / seen[k - 1] for k in (1, 2, 3))])
