"""Training a student on the teacher's outputs: what `distill` and `prune` have in common."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.compression.distillation import Distillation, Features, transfer_batches
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.training_sections import RepeatedParams
from pipeline.models.numbers import scale_output
from pipeline.problem.problem import Scale
from pipeline.problem.problems import problem_named
from pipeline.training.curve import Curve
from pipeline.training.labelled_rows import read_split
from pipeline.training.loop import Training
from pipeline.training.resume import Checkpoints
from pipeline.training.token_rows import TokenRows, tokenize
from pipeline.training.validation import QUALITY, Validation


@dataclass(frozen=True, kw_only=True)
class TransferSet:
    """The transfer set in the student's tokens, the objective over it, and the validation rows.

    Attributes:
        ids: of each row, `(rows,)`.
        labelled: whether each row (a window, where texts are long) has a gold label, `(rows,)`.
        scale: the scale that a regression's targets are learned on; None where targets are labels.
    """

    rows: TokenRows
    ids: list[str]
    labelled: NDArray[np.bool_]
    objective: Distillation
    validation: Validation
    scale: Scale | None

    def standardise(self, model: PreTrainedModel) -> None:
        """Takes the product's unit out of a trained model, so that it can be trained further."""
        if self.scale is not None:
            mean, deviation = self.scale.mean, self.scale.deviation
            scale_output(model, factor=1 / deviation, shift=-mean / deviation)

    def unstandardise(self, model: PreTrainedModel) -> None:
        """Puts the product's unit into a model that was trained on the transfer set."""
        if self.scale is not None:
            scale_output(model, factor=self.scale.deviation, shift=self.scale.mean)


def read_transfer_set(
    params: Params,
    paths: Paths,
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_sentences: int | None = None,
    features: Sequence[Features] = (),
) -> TransferSet:
    """Reads what transfer wrote, with at most `max_sentences` of its unlabelled texts.

    The labelled rows come first in it.

    Args:
        features: of each text, where the student learns them too.
    """
    max_length, window_stride = params.prepare.max_length, params.prepare.window_stride
    read = partial(tokenize, tokenizer, max_length=max_length, window_stride=window_stride)
    table = pq.read_table(paths.read("transfer", "rows.parquet"))
    if max_sentences is not None:
        table = table.slice(0, table["kind"].to_pylist().count("labelled") + max_sentences)
    # Students have no segments: [SEP] stands between the two texts of a pair.
    rows = read(
        table["text"].to_pylist(),
        seconds=table["second"].to_pylist() if params.product.pairs else (),
    )
    validation = read_split(paths.read("prepare", "records.parquet"), "validation")
    objective, scale = _objective(table, rows, params, paths=paths, features=features)
    return TransferSet(
        rows=rows,
        ids=rows.names(table["id"].to_pylist()),
        labelled=rows.of_rows(_gold(table)[0]),
        objective=objective,
        validation=Validation(
            read(validation.texts, seconds=validation.seconds), validation.targets, params=params
        ),
        scale=scale,
    )


def _objective(
    table: pa.Table, rows: TokenRows, params: Params, *, paths: Paths, features: Sequence[Features]
) -> tuple[Distillation, Scale | None]:
    """The distillation loss over the rows, and the scale of its targets."""
    labelled, targets = _gold(table)
    scale = problem_named(params.product.problem).scale(targets[labelled])
    logits: Any = np.load(paths.read("transfer", "logits.npy"), mmap_mode="r")[: table.num_rows]
    if scale is not None:
        logits, targets = scale.standard(logits).astype(np.float32), scale.standard(targets)
    objective = Distillation(
        rows,
        rows.of_rows(logits),
        targets=rows.of_rows(targets),
        labelled=rows.of_rows(labelled),
        problem=params.product.problem,
        temperature=params.distill.temperature,
        hard_label_weight=params.distill.hard_label_weight,
        features=[replace(one, values=rows.of_rows(one.values)) for one in features],
    )
    return objective, scale


def _gold(table: pa.Table) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which texts have gold targets, `(texts,)`, and the targets or zeros, `(texts, width)`."""
    found = table["target"].to_pylist()
    labelled = np.array([target is not None for target in found])
    width = len(found[int(labelled.argmax())])
    targets = np.array([target or [0.0] * width for target in found], dtype=np.float64)
    return labelled, targets


def student_training(
    data: TransferSet, *, optimisation: RepeatedParams, params: Params, paths: Paths
) -> Training:
    """The settings by which a stage trains a student on the transfer set."""
    return Training(
        task=paths.stage,
        optimisation=optimisation,
        compute=params.compute,
        batches=partial(
            transfer_batches,
            data.rows.lengths,
            data.labelled,
            repeats=params.distill.labelled_repeats,
        ),
        checkpoints=Checkpoints(paths.checkpoints),
        curve=Curve(paths.out / "curve.csv", figures=[QUALITY]),
        validate=data.validation.quality,
        row_ids=data.ids,
        min_steps=optimisation.min_steps,
    )
