"""Labels needed, against what is measured: laws fitted on a fifth of the rows, followed to all of them.

Ten draws of the reviews of each of two sources: a law is fitted on a fifth of the rows, as the baseline
stage does, and the strongest linear baseline then learns from all. IMDb reviews are cut to a slice.
"""

import numpy as np

from benchmarks.support.reviews import whole_reviews
from pipeline.core.sections import BaselineParams
from pipeline.metrics.labels_needed import DRAWS, LearningLaw, label_counts
from pipeline.metrics.quality import quality_figure
from pipeline.models.baselines import (
    BaselineRows,
    Learner,
    fit_baselines,
    quality_by_labels,
    strongest,
)
from pipeline.models.linear import Counted, LinearTask
from pipeline.problem.probabilities import Scores, Targets
from pipeline.problem.problems import problem_named

SOURCES = {"rotten_tomatoes": 8500, "imdb": 12_000}
"""Source of the package → how many of its reviews are used, a quarter of them to measure quality."""
_CHARACTERS = 240
_HELD_SHARE = 0.25
_TIMES = 10
_SHARE = 5
_TASK = LinearTask(problem=problem_named("classification"), labels=2, pairs=False, max_ngram=2)
_SETTINGS = BaselineParams(
    max_ngram=2,
    regularisation=[0.1, 0.3, 1.0, 3.0, 10.0],
    learning_curve_shares=[0.5, 1.0],
    min_gain=0.05,
)


def measure() -> dict[str, float]:
    """The draws of ten in which the interval held, mean error and mean width in points, by source."""
    figures: dict[str, float] = {}
    for source, count in SOURCES.items():
        reviews = read_reviews(source)
        found = [one_draw(reviews, count, seed=seed) for seed in range(_TIMES)]
        errors = [100 * abs(expected - measured) for expected, _, _, measured in found]
        figures |= {
            f"{source}_held": float(
                sum(low <= measured <= high for _, low, high, measured in found)
            ),
            f"{source}_error_points": float(np.mean(errors)),
            f"{source}_width_points": float(
                np.mean([100 * (high - low) for _, low, high, _ in found])
            ),
        }
    return figures


def read_reviews(source: str) -> list[tuple[str, int]]:
    """The reviews of a source of the installed package, cut to a length, with their labels."""
    return [(text[:_CHARACTERS], label) for text, label in whole_reviews(source)]


def one_draw(
    reviews: list[tuple[str, int]], count: int, *, seed: int
) -> tuple[float, float, float, float]:
    """Quality expected of all rows, the ends of its interval, and the quality measured."""
    order = np.random.default_rng(seed).permutation(len(reviews))[:count]
    chosen = [reviews[i] for i in order]
    first = round(_HELD_SHARE * len(chosen))
    held, train = chosen[:first], chosen[first:]
    fifth = _splits(train[: len(train) // _SHARE], held)
    fitted, values = fit_baselines(fifth, _SETTINGS, task=_TASK, quality=_accuracy)
    validation = fifth["validation"]
    best = strongest(
        {
            name: _accuracy(validation.targets, model.scores(validation.inputs))
            for name, model in fitted.items()
        }
    )
    learner = Learner(best, _TASK, regularisation=values[best], quality=_accuracy)
    counts = label_counts(len(fifth["train"].ids))
    measured = quality_by_labels(learner, fifth, counts, draws=DRAWS, seed=seed)
    expected = LearningLaw.fitted(measured, seed=seed).quality_after(len(train), seed=seed)
    return expected.value, expected.low, expected.high, _best_of(best, _splits(train, held))


def _best_of(name: str, rows: dict[str, BaselineRows]) -> float:
    """The quality of a baseline after learning from all train rows, with the best C."""
    train, validation = rows["train"], rows["validation"]
    counted = Counted.of(name, train.inputs, _TASK)
    asked = counted.count(validation.inputs)
    return max(
        _accuracy(
            validation.targets,
            counted.fit(train.targets, _TASK, regularisation=value).answer(asked),
        )
        for value in _SETTINGS.regularisation
    )


def _splits(
    train: list[tuple[str, int]], validation: list[tuple[str, int]]
) -> dict[str, BaselineRows]:
    return {"train": _rows(train), "validation": _rows(validation)}


def _rows(reviews: list[tuple[str, int]]) -> BaselineRows:
    texts, labels = zip(*reviews, strict=True)
    targets = np.array(labels, dtype=np.float64)[:, None]
    return BaselineRows([str(number) for number in range(len(texts))], texts, targets)


def _accuracy(targets: Targets, scores: Scores) -> float:
    return quality_figure("accuracy", problem=_TASK.problem, targets=targets, scores=scores)
