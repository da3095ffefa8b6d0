"""Times contenders in interleaved rounds, and collects their answers."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.support.field import Contender
from benchmarks.support.peer_table import Place, Right, Times
from benchmarks.support.peers import PeerError
from benchmarks.support.turns import Turn
from pipeline.core.progress import Progress, say
from pipeline.training.labelled_rows import read_split

_WARM_UP = 5


def race(
    contenders: Mapping[str, Contender],
    texts: Mapping[int, list[str]],
    *,
    threads: Iterable[int],
    rounds: int,
    requests: int,
) -> dict[str, dict[Place, Times]]:
    """The milliseconds of each contender at each place, in interleaved, rotating rounds.

    A peer whose process ends is dropped from then on, and from the result.
    """
    there = {name: entry.engine for name, entry in contenders.items() if entry.engine is not None}
    found: dict[str, dict[Place, list[list[float]]]] = {name: {} for name in there}
    for count in threads:
        with ExitStack() as stack:
            takes = {name: stack.enter_context(each.turns(count)) for name, each in there.items()}
            progress = Progress(f"latency, {count} threads", rounds * len(texts))
            for number in range(rounds * len(texts)):
                tokens = list(texts)[number % len(texts)]
                turn = Turn(texts[tokens], requests, _WARM_UP)
                for name in rotated(list(takes), number):
                    try:
                        taken = takes[name](turn)
                    except PeerError as error:
                        say(f"{name}  left out: {error}")
                        del takes[name], there[name], found[name]
                    else:
                        found[name].setdefault((count, tokens), []).append(taken)
                progress.update(number + 1)
    return {
        name: {place: np.array(times) for place, times in by_place.items()}
        for name, by_place in found.items()
    }


def rotated(names: list[str], number: int) -> list[str]:
    """The names rotated by `number` places."""
    start = number % len(names)
    return names[start:] + names[:start]


def answers(contenders: Mapping[str, Contender], records: Path) -> dict[str, Right]:
    """The correct answers of each contender on the test rows, `(1, rows)`."""
    test = read_split(records, "test")
    found: dict[str, Right] = {}
    for name, contender in contenders.items():
        if contender.engine is None:
            continue
        try:
            with contender.engine.turns(1) as take:
                right = np.array(take(Turn(test.texts))) == test.label_ids
        except PeerError as error:
            say(f"{name}  left out: {error}")
        else:
            found[name] = right[None].astype(np.float64)
            say(f"{name}  accuracy {right.mean():.4f} on {len(test.ids)} rows")
    return found


def joined(parts: Sequence[Mapping[str, Right]], *, axis: int) -> dict[str, Right]:
    """Concatenates along `axis` (0: seeds, 1: rows), for contenders that are in all parts."""
    shared = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: np.concatenate([part[name] for part in parts], axis=axis) for name in shared}
