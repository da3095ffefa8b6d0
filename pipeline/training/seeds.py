"""Several trainings of one model, each from a seed of its own: the best is kept or their mean, all are told.

Trainings that start from the same weights stay near one another: the mean of their weights is a model too, and
gains much of what the mean of their answers would, at the cost of one (model soups, Wortsman et al. 2022).

A seed that is done is written beside the checkpoints, so that a stage which is killed trains only the
seeds that are missing; the seed that was under way goes on from its own checkpoint.
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
Teach = Callable[[PreTrainedModel, int, Checkpoints], list[dict[str, float]]]
"""Model, seed and checkpoints to the points of the curve; the model is trained in place."""


@dataclass(frozen=True)
class Outcome:
    """What one seed came to: its figure on validation, and the points of its curve."""

    seed: int
    quality: float
    curve: list[dict[str, float]]


class Seeds:
    """The trainings of a stage.

    Args:
        folder: where the stage's checkpoints lie.
        keep: `best`, each seed being trained as if it were alone, or `mean`, each starting from the weights
            of the first.
    """

    def __init__(self, folder: Path, *, first: int, count: int, keep: Keep) -> None:
        self._folder = folder
        self._seeds = range(first, first + count)
        self._to_mean = keep == "mean" and count > 1

    def train(
        self,
        load: Callable[[], PreTrainedModel],
        teach: Teach,
        score: Callable[[PreTrainedModel], float],
    ) -> tuple[PreTrainedModel, list[Outcome]]:
        """The best model on validation, the first of equals, or the mean of all; and what every seed came to."""
        outcomes: list[Outcome] = []
        kept: PreTrainedModel | None = None
        for seed in self._seeds:
            model, outcome = self._one(seed, load=load, teach=teach, score=score)
            if all(outcome.quality > other.quality for other in outcomes):
                best, kept = outcome, model
            outcomes.append(outcome)
        if kept is None:  # it was done before a kill
            kept = load()
            self._done(best.seed).restore_best(kept)
            kept.eval()
        if self._to_mean:
            kept = self._mean(kept)
        return kept, outcomes

    @torch.no_grad()
    def _mean(self, model: PreTrainedModel) -> PreTrainedModel:
        """The mean of all seeds' weights in a model of their shape."""
        mean = deepcopy(model)
        for count, seed in enumerate(self._seeds, start=1):
            self._done(seed).restore_best(model)
            for parameter, other in zip(mean.parameters(), model.parameters(), strict=True):
                parameter.lerp_(other, 1 / count)
        return mean

    def _one(
        self,
        seed: int,
        *,
        load: Callable[[], PreTrainedModel],
        teach: Teach,
        score: Callable[[PreTrainedModel], float],
    ) -> tuple[PreTrainedModel | None, Outcome]:
        """The model of one seed, or None where it was trained before, and its outcome."""
        if self._record(seed).exists():
            say(f"seed {seed} is trained already")
            return None, Outcome(**read_json(self._record(seed)))
        seed_everything(self._seeds[0] if self._to_mean else seed)
        model = load()
        if self._to_mean:
            seed_everything(seed)
        curve = teach(model, seed, Checkpoints(self._folder, run=f"seed-{seed}"))
        outcome = Outcome(seed, score(model), curve)
        if len(self._seeds) > 1:
            self._done(seed).save_best(model)
            write_json(self._record(seed), asdict(outcome))
        return model, outcome

    def clear(self) -> None:
        """Forget what was done: the stage has ended well."""
        for seed in self._seeds:
            self._record(seed).unlink(missing_ok=True)
            self._done(seed).clear()

    def _done(self, seed: int) -> Checkpoints:
        return Checkpoints(self._folder, run=f"seed-{seed}-done")

    def _record(self, seed: int) -> Path:
        key = os.environ.get(INPUT_KEY_VARIABLE, "unkeyed")
        return self._folder / key / f"seed-{seed}.json"


def spread(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Mean of the seeds' figures, and its 95 % interval by Student's t; one seed has none."""
    figures = [outcome.quality for outcome in outcomes]
    mean, interval = float(np.mean(figures)), None
    if len(figures) > 1:
        error = float(np.std(figures, ddof=1)) / len(figures) ** 0.5
        reach = float(stats.t.ppf((1 + _LEVEL) / 2, len(figures) - 1)) * error
        interval = [mean - reach, mean + reach]
    return {
        "seeds": {str(outcome.seed): outcome.quality for outcome in outcomes},
        "mean_validation_quality": mean,
        "mean_validation_quality_ci95": interval,
    }
