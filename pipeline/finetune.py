"""finetune: the teacher: a pre-trained encoder that learns the labels.

Reads   artifacts/prepare/{records.parquet, teacher_tokenizer/}, artifacts/baseline/predictions.parquet
Writes  artifacts/finetune/{model/, curve.csv, metrics.json}
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from pipeline.core.errors import TrainingError
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.variants import NAIVE_BAYES
from pipeline.models.checkpoint import resolve_checkpoint
from pipeline.models.encoder import (
    freeze_lowest,
    layer_from_top,
    load_classifier,
    load_tokenizer,
    parameter_count,
    save_model,
)
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
from pipeline.training.splits import read_split


def run(params: Params, paths: Paths) -> Metrics:
    """Fine-tune the checkpoint on the training rows."""
    records = paths.read("prepare", "records.parquet")
    tokenizer = load_tokenizer(paths.read("prepare", "teacher_tokenizer"))
    model = load_classifier(
        resolve_checkpoint(params.prepare.checkpoint),
        labels=params.product.labels,
        revision=params.prepare.checkpoint.revision,
        dropout=params.finetune.dropout,
    )
    freeze_lowest(model, params.finetune.frozen_layers)
    rows, validation = read_split(records, "train"), read_split(records, "validation")
    length = params.prepare.max_length
    train_rows = tokenize(tokenizer, rows.texts, max_length=length)
    validation_rows = tokenize(tokenizer, validation.texts, max_length=length)
    score = _scorer(validation_rows, validation.label_ids, params)
    training = Training(
        task="finetune",
        schedule=params.finetune,
        compute=params.compute,
        batches=lambda epoch: epoch_batches(
            train_rows.lengths,
            batch_size=params.finetune.batch_size,
            seed=params.compute.seed,
            epoch=epoch,
        ),
        checkpoints=Checkpoints(paths.checkpoints),
        curve=Curve(paths.out / "curve.csv", figures=["validation_accuracy"]),
        validate=score,
        patience=params.finetune.patience,
        layer_of=lambda name: layer_from_top(model, name),
        layer_decay=params.finetune.layer_decay,
    )
    train(model, Classification(train_rows, rows.label_ids), training)
    accuracy = score(model)["validation_accuracy"]
    baseline = _baseline_accuracy(paths, validation.ids, validation.label_ids)
    _must_beat(accuracy, baseline)
    save_model(model, tokenizer, paths.out / "model")
    return {
        "validation_accuracy": accuracy,
        "baseline_validation_accuracy": baseline,
        "parameters": parameter_count(model),
        "headline": f"validation accuracy {accuracy:.3f} (NB-LR {baseline:.3f})",
    }


def _scorer(
    rows: TokenRows, label_ids: NDArray[np.int64], params: Params
) -> Callable[[torch.nn.Module], dict[str, float]]:
    def score(model: torch.nn.Module) -> dict[str, float]:
        logits = predict_logits(model, rows, compute=params.compute, batch_size=64)
        return {"validation_accuracy": accuracy_of(logits, label_ids)}

    return score


def _baseline_accuracy(paths: Paths, ids: list[str], label_ids: NDArray[np.int64]) -> float:
    """Validation accuracy of the strongest baseline, on the same rows."""
    table: Any = pq.read_table(paths.read("baseline", "predictions.parquet"))
    rows = table.filter(
        pc.and_(
            pc.equal(table["model"], NAIVE_BAYES),
            pc.equal(table["split"], "validation"),
        )
    )
    columns = sorted(
        (name for name in rows.column_names if name.startswith("probability_")),
        key=lambda name: int(name.removeprefix("probability_")),
    )
    answers = np.stack([rows[name].to_numpy() for name in columns], axis=1).argmax(axis=1)
    by_id = dict(zip(rows["id"].to_pylist(), answers.tolist(), strict=True))
    return float(np.mean([by_id[i] == gold for i, gold in zip(ids, label_ids, strict=True)]))


def _must_beat(accuracy: float, baseline: float) -> None:
    if accuracy <= baseline:
        raise TrainingError(
            f"a teacher with validation accuracy {accuracy:.3f}",
            expected=f"more than the {NAIVE_BAYES}'s {baseline:.3f}",
            next_step="train longer (finetune.epochs), try another prepare.checkpoint, or ship the baseline",
        )


if __name__ == "__main__":
    run_stage("finetune", run)
