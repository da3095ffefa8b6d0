"""transfer: the teacher's outputs on labelled and in-domain sentences, for the student to learn.

Reads   artifacts/finetune/model/, artifacts/prepare/{records.parquet, sentences.parquet}
Writes  artifacts/transfer/{rows.parquet, logits.npy, metrics.json}
"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.core.errors import DataError
from pipeline.core.files import atomic_path
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage
from pipeline.models.encoder import load_classifier, load_tokenizer
from pipeline.training.classification import predict_logits, tokenize
from pipeline.training.splits import read_split


def run(params: Params, paths: Paths) -> Metrics:
    """Score the transfer set with the teacher and keep what it is sure enough of."""
    table = transfer_rows(params, paths)
    folder = paths.read("finetune", "model")
    logits = predict_logits(
        load_classifier(folder, labels=params.product.labels),
        tokenize(
            load_tokenizer(folder), table["text"].to_pylist(), max_length=params.prepare.max_length
        ),
        compute=params.compute,
        batch_size=params.transfer.batch_size,
        task="transfer",
    )
    labelled = table["label_id"].to_numpy() >= 0
    kept = labelled | (confidence(logits) >= params.transfer.min_confidence)
    _check(labelled, kept)
    with atomic_path(paths.out / "rows.parquet") as temporary:
        pq.write_table(table.filter(pa.array(kept)), temporary)
    with atomic_path(paths.out / "logits.npy") as temporary, temporary.open("wb") as stream:
        np.save(stream, logits[kept], allow_pickle=False)
    corpus, scored = int((kept & ~labelled).sum()), int((~labelled).sum())
    return {
        "labelled_rows": int(labelled.sum()),
        "corpus_sentences_scored": scored,
        "corpus_sentences_kept": corpus,
        "headline": f"{corpus:,} of {scored:,} corpus sentences kept",
    }


def transfer_rows(params: Params, paths: Paths) -> pa.Table:
    """Training rows with their gold labels, then corpus sentences with label −1."""
    train = read_split(paths.read("prepare", "records.parquet"), "train")
    sentences = pq.read_table(paths.read("prepare", "sentences.parquet"), columns=["id", "text"])
    sentences = sentences.slice(0, params.transfer.max_sentences)
    return pa.table(
        {
            "id": train.ids + sentences["id"].to_pylist(),
            "text": train.texts + sentences["text"].to_pylist(),
            "kind": ["labelled"] * len(train.ids) + ["corpus"] * sentences.num_rows,
            "label_id": [*train.label_ids.tolist(), *[-1] * sentences.num_rows],
        }
    )


def confidence(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probability of the likeliest label of each row, `(rows,)`."""
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
