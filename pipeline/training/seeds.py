"""Trains a model from several seeds; keeps the best, or the mean of their weights, and reports all.

Trainings that start from the same weights stay close to one another, so the mean of their weights
is a good model, too: it has much of the gain of an ensemble at the cost of one model (model soups,
Wortsman et al. 2022).

Finished seeds are saved beside the checkpoints, so a killed stage trains only the missing ones; the
seed that was interrupted continues from its own checkpoint.
"""

import os
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from scipy import stats
from transformers import PreTrainedModel

from pipeline.core.files import read_json, write_json
from pipeline.core.progress import say
from pipeline.core.stage import INPUT_KEY_VARIABLE, seed_everything
from pipeline.training.resume import Checkpoints

_LEVEL = 0.95
Keep = Literal["best", "mean"]
Load = Callable[[], PreTrainedModel]
Score = Callable[[PreTrainedModel], float]
TrainSeed = Callable[[PreTrainedModel, int, Checkpoints], list[dict[str, float]]]
"""Trains a model in place with a seed and its checkpoints; returns the points of the curve."""


@dataclass(frozen=True)
class SeedResult:
    """The validation quality of one seed's model, and the points of its learning curve."""

    seed: int
    quality: float
    curve: list[dict[str, float]]


class Seeds:
    """Trains one model per seed.

    Args:
        folder: of the stage's checkpoints.
        first: the first seed; `count` seeds follow one another.
        keep: `best` trains each seed as if it were alone; `mean` starts all from the first's
            weights.
    """

    def __init__(self, folder: Path, *, first: int, count: int, keep: Keep) -> None:
        self._folder = folder
        self._seeds = range(first, first + count)
        self._to_mean = keep == "mean" and count > 1

    def train(
        self, load: Load, train: TrainSeed, score: Score
    ) -> tuple[PreTrainedModel, list[SeedResult]]:
        """Returns the best model on validation (first of equals) or the mean, and all results."""
        results: list[SeedResult] = []
        kept: PreTrainedModel | None = None
        for seed in self._seeds:
            model, result = self._one(seed, load=load, train=train, score=score)
            if all(result.quality > other.quality for other in results):
                best, kept = result, model
            results.append(result)
        if kept is None:  # the best seed was trained before the stage was killed
            kept = load()
            self._done(best.seed).restore_best(kept)
            kept.eval()
        if self._to_mean:
            kept = self._mean(kept)
        return kept, results

    @torch.no_grad()
    def _mean(self, model: PreTrainedModel) -> PreTrainedModel:
        """A model with the mean of all seeds' weights; `model` is overwritten."""
        mean = deepcopy(model)
        for count, seed in enumerate(self._seeds, start=1):
            self._done(seed).restore_best(model)
            for parameter, other in zip(mean.parameters(), model.parameters(), strict=True):
                parameter.lerp_(other, 1 / count)
        return mean

    def _one(
        self, seed: int, *, load: Load, train: TrainSeed, score: Score
    ) -> tuple[PreTrainedModel | None, SeedResult]:
        """The model of one seed, or None if it was trained before, and its result."""
        if self._record(seed).exists():
            say(f"seed {seed} is trained already")
            return None, SeedResult(**read_json(self._record(seed)))
        seed_everything(self._seeds[0] if self._to_mean else seed)
        model = load()
        if self._to_mean:
            seed_everything(seed)
        curve = train(model, seed, Checkpoints(self._folder, run=f"seed-{seed}"))
        result = SeedResult(seed, score(model), curve)
        if len(self._seeds) > 1:
            self._done(seed).save_best(model)
            write_json(self._record(seed), asdict(result))
        return model, result

    def clear(self) -> None:
        """Deletes all kept results: the stage has ended well."""
        for seed in self._seeds:
            self._record(seed).unlink(missing_ok=True)
            self._done(seed).clear()

    def _done(self, seed: int) -> Checkpoints:
        return Checkpoints(self._folder, run=f"seed-{seed}-done")

    def _record(self, seed: int) -> Path:
        key = os.environ.get(INPUT_KEY_VARIABLE, "unkeyed")
        return self._folder / key / f"seed-{seed}.json"


def spread(results: Sequence[SeedResult]) -> dict[str, Any]:
    """The mean of the seeds' quality, with its 95 % t interval if there are several."""
    figures = [result.quality for result in results]
    mean, interval = float(np.mean(figures)), None
    if len(figures) > 1:
        error = float(np.std(figures, ddof=1)) / len(figures) ** 0.5
        reach = float(stats.t.ppf((1 + _LEVEL) / 2, len(figures) - 1)) * error
        interval = [mean - reach, mean + reach]
    return {
        "seeds": {str(result.seed): result.quality for result in results},
        "mean_validation_quality": mean,
        "mean_validation_quality_ci95": interval,
    }
