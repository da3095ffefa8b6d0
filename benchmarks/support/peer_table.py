"""Comparisons of compressed models: ratios with their intervals, and one table. Pure functions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.intervals import bootstrap_interval, proportion_interval
from pipeline.metrics.latency import summarise

Right = NDArray[np.float64]
"""1 where a row is answered correctly, else 0, `(seeds, rows)`."""
Times = NDArray[np.float64]
"""Milliseconds, `(rounds, requests)`."""
Place = tuple[int, int]
"""Threads, and tokens of a text."""

TEACHER, LINEAR, STUDENT = "teacher-torch", "nblr", "student-torch"
HARD_LABELS, MODEL2VEC, OPTIMUM = "hard-labels", "model2vec", "optimum-int8"
_CONFIDENCE, _RESAMPLES, _SEED = 0.95, 2000, 0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The measurements of one model; None or missing where there is none, and `note` says why.

    Attributes:
        bytes, zipped: size of the weights file, and its size after zlib.
    """

    right: Right | None = None
    bytes: int | None = None
    zipped: int | None = None
    times: Mapping[Place, Times] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A ratio or a difference; one that follows from file sizes has no interval."""

    value: float
    interval: tuple[float, float] | None = None


def figures(
    measured: Mapping[str, Measured], *, release: str, place: Place
) -> dict[str, Figure | None]:
    """All comparisons of the release, by name; None where a side was not measured.

    Args:
        release: `<model>-<precision>` of an ONNX model; `measured` has its other precision, too.
        place: threads and tokens at which speed is compared.
    """
    model, precision = release.split("-")
    same = f"teacher-{precision}"
    sides = _Sides(measured, release, place)
    ours, teacher, linear = (sides.right(name) for name in (release, TEACHER, LINEAR))
    found = {
        "quality_kept": share_kept(ours, teacher),
        "gap_closed": gap_closed(ours, teacher, baseline=linear),
        "times_smaller": sides.smaller(TEACHER),
        "times_faster": sides.faster(TEACHER),
        "times_smaller_same_precision": sides.smaller(same),
        "times_faster_same_runtime": sides.faster(same),
        "int8_drop_points": sides.points(f"{model}-fp32", f"{model}-int8"),
        "vs_hard_labels_points": sides.points(release, HARD_LABELS),
        "vs_model2vec_points": sides.points(release, MODEL2VEC),
        "distilled_vs_hard_labels_points": sides.points(STUDENT, HARD_LABELS),
        "times_faster_at_best_threads": sides.faster(TEACHER, best=True),
        "times_faster_same_runtime_at_best_threads": sides.faster(same, best=True),
        "teacher_int8_drop_points": sides.points("teacher-fp32", "teacher-int8"),
    }
    for peer in (OPTIMUM, MODEL2VEC, LINEAR):
        if peer in measured:
            found[f"times_smaller_than_{peer}"] = sides.smaller(peer)
            found[f"times_faster_than_{peer}"] = sides.faster(peer)
            found[f"vs_{peer}_points"] = sides.points(release, peer)
    return found


@dataclass(frozen=True)
class _Sides:
    """The sides of each comparison, by name; the first is the release unless named."""

    measured: Mapping[str, Measured]
    release: str
    place: Place

    def right(self, name: str) -> Right | None:
        return self.measured[name].right if name in self.measured else None

    def points(self, first: str, second: str) -> Figure | None:
        return points(self.right(first), self.right(second))

    def smaller(self, other: str) -> Figure | None:
        ours, theirs = (self.measured[name].bytes for name in (self.release, other))
        return None if ours is None or theirs is None else Figure(theirs / ours)

    def faster(self, other: str, *, best: bool = False) -> Figure | None:
        """At the place of comparison, or with `best` at each side's best number of threads."""
        ours, theirs = (self._times(name, best=best) for name in (self.release, other))
        return None if ours is None or theirs is None else times_faster(ours, theirs)

    def _times(self, name: str, *, best: bool) -> Times | None:
        times = self.measured[name].times
        if not best:
            return times.get(self.place)
        found = [taken for place, taken in times.items() if place[1] == self.place[1]]
        return min(found, key=lambda taken: summarise(taken).p50, default=None)


