"""A training phase whose result serves every seed of a stage, so it runs once."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from pipeline.core.stage import seed_everything
from pipeline.training.resume import Checkpoints


@dataclass(frozen=True)
class TrainedOnce:
    """Where a phase of that name, in the stage's folder of checkpoints, keeps what it makes."""

    folder: Path
    name: str

    @property
    def checkpoints(self) -> Checkpoints:
        """The checkpoints of the training under way."""
        return Checkpoints(self.folder, run=self.name)

    @property
    def curve_file(self) -> Path:
        """The learning curve, for whoever watches: it is deleted with the rest."""
        return self.folder / f"{self.name}.csv"

    def load_into(
        self, weights: torch.nn.Module, *, train: Callable[[], torch.nn.Module], seed: int
    ) -> None:
        """Copies the phase's result into `weights`, after running the phase if no seed has yet.

        The random state afterwards is that before, so a seed's own draws do not depend on it.

        Args:
            train: runs the phase; returns trained weights of the same names and shapes.
        """
        state = torch.get_rng_state()
        if not self._result.has_best():
            seed_everything(seed)
            self._result.save_best(train())
        self._result.restore_best(weights)
        torch.set_rng_state(state)

    def clear(self) -> None:
        """Deletes everything: the stage has ended well."""
        self._result.clear()
        self.curve_file.unlink(missing_ok=True)

    @property
    def _result(self) -> Checkpoints:
        return Checkpoints(self.folder, run=f"{self.name}-done")
