"""A training that takes no time: two clouds of points, and a model that can tell them apart."""

from functools import partial
from pathlib import Path

import numpy as np
import torch

from pipeline.core.product import Compute
from pipeline.core.training_sections import OptimisationParams
from pipeline.text.batching import Ids, epoch_batches
from pipeline.training.curve import Curve
from pipeline.training.loop import Training
from pipeline.training.resume import Checkpoints

COMPUTE = Compute(seed=1, threads=1, device="cpu", precision="float32")
OPTIMISATION = OptimisationParams(
    epochs=3, batch_size=8, accumulation=1, learning_rate=0.02, warmup_share=0.1, weight_decay=0.01
)


class Separable:
    """Two clouds of points that a linear model can tell apart."""

    def __init__(self, *, stop_at: int | None = None) -> None:
        random = np.random.default_rng(0)
        self.labels = torch.from_numpy(random.integers(0, 2, 64))
        self.points = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
        self.points += 3 * self.labels[:, None]
        self._stop_at, self._calls = stop_at, 0

    def tokens(self, rows: Ids) -> int:
        return len(rows)

    def loss(self, model: torch.nn.Module, rows: Ids, device: torch.device) -> torch.Tensor:
        self._calls += 1
        if self._calls == self._stop_at:
            raise KeyboardInterrupt
        return torch.nn.functional.cross_entropy(model(self.points[rows]), self.labels[rows])


def small_model() -> torch.nn.Module:
    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.3), torch.nn.Linear(8, 2))


def a_training(folder: Path) -> Training:
    lengths = np.full(64, 1)
    return Training(
        task="finetune",
        optimisation=OPTIMISATION,
        compute=COMPUTE,
        batches=partial(epoch_batches, lengths),
        checkpoints=Checkpoints(folder / "checkpoints"),
        curve=Curve(folder / "curve.csv", figures=["validation_accuracy"]),
        validate=lambda _: {"validation_accuracy": float(torch.rand(()))},
    )


def weights(model: torch.nn.Module) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]


def same(first: list[torch.Tensor], second: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
