"""Training a student on the teacher's outputs: what `distill` and `prune` have in common."""

from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.compression.distillation import Distillation, transfer_batches
from pipeline.core.params import Params, Schedule
from pipeline.core.paths import Paths
from pipeline.text.batching import Ids
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.classification import TokenRows, accuracy_of, predict_logits, tokenize
from pipeline.training.curve import Curve
from pipeline.training.loop import Training, train
from pipeline.training.splits import read_split


@dataclass(frozen=True)
class Lesson:
    """The transfer set in the student's tokens, with the objective over it, and validation rows.

    Attributes:
        labelled: whether each row has a gold label, `(rows,)`.
    """

    rows: TokenRows
    labelled: NDArray[np.bool_]
    objective: Distillation
    validation: TokenRows
    validation_label_ids: NDArray[np.int64]


def read_lesson(
    params: Params,
    paths: Paths,
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_sentences: int | None = None,
) -> Lesson:
    """The lesson that transfer left, with at most `max_sentences` of its corpus sentences.

    Labelled rows come first in it, so the first rows are the labelled ones and some of the others.
    """
    table = pq.read_table(paths.read("transfer", "rows.parquet"))
    if max_sentences is not None:
        table = table.slice(0, table["kind"].to_pylist().count("labelled") + max_sentences)
    label_ids = table["label_id"].to_numpy().astype(np.int64)
    length = params.prepare.max_length
    rows = tokenize(tokenizer, table["text"].to_pylist(), max_length=length)
    validation = read_split(paths.read("prepare", "records.parquet"), "validation")
    return Lesson(
        rows=rows,
        labelled=label_ids >= 0,
        objective=Distillation(
            rows,
            np.load(paths.read("transfer", "logits.npy"), mmap_mode="r")[: table.num_rows],
            label_ids,
            temperature=params.distill.temperature,
            hard_label_weight=params.distill.hard_label_weight,
        ),
        validation=tokenize(tokenizer, validation.texts, max_length=length),
        validation_label_ids=validation.label_ids,
    )


def train_student(
    model: PreTrainedModel, lesson: Lesson, *, schedule: Schedule, params: Params, paths: Paths
) -> float:
    """Train `model` in place on the lesson; returns its validation accuracy."""

    def score(trained: torch.nn.Module) -> dict[str, float]:
        logits = predict_logits(trained, lesson.validation, compute=params.compute, batch_size=64)
        return {"validation_accuracy": accuracy_of(logits, lesson.validation_label_ids)}

    def batches(epoch: int) -> list[Ids]:
        return transfer_batches(
            lesson.rows.lengths,
            lesson.labelled,
            repeats=params.distill.labelled_repeats,
            batch_size=schedule.batch_size,
            seed=params.compute.seed,
            epoch=epoch,
        )

    training = Training(
        task=paths.stage,
        schedule=schedule,
        compute=params.compute,
        batches=batches,
        checkpoints=Checkpoints(paths.checkpoints),
        curve=Curve(paths.out / "curve.csv", figures=["validation_accuracy"]),
        validate=score,
    )
    train(model, lesson.objective, training)
    return score(model)["validation_accuracy"]
