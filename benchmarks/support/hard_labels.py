"""The student without a teacher: the same shape and start, trained on the gold rows alone.

It gets what fairness asks for: two learning rates, of which validation chooses for each seed, and the
weights of its best epoch.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.core.params import Compute, Params, Schedule
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.stage import seed_everything
from pipeline.models.encoder import load_classifier, load_tokenizer, save_model
from pipeline.text.batching import epoch_batches
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.classification import (
    Classification,
    TokenRows,
    accuracy_of,
    predict_logits,
    tokenize,
)
from pipeline.training.curve import Curve
from pipeline.training.loop import Training, train
from pipeline.training.splits import Split, read_split

RATES, EPOCHS, BATCH_SIZE = (1e-4, 3e-4), 4, 32
_QUALITY = "validation_accuracy"
_ANSWERED_AT_ONCE = 64


@dataclass(frozen=True)
class GoldLesson:
    """Gold rows in the student's tokens, and what the student starts from."""

    params: Params
    start: Path
    tokenizer: PreTrainedTokenizerBase
    splits: dict[str, Split]
    rows: dict[str, TokenRows]

    @classmethod
    def read(cls, params: Params, paths: Paths) -> "GoldLesson":
        """What prepare and pretrain left."""
        tokenizer = load_tokenizer(paths.read("prepare", "student_tokenizer"))
        records, length = paths.read("prepare", "records.parquet"), params.prepare.max_length
        splits = {name: read_split(records, name) for name in ("train", "validation")}
        rows = {
            name: tokenize(tokenizer, split.texts, max_length=length)
            for name, split in splits.items()
        }
        return cls(params, paths.read("pretrain", "model"), tokenizer, splits, rows)

    def learn(self, folder: Path, *, seed: int) -> Path:
        """Train at each rate; leaves the model that validation chose in `folder`, and returns that."""
        found = [self._at_rate(folder, seed=seed, rate=rate) for rate in RATES]
        accuracy, model = max(found, key=lambda entry: entry[0])
        say(f"hard labels  seed {seed}  validation accuracy {accuracy:.4f}")
        save_model(model, self.tokenizer, folder)
        return folder

    def _at_rate(self, folder: Path, *, seed: int, rate: float) -> tuple[float, PreTrainedModel]:
        seed_everything(seed)
        compute, product = (
            self.params.compute.model_copy(update={"seed": seed}),
            self.params.product,
        )
        model = load_classifier(
            self.start,
            labels=product.labels,
            problem=product.problem,
            dropout=self.params.distill.dropout,
        )
        training = self._training(folder.with_name(f"{folder.name}-{rate:g}"), compute, rate=rate)
        objective = Classification(self.rows["train"], self.splits["train"].label_ids)
        train(model, objective, training)
        return self._accuracy(model, compute)[_QUALITY], model

    def _training(self, folder: Path, compute: Compute, *, rate: float) -> Training:
        kept = {name: getattr(self.params.distill, name) for name in Schedule.model_fields}
        own = {"learning_rate": rate, "epochs": EPOCHS, "batch_size": BATCH_SIZE}
        schedule = Schedule(**kept | own)
        return Training(
            task=f"hard labels seed {compute.seed} rate {rate:g}",
            schedule=schedule,
            compute=compute,
            batches=lambda epoch: epoch_batches(
                self.rows["train"].lengths,
                batch_size=schedule.batch_size,
                seed=compute.seed,
                epoch=epoch,
            ),
            checkpoints=Checkpoints(folder / "checkpoints"),
            curve=Curve(folder / "curve.csv", figures=[_QUALITY]),
            validate=lambda model: self._accuracy(model, compute),
            patience=EPOCHS,
        )

    def _accuracy(self, model: torch.nn.Module, compute: Compute) -> dict[str, float]:
        rows = self.rows["validation"]
        logits = predict_logits(model, rows, compute=compute, batch_size=_ANSWERED_AT_ONCE)
        return {_QUALITY: accuracy_of(logits, self.splits["validation"].label_ids)}
