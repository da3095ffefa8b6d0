"""transfer: the teacher's outputs on labelled and in-domain sentences, for the student to learn.

Reads   artifacts/finetune/model/, artifacts/prepare/{records.parquet, sentences.parquet}
Writes  artifacts/transfer/{rows.parquet, logits.npy, features.npy, metrics.json}
"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.core.errors import DataError
from pipeline.core.files import atomic_path
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.product import MULTI_LABEL, REGRESSION
from pipeline.core.stage import Metrics, run_stage
from pipeline.models.encoder import load_classifier, load_tokenizer, reads_segments
from pipeline.training.classification import predict, tokenize
from pipeline.training.splits import read_split

LABELLED, CORPUS = "labelled", "corpus"


def run(params: Params, paths: Paths) -> Metrics:
    """Score the transfer set with the teacher and keep what it is sure enough of."""
    table, pairs = transfer_rows(params, paths), params.product.pairs
    folder = paths.read("finetune", "model")
    model = load_classifier(folder, labels=params.product.labels)
    outputs = predict(
        model,
        tokenize(
            load_tokenizer(folder),
            table["text"].to_pylist(),
            max_length=params.prepare.max_length,
            seconds=table["second"].to_pylist() if pairs else (),
            segments=pairs and reads_segments(model),
            window_stride=params.prepare.window_stride,
        ),
        compute=params.compute,
        batch_size=params.transfer.batch_size,
        task="transfer",
    )
    logits, labelled = outputs.logits, np.array(table["kind"]) == LABELLED
    sure = confidence(logits, problem=params.product.problem) >= params.transfer.min_confidence
    kept = labelled | sure
    if not pairs:
        _check(labelled, kept)
    with atomic_path(paths.out / "rows.parquet") as temporary:
        pq.write_table(table.filter(pa.array(kept)), temporary)
    for name, values in (("logits", logits), ("features", outputs.features)):
        with atomic_path(paths.out / f"{name}.npy") as temporary, temporary.open("wb") as stream:
            np.save(stream, values[kept], allow_pickle=False)
    corpus, scored = int((kept & ~labelled).sum()), int((~labelled).sum())
    return {
        "labelled_rows": int(labelled.sum()),
        "corpus_sentences_scored": scored,
        "corpus_sentences_kept": corpus,
        "headline": f"{corpus:,} of {scored:,} corpus sentences kept",
    }


def transfer_rows(params: Params, paths: Paths) -> pa.Table:
    """Training rows with their targets, then corpus sentences without; of pairs the rows alone."""
    train = read_split(paths.read("prepare", "records.parquet"), "train")
    sentences = pq.read_table(paths.read("prepare", "sentences.parquet"), columns=["id", "text"])
    sentences = sentences.slice(0, params.transfer.max_sentences)
    others = [None] * sentences.num_rows
    seconds: list[str | None] = [*train.seconds] or [None] * len(train.ids)
    return pa.table(
        {
            "id": train.ids + sentences["id"].to_pylist(),
            "text": train.texts + sentences["text"].to_pylist(),
            "second": pa.array([*seconds, *others], pa.string()),
            "kind": [LABELLED] * len(train.ids) + [CORPUS] * sentences.num_rows,
            "target": pa.array([*train.targets.tolist(), *others], pa.list_(pa.float64())),
        }
    )


def confidence(logits: NDArray[np.float32], *, problem: str) -> NDArray[np.float32]:
    """How sure the teacher is of each row, `(rows,)`.

    classification: the probability of the likeliest label. multi_label: the mean over the labels of the
    probability of the likelier answer, yes or no. regression: 1, for a number says nothing of that.
    """
    if problem == REGRESSION:
        return np.ones(len(logits), dtype=np.float32)
    if problem == MULTI_LABEL:
        likelier = 1.0 / (1.0 + np.exp(-np.abs(logits)))
        return np.asarray(likelier.mean(axis=1), dtype=np.float32)
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    largest: NDArray[np.float32] = 1.0 / shifted.sum(axis=1)
    return largest


def _check(labelled: NDArray[np.bool_], kept: NDArray[np.bool_]) -> None:
    if not (kept & ~labelled).any():
        raise DataError(
            "no corpus sentence to learn from",
            expected="at least one sentence that the teacher is sure enough of",
            next_step="add a corpus source, or lower transfer.min_confidence",
        )


if __name__ == "__main__":
    run_stage("transfer", run)
