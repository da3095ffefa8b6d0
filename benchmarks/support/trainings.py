"""Trains classifiers on gold labels and language models on packed rows, in the pipeline's own loop."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from pipeline.core.training_sections import PretrainParams
from pipeline.text.batching import epoch_batches
from pipeline.text.packing import PackedRows, row_batches
from pipeline.training.curve import Curve
from pipeline.training.loop import Training, train
from pipeline.training.objectives.by_family import language_model_objective
from pipeline.training.objectives.gold import label_objective
from pipeline.training.resume import Checkpoints
from pipeline.training.token_rows import TokenRows

QUALITY = "validation_accuracy"


def train_on_labels(
    model: torch.nn.Module, rows: TokenRows, label_ids: NDArray[np.int64], **settings: Any
) -> None:
    """Trains a classifier; `settings` are those of `_training`."""
    training = _training(batches=partial(epoch_batches, rows.lengths), **settings)
    train(model, label_objective(rows, label_ids), training)


def train_language_model(
    model: torch.nn.Module,
    packed: PackedRows,
    tokenizer: PreTrainedTokenizerBase,
    *,
    optimisation: PretrainParams,
    rows: int,
    **settings: Any,
) -> None:
    """Trains on the first `rows` packed rows in each epoch; `settings` are those of `_training`."""
    training = _training(
        task="pretrain", optimisation=optimisation, batches=partial(row_batches, rows), **settings
    )
    train(model, language_model_objective(packed, optimisation, tokenizer), training)


def _training(*, folder: Path, **settings: Any) -> Training:
    """A training with these `settings` of `Training`, its files in `folder`."""
    return Training(
        checkpoints=Checkpoints(folder / "checkpoints"),
        curve=Curve(folder / "curve.csv", figures=[QUALITY]),
        **settings,
    )
