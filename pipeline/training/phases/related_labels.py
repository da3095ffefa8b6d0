"""The lesson before the lesson: labels of a neighbouring task, which come with the corpus.

A checkpoint that has learned a related task with many labels needs fewer of the product's own
(STILTs, Phang, Févry and Bowman 2018). One training serves every seed of the teacher.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.core.params import Params, Schedule
from pipeline.core.stage import seed_everything
from pipeline.models.encoder import layer_from_top
from pipeline.text.batching import epoch_batches
from pipeline.training.curve import Curve
from pipeline.training.fast.tokens_in_use import tokens_in_use
from pipeline.training.loop import Objective, Training, train
from pipeline.training.objectives.by_problem import gold_objective, scale_of
from pipeline.training.objectives.gold import TokenRows, tokenize
from pipeline.training.resume import Checkpoints
from pipeline.training.validation import QUALITY, Validation


@dataclass(frozen=True)
class RelatedLesson:
    """Rows of a neighbouring task, and how a checkpoint learns them.

    Attributes:
        ids: of each row, `(rows,)`.
        targets: as of the product's own rows, `(rows, width)`.
        folder: of the stage's checkpoints; what was learned waits there for the next seed.
    """

    params: Params
    schedule: Schedule
    rows: TokenRows
    ids: list[str]
    targets: NDArray[np.float64]
    validation: Validation
    folder: Path

    @classmethod
    def of(
        cls,
        params: Params,
        table: Path,
        tokenizer: PreTrainedTokenizerBase,
        validation: Validation,
        folder: Path,
    ) -> "RelatedLesson | None":
        """What prepare left in `table`; None where nothing is asked for, or no corpus has labels."""
        if params.finetune.related is None:
            return None
        found = pq.read_table(table)
        if not found.num_rows:
            return None
        rows = tokenize(tokenizer, found["text"].to_pylist(), max_length=params.prepare.max_length)
        targets = np.array(found["target"].to_pylist(), dtype=np.float64)
        ids = rows.names(found["id"].to_pylist())
        return cls(params, params.finetune.related, rows, ids, targets, validation, folder)

    @property
    def count(self) -> int:
        """Rows in all."""
        return len(self.targets)

    def teach(self, model: PreTrainedModel) -> float:
        """Train `model` in place, or give it what an earlier call learned; its quality on validation.

        The product's validation rows are looked at, and decide nothing here. Random draws go on afterwards
        as if nothing had been drawn.
        """
        state = torch.get_rng_state()
        if self._done.has_best():
            self._done.restore_best(model)
        else:
            seed_everything(self.params.compute.seed)
            with tokens_in_use(model, self.rows, self.validation.rows):
                train(model, self._objective(), self._training(model))
            self._done.save_best(model)
        model.eval()
        torch.set_rng_state(state)
        return float(self.validation.quality(model)[QUALITY])

    def clear(self) -> None:
        """Forget what was learned: the stage has ended well."""
        self._done.clear()
        self._curve.unlink(missing_ok=True)

    @property
    def _curve(self) -> Path:
        return self.folder / "related.csv"

    @property
    def _done(self) -> Checkpoints:
        return Checkpoints(self.folder, run="related-done")

    def _objective(self) -> Objective:
        problem = self.params.product.problem
        scale = scale_of(problem, self.targets)
        learned = self.targets if scale is None else scale.standard(self.targets)
        return gold_objective(self.rows, learned, problem=problem, weights=None)

    def _training(self, model: PreTrainedModel) -> Training:
        settings = self.params.finetune
        return Training(
            task="finetune related",
            schedule=self.schedule,
            compute=self.params.compute,
            batches=lambda epoch: epoch_batches(
                self.rows.lengths,
                batch_size=self.schedule.batch_size,
                seed=self.params.compute.seed,
                epoch=epoch,
            ),
            checkpoints=Checkpoints(self.folder, run="related"),
            curve=Curve(self._curve, figures=[QUALITY]),
            validate=self.validation.quality,
            average=settings.average,
            layer_of=lambda name: layer_from_top(model, name),
            layer_decay=settings.layer_decay,
            row_ids=self.ids,
        )
