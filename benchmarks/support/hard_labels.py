"""A student without a teacher: a model of the same shape, trained on gold labels only.

To be fair to it, it is trained from two starts: pretrain's model, and those checkpoint layers that
the student starts from, before any fine-tuning; from each at two learning rates. For each seed the
best on validation is taken, at its best epoch.
"""

from collections.abc import Sequence
from itertools import product as pairs_of
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel

from benchmarks.support.trainings import QUALITY, train_on_labels
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.product import Compute
from pipeline.core.progress import say
from pipeline.core.stage import seed_everything
from pipeline.models.encoder import load_classifier, load_tokenizer, save_model
from pipeline.models.pretrained import resolve_checkpoint
from pipeline.models.student_start import start_from_teacher
from pipeline.training.labelled_rows import read_split
from pipeline.training.predict import predict
from pipeline.training.token_rows import tokenize

RATES, EPOCHS, BATCH_SIZE = (1e-4, 3e-4), 4, 32
_ANSWERED_AT_ONCE = 64
_SAMPLE_ROWS = 64

Layers = Sequence[int] | None
"""The layers of the checkpoint to start from; None starts from pretrain's model."""


class HardLabelStudent:
    """Gold rows in the student's tokens, and the model that it starts from."""

    def __init__(self, params: Params, paths: Paths) -> None:
        self._params, self._pretrained = params, paths.read("pretrain", "model")
        self._tokenizer = load_tokenizer(paths.read("prepare", "student_tokenizer"))
        records, length = paths.read("prepare", "records.parquet"), params.prepare.max_length
        self._splits = {name: read_split(records, name) for name in ("train", "validation")}
        self._rows = {
            name: tokenize(self._tokenizer, split.texts, max_length=length)
            for name, split in self._splits.items()
        }

    def train(self, folder: Path, *, seed: int) -> Path:
        """Trains from each start at each rate; saves the best on validation to `folder`."""
        wanted = self._params.distill.teacher_layers
        starts: list[Layers] = [None] if wanted is None else [None, wanted]
        found = [
            self._trained(folder, seed=seed, layers=layers, rate=rate)
            for layers, rate in pairs_of(starts, RATES)
        ]
        accuracy, model = max(found, key=lambda entry: entry[0])
        say(f"hard labels  seed {seed}  validation accuracy {accuracy:.4f}")
        save_model(model, self._tokenizer, folder)
        return folder

    def _trained(
        self, folder: Path, *, seed: int, layers: Layers, rate: float
    ) -> tuple[float, PreTrainedModel]:
        seed_everything(seed)
        compute = self._params.compute.model_copy(update={"seed": seed})
        model = self._start(layers)
        changed = {"learning_rate": rate, "epochs": EPOCHS, "batch_size": BATCH_SIZE}
        start = "pretrained" if layers is None else "layers"
        train_on_labels(
            model,
            self._rows["train"],
            self._splits["train"].label_ids,
            task=f"hard labels seed {seed} rate {rate:g}",
            optimisation=self._params.distill.model_copy(update=changed),
            compute=compute,
            folder=folder.with_name(f"{folder.name}-{rate:g}-{start}"),
            validate=lambda model: {QUALITY: self._accuracy(model, compute)},
            patience=EPOCHS,
        )
        return self._accuracy(model, compute), model

    def _start(self, layers: Layers) -> PreTrainedModel:
        """The student before training."""
        model = self._load(self._pretrained)
        if layers is not None:
            checkpoint = resolve_checkpoint(self._params.prepare.checkpoint)
            rows = self._rows["train"]
            sample = np.arange(min(_SAMPLE_ROWS, len(rows.ids)))
            start_from_teacher(
                model,
                self._load(checkpoint),
                layers=layers,
                tokenizer=self._tokenizer,
                teacher_tokenizer=load_tokenizer(checkpoint),
                sample=rows.batch(sample, torch.device("cpu")),
            )
        return model

    def _load(self, folder: Path) -> PreTrainedModel:
        product, dropout = self._params.product, self._params.distill.dropout
        return load_classifier(
            folder, labels=product.labels, problem=product.problem, dropout=dropout
        )

    def _accuracy(self, model: torch.nn.Module, compute: Compute) -> float:
        rows = self._rows["validation"]
        logits = predict(model, rows, compute=compute, batch_size=_ANSWERED_AT_ONCE).logits
        return float(np.mean(logits.argmax(axis=1) == self._splits["validation"].label_ids))
