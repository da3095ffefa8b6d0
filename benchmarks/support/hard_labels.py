"""The student without a teacher: the same shape, trained on the gold rows alone.

It gets what fairness asks for: the model that `pretrain` left as start, and the layers that the student starts from,
those of the checkpoint, which no teacher has touched; with each two learning rates. Validation chooses for each
seed, and the weights are those of the best epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product as pairs_of
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.core.params import Compute, OptimisationParams, Params
from pipeline.core.paths import Paths
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
from pipeline.training.predict import predict_logits
from pipeline.training.resume import Checkpoints
from pipeline.training.token_rows import TokenRows, tokenize

RATES, EPOCHS, BATCH_SIZE = (1e-4, 3e-4), 4, 32
_QUALITY = "validation_accuracy"
_ANSWERED_AT_ONCE = 64
_SAMPLE_ROWS = 64

Layers = Sequence[int] | None
"""Of the checkpoint, to start from; None is the model that `pretrain` left."""


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
        """Train from each start at each rate; leaves the model that validation chose in `folder`, and returns that."""
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
        training = self._training(folder.with_name(name), compute, rate=rate)
        objective = label_objective(self.rows["train"], self.splits["train"].label_ids)
        train(model, objective, training)
        return self._accuracy(model, compute)[_QUALITY], model

    def _start(self, layers: Layers) -> PreTrainedModel:
        """The student before it learns."""
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

    def _training(self, folder: Path, compute: Compute, *, rate: float) -> Training:
        kept = {
            name: getattr(self.params.distill, name) for name in OptimisationParams.model_fields
        }
        own = {"learning_rate": rate, "epochs": EPOCHS, "batch_size": BATCH_SIZE}
        optimisation = OptimisationParams(**kept | own)
        return Training(
            task=f"hard labels seed {compute.seed} rate {rate:g}",
            optimisation=optimisation,
            compute=compute,
            batches=partial(epoch_batches, self.rows["train"].lengths),
            checkpoints=Checkpoints(folder / "checkpoints"),
            curve=Curve(folder / "curve.csv", figures=[_QUALITY]),
            validate=lambda model: self._accuracy(model, compute),
            patience=EPOCHS,
        )

    def _accuracy(self, model: torch.nn.Module, compute: Compute) -> dict[str, float]:
        rows = self.rows["validation"]
        logits = predict_logits(model, rows, compute=compute, batch_size=_ANSWERED_AT_ONCE)
        right = logits.argmax(axis=1) == self.splits["validation"].label_ids
        return {_QUALITY: float(np.mean(right))}
