"""A student without a teacher: a model of the same shape, trained on gold labels only.

To be fair to it, it is trained from two starts: pretrain's model, and those checkpoint layers that
the student starts from, before any fine-tuning; from each at two learning rates. For each seed the
best on validation is taken, at its best epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product as pairs_of
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.product import Compute
from pipeline.core.progress import say
from pipeline.core.stage import seed_everything
from pipeline.models.encoder import load_classifier, load_tokenizer, save_model
from pipeline.models.pretrained import resolve_checkpoint
from pipeline.models.student_start import start_from_teacher
from pipeline.text.batching import epoch_batches
from pipeline.training.curve import Curve
from pipeline.training.labelled_rows import Split, read_split
from pipeline.training.loop import Training, train
from pipeline.training.objectives.gold import label_objective
from pipeline.training.predict import predict
from pipeline.training.resume import Checkpoints
from pipeline.training.token_rows import TokenRows, tokenize

RATES, EPOCHS, BATCH_SIZE = (1e-4, 3e-4), 4, 32
_QUALITY = "validation_accuracy"
_ANSWERED_AT_ONCE = 64
_SAMPLE_ROWS = 64

Layers = Sequence[int] | None
"""The layers of the checkpoint to start from; None starts from pretrain's model."""


@dataclass(frozen=True, kw_only=True)
class HardLabelStudent:
    """Gold rows in the student's tokens, and the model that it starts from."""

    params: Params
    start: Path
    tokenizer: PreTrainedTokenizerBase
    splits: dict[str, Split]
    rows: dict[str, TokenRows]

    @classmethod
    def read(cls, params: Params, paths: Paths) -> "HardLabelStudent":
        """Reads what prepare and pretrain wrote."""
        tokenizer = load_tokenizer(paths.read("prepare", "student_tokenizer"))
        records, length = paths.read("prepare", "records.parquet"), params.prepare.max_length
        splits = {name: read_split(records, name) for name in ("train", "validation")}
        rows = {
            name: tokenize(tokenizer, split.texts, max_length=length)
            for name, split in splits.items()
        }
        return cls(
            params=params,
            start=paths.read("pretrain", "model"),
            tokenizer=tokenizer,
            splits=splits,
            rows=rows,
        )

    def train(self, folder: Path, *, seed: int) -> Path:
        """Trains from each start at each rate; saves the best on validation to `folder`."""
        wanted = self.params.distill.teacher_layers
        starts: list[Layers] = [None] if wanted is None else [None, wanted]
        found = [
            self._trained(folder, seed=seed, layers=layers, rate=rate)
            for layers, rate in pairs_of(starts, RATES)
        ]
        accuracy, model = max(found, key=lambda entry: entry[0])
        say(f"hard labels  seed {seed}  validation accuracy {accuracy:.4f}")
        save_model(model, self.tokenizer, folder)
        return folder

    def _trained(
        self, folder: Path, *, seed: int, layers: Layers, rate: float
    ) -> tuple[float, PreTrainedModel]:
        seed_everything(seed)
        compute = self.params.compute.model_copy(update={"seed": seed})
        model = self._start(layers)
        name = f"{folder.name}-{rate:g}-{'pretrained' if layers is None else 'layers'}"
        files = folder.with_name(name)
        changed = {"learning_rate": rate, "epochs": EPOCHS, "batch_size": BATCH_SIZE}
        training = Training(
            task=f"hard labels seed {seed} rate {rate:g}",
            optimisation=self.params.distill.model_copy(update=changed),
            compute=compute,
            batches=partial(epoch_batches, self.rows["train"].lengths),
            checkpoints=Checkpoints(files / "checkpoints"),
            curve=Curve(files / "curve.csv", figures=[_QUALITY]),
            validate=lambda model: self._accuracy(model, compute),
            patience=EPOCHS,
        )
        objective = label_objective(self.rows["train"], self.splits["train"].label_ids)
        train(model, objective, training)
        return self._accuracy(model, compute)[_QUALITY], model

    def _start(self, layers: Layers) -> PreTrainedModel:
        """The student before training."""
        model = self._load(self.start)
        if layers is None:
            return model
        checkpoint = resolve_checkpoint(self.params.prepare.checkpoint)
        rows = self.rows["train"]
        start_from_teacher(
            model,
            self._load(checkpoint),
            layers=layers,
            tokenizer=self.tokenizer,
            teacher_tokenizer=load_tokenizer(checkpoint),
            sample=rows.batch(np.arange(min(_SAMPLE_ROWS, len(rows.ids))), torch.device("cpu")),
        )
        return model

    def _load(self, folder: Path) -> PreTrainedModel:
        product = self.params.product
        return load_classifier(
            folder,
            labels=product.labels,
            problem=product.problem,
            dropout=self.params.distill.dropout,
        )

    def _accuracy(self, model: torch.nn.Module, compute: Compute) -> dict[str, float]:
        rows = self.rows["validation"]
        logits = predict(model, rows, compute=compute, batch_size=_ANSWERED_AT_ONCE).logits
        right = logits.argmax(axis=1) == self.splits["validation"].label_ids
        return {_QUALITY: float(np.mean(right))}