def points(first: Right | None, second: Right | None) -> Figure | None:
    """The difference of two accuracies in percentage points, paired over rows."""
    return _resampled(lambda one, other: 100 * (one - other), first, second)


def share_kept(small: Right | None, large: Right | None) -> Figure | None:
    """The ratio of two accuracies, paired over rows."""
    return _resampled(lambda one, other: one / other, small, large)


def gap_closed(
    small: Right | None, large: Right | None, *, baseline: Right | None
) -> Figure | None:
    """The share of the gap between `baseline` and `large` that `small` closes, paired over rows.

    None if `large` is no better than `baseline`: there is no gap.
    """
    if small is None or large is None or baseline is None or large.mean() <= baseline.mean():
        return None
    # In a resample without a gap, the gap counts as one row.
    least = 1 / small.shape[1]
    return _resampled(
        lambda one, top, foot: (one - foot) / max(top - foot, least), small, large, baseline
    )


def times_faster(ours: Times, theirs: Times) -> Figure:
    """The ratio of their median latency to ours, with an interval from resampled rounds."""
    our_middles, their_middles = np.median(ours, axis=1), np.median(theirs, axis=1)
    found = bootstrap_interval(
        lambda rounds: float(np.median(their_middles[rounds]) / np.median(our_middles[rounds])),
        len(our_middles),
        confidence=_CONFIDENCE,
        resamples=_RESAMPLES,
        seed=_SEED,
    )
    return Figure(found.value, (found.low, found.high))


def _resampled(statistic: Callable[..., float], *sides: Right | None) -> Figure | None:
    """`statistic` of accuracies, with an interval from resampled seeds and rows.

    Seeds are paired: a student was distilled from the teacher with the same seed. None if a side
    was not measured.
    """
    rights = [right for right in sides if right is not None]
    if len(rights) < len(sides):
        return None
    seeds, rows = rights[0].shape
    random = np.random.default_rng(_SEED)

    def value(drawn: NDArray[np.int64], chosen: NDArray[np.int64]) -> float:
        cells = np.ix_(drawn, chosen)
        return float(statistic(*(right[cells].mean() for right in rights)))

    found = [
        value(random.integers(0, seeds, (seeds,)), random.integers(0, rows, (rows,)))
        for _ in range(_RESAMPLES)
    ]
    tail = (1 - _CONFIDENCE) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return Figure(value(np.arange(seeds), np.arange(rows)), (float(low), float(high)))


def table(measured: Mapping[str, Measured], places: Sequence[Place], *, release: str) -> str:
    """One line per model: accuracy with its interval, megabytes, p50/p95 ms at each place."""
    head = ["", "accuracy", "95 % interval", "MB", "zipped"]
    head += [f"{threads}×{tokens}" for threads, tokens in places]
    lines = [head]
    for name, entry in measured.items():
        line = [f"{name} *" if name == release else name, *_accuracy(entry.right)]
        line += [_megabytes(entry.bytes), _megabytes(entry.zipped)]
        for place in places:
            found = summarise(entry.times[place]) if place in entry.times else None
            line.append("—" if found is None else f"{found.p50:.2f}/{found.p95:.2f}")
        lines.append(line)
    first, *others = (max(map(len, column)) for column in zip(*lines, strict=True))
    rows = ["  ".join([line[0].ljust(first), *map(str.rjust, line[1:], others)]) for line in lines]
    notes = [f"{name}: {entry.note}" for name, entry in measured.items() if entry.note]
    explained = "* the release; threads × tokens: p50/p95 of a request in ms, tokenizer included"
    return "\n".join([*rows, explained, *notes])


def _accuracy(right: Right | None) -> tuple[str, str]:
    if right is None:
        return "—", "—"
    found = proportion_interval(right.mean(axis=0), confidence=_CONFIDENCE)
    return f"{found.value:.4f}", f"{found.low:.4f}–{found.high:.4f}"


def _megabytes(count: int | None) -> str:
    return "—" if count is None else f"{count / 1e6:.2f}"
