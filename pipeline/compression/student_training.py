"""Training a student on the teacher's outputs: what `distill` and `prune` have in common."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.compression.distillation import Distillation, Features, transfer_batches
from pipeline.core.params import Params, Schedule
from pipeline.core.paths import Paths
from pipeline.models.numbers import scale_output
from pipeline.text.batching import Ids
from pipeline.training.curve import Curve
from pipeline.training.labelled_rows import Split, read_split
from pipeline.training.loop import Training
from pipeline.training.objectives.by_problem import Scale, scale_of
from pipeline.training.objectives.gold import TokenRows, tokenize
from pipeline.training.resume import Checkpoints
from pipeline.training.validation import QUALITY, ScoresOf, Validation


@dataclass(frozen=True)
class Lesson:
    """The transfer set in the student's tokens, with the objective over it, and validation rows.

    Attributes:
        ids: of each row, `(rows,)`.
        labelled: whether each row (a window, where texts are long) has a gold label, `(rows,)`.
        scale: of regression, that of the objective; None where targets are labels.
    """

    rows: TokenRows
    ids: list[str]
    labelled: NDArray[np.bool_]
    objective: Distillation
    validation: Validation
    scale: Scale | None

    def standardise(self, model: PreTrainedModel) -> None:
        """Take the product's unit out of a trained model, so that it can learn on."""
        if self.scale is not None:
            mean, deviation = self.scale.mean, self.scale.deviation
            scale_output(model, factor=1 / deviation, shift=-mean / deviation)

    def unstandardise(self, model: PreTrainedModel) -> None:
        """Put the product's unit into a model that has learned from the lesson."""
        if self.scale is not None:
            scale_output(model, factor=self.scale.deviation, shift=self.scale.mean)


def read_lesson(
    params: Params,
    paths: Paths,
    tokenizer: PreTrainedTokenizerBase,
    *,
    scores: ScoresOf,
    max_sentences: int | None = None,
    features: Sequence[Features] = (),
) -> Lesson:
    """The lesson that transfer left, with at most `max_sentences` of its corpus sentences.

    Labelled rows come first in it, so the first rows are the labelled ones and some of the others.

    Args:
        scores: the runtime's rule from logits to scores.
        features: of each text, where the student learns them too.
    """
    table = pq.read_table(paths.read("transfer", "rows.parquet"))
    if max_sentences is not None:
        table = table.slice(0, table["kind"].to_pylist().count("labelled") + max_sentences)
    product = params.product
    rows = _tokens(_texts(table, pairs=product.pairs), params, tokenizer)
    validation = read_split(paths.read("prepare", "records.parquet"), "validation")
    labelled, targets = _gold(table)
    scale = scale_of(product.problem, targets[labelled])
    logits: Any = np.load(paths.read("transfer", "logits.npy"), mmap_mode="r")[: table.num_rows]
    if scale is not None:
        logits, targets = scale.standard(logits).astype(np.float32), scale.standard(targets)
    labelled = rows.of_rows(labelled)
    return Lesson(
        rows=rows,
        ids=rows.names(table["id"].to_pylist()),
        labelled=labelled,
        objective=Distillation(
            rows,
            rows.of_rows(logits),
            targets=rows.of_rows(targets),
            labelled=labelled,
            problem=product.problem,
            temperature=params.distill.temperature,
            hard_label_weight=params.distill.hard_label_weight,
            features=[replace(one, values=rows.of_rows(one.values)) for one in features],
        ),
        validation=Validation(
            _tokens(validation, params, tokenizer),
            validation.targets,
            product.problem,
            product.requirements.quality_metric,
            params.compute,
            scores,
        ),
        scale=scale,
    )


def _texts(table: pa.Table, *, pairs: bool) -> Split:
    """The transfer set's texts; their targets are not here."""
    seconds = table["second"].to_pylist() if pairs else []
    ids, texts = table["id"].to_pylist(), table["text"].to_pylist()
    return Split(ids, texts, seconds, np.empty((table.num_rows, 0)))


def _tokens(split: Split, params: Params, tokenizer: PreTrainedTokenizerBase) -> TokenRows:
    # Students do not tell segments apart: [SEP] stands between the two texts of a pair.
    return tokenize(
        tokenizer,
        split.texts,
        max_length=params.prepare.max_length,
        seconds=split.seconds,
        window_stride=params.prepare.window_stride,
    )


def _gold(table: pa.Table) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which rows have gold, `(texts,)`, and targets `(texts, width)` with zeros where there is none."""
    found = table["target"].to_pylist()
    labelled = np.array([target is not None for target in found])
    width = len(found[int(labelled.argmax())])
    targets = np.array([target or [0.0] * width for target in found], dtype=np.float64)
    return labelled, targets


def student_training(
    lesson: Lesson, *, schedule: Schedule, params: Params, paths: Paths
) -> Training:
    """How a stage trains a student on the lesson."""

    def batches(epoch: int) -> list[Ids]:
        return transfer_batches(
            lesson.rows.lengths,
            lesson.labelled,
            repeats=params.distill.labelled_repeats,
            batch_size=schedule.batch_size,
            seed=params.compute.seed,
            epoch=epoch,
        )

    return Training(
        task=paths.stage,
        schedule=schedule,
        compute=params.compute,
        batches=batches,
        checkpoints=Checkpoints(paths.checkpoints),
        curve=Curve(paths.out / "curve.csv", figures=[QUALITY]),
        validate=lesson.validation.quality,
        row_ids=lesson.ids,
    )
