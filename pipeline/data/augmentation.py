"""Makes texts from the product's own for the teacher to label (Tang et al. 2019, Jiao et al. 2020).

They are closer to the domain than any corpus. They need not be good English: the student learns the
teacher's answer to each, whatever it is.
"""

import random
from collections.abc import Sequence

_REPLACED, _DROPPED = 0.1, 0.1
_CUT, _JOINED = 0.25, 0.25
_FEWEST_WORDS = 3
_TRIES = 3


def augmented(texts: Sequence[str], *, times: int, seed: int) -> list[tuple[int, str]]:
    """Up to `times` new texts from each text, as (number of the text, new text), all different.

    A quarter are a piece of the text, a quarter its beginning joined to the end of another. In all
    of them, one word in ten is dropped, and one in ten replaced by a random word of the texts.
    """
    chance = random.Random(seed)  # noqa: S311 - data for training, not a secret
    split = [text.split() for text in texts]
    words = [word for row in split for word in row]
    known, found = set(texts), []
    for number, row in enumerate(split):
        for _ in range(times):
            for _ in range(_TRIES):
                variant = " ".join(_edited(_reshaped(row, split, chance), words, chance))
                if variant and variant not in known:
                    known.add(variant)
                    found.append((number, variant))
                    break
    return found


def _reshaped(row: list[str], rows: list[list[str]], chance: random.Random) -> list[str]:
    """The words of a text, of a piece of it, or of its beginning and another text's end."""
    drawn = chance.random()
    if len(row) <= _FEWEST_WORDS or drawn >= _CUT + _JOINED:
        return row
    if drawn < _CUT:
        length = chance.randint(_FEWEST_WORDS, len(row) - 1)
        start = chance.randint(0, len(row) - length)
        return row[start : start + length]
    other = chance.choice(rows)
    return row[: chance.randint(1, len(row))] + other[chance.randint(0, len(other)) :]


def _edited(row: list[str], words: list[str], chance: random.Random) -> list[str]:
    """The words with some dropped and some replaced by random ones of `words`."""
    edited = []
    for word in row:
        drawn = chance.random()
        if drawn < _REPLACED:
            edited.append(chance.choice(words))
        elif drawn >= _REPLACED + _DROPPED:
            edited.append(word)
    return edited
