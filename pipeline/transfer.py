"""transfer: the teacher's outputs on labelled rows and unlabelled texts, which the student learns.

Reads   artifacts/finetune/model/, artifacts/prepare/{records.parquet, sentences.parquet}
Writes  artifacts/transfer/{rows.parquet, logits.npy, features.npy, metrics.json}
"""

from collections.abc import Iterable
from hashlib import sha256
from math import ceil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.compression.answers import answers
from pipeline.core.errors import DataError
from pipeline.core.files import atomic_path
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage
from pipeline.data.augmentation import augmented
from pipeline.data.domain import nearest_first
from pipeline.data.records import ID_DIGITS
from pipeline.data.variety import varied
from pipeline.models.encoder import load_classifier, load_tokenizer, reads_segments
from pipeline.problem.problems import problem_named
from pipeline.text.bare_words import bare_words
from pipeline.training.device import prepare_device
from pipeline.training.labelled_rows import Split, read_split
from pipeline.training.predict import Outputs, predict
from pipeline.training.token_rows import tokenize

LABELLED, AUGMENTED, CORPUS = "labelled", "augmented", "corpus"
HELD_OUT = ("validation", "test")


def run(params: Params, paths: Paths) -> Metrics:
    """Scores the transfer set with the teacher and keeps the texts that it is sure enough of."""
    table = transfer_rows(params, paths)
    outputs = _teacher_outputs(table, params, paths)
    kinds = np.array(table["kind"])
    confidence = problem_named(params.product.problem).teacher_confidence(outputs.logits)
    kept = (kinds == LABELLED) | (confidence >= params.transfer.min_confidence)
    # Texts made from the training rows are no substitute for sentences: they hold nothing new.
    if (kinds == CORPUS).any() and not (kinds[kept] == CORPUS).any():
        raise DataError(
            f"{(kinds == CORPUS).sum():,} corpus sentences, and the teacher is unsure of them all",
            expected=f"one that it is sure of by transfer.min_confidence = {params.transfer.min_confidence}",
            next_step="lower transfer.min_confidence, or use a corpus of the product's own kind",
        )
    with atomic_path(paths.out / "rows.parquet") as temporary:
        pq.write_table(table.filter(pa.array(kept)), temporary)
    for name, values in (("logits", outputs.logits), ("features", outputs.features)):
        with atomic_path(paths.out / f"{name}.npy") as temporary, temporary.open("wb") as stream:
            np.save(stream, values[kept], allow_pickle=False)
    return _counts(kinds, kept)


def _teacher_outputs(table: pa.Table, params: Params, paths: Paths) -> Outputs:
    """The teacher's logits and features for every text."""
    pairs, folder = params.product.pairs, paths.read("finetune", "model")
    model = load_classifier(folder, labels=params.product.labels)
    rows = tokenize(
        load_tokenizer(folder),
        table["text"].to_pylist(),
        seconds=table["second"].to_pylist() if pairs else (),
        max_length=params.prepare.max_length,
        window_stride=params.prepare.window_stride,
        segments=pairs and reads_segments(model),
    )
    size, layers = params.transfer.batch_size, params.transfer.hidden_layers
    if prepare_device(params.compute).type != "cpu":
        return predict(
            model, rows, compute=params.compute, batch_size=size, task="transfer", layers=layers
        )
    return answers(
        model,
        rows,
        precision=params.transfer.precision,
        threads=params.compute.threads,
        batch_size=size,
        task="transfer",
        layers=layers,
    )


def _counts(kinds: NDArray[np.str_], kept: NDArray[np.bool_]) -> Metrics:
    labelled, made, corpus = kinds == LABELLED, kinds == AUGMENTED, kinds == CORPUS
    others, scored = int((kept & ~labelled).sum()), int((~labelled).sum())
    return {
        "labelled_rows": int(labelled.sum()),
        "corpus_sentences_scored": int(corpus.sum()),
        "corpus_sentences_kept": int((corpus & kept).sum()),
        "augmented_scored": int(made.sum()),
        "augmented_kept": int((made & kept).sum()),
        "headline": f"{others:,} of {scored:,} texts without a label kept",
    }


def transfer_rows(params: Params, paths: Paths) -> pa.Table:
    """The training rows with targets, then unlabelled texts in random order, none for pairs."""
    records = paths.read("prepare", "records.parquet")
    train = read_split(records, "train")
    others: Texts = {}
    if not params.product.pairs:
        sentences = _sentences(train, params, paths)
        held_out = {t for split in HELD_OUT for t in read_split(records, split).texts}
        others = _augmented(train, held_out, params, sentences=len(sentences)) | sentences
    drawn = sorted(others)
    nothing = [None] * len(drawn)
    seconds: list[str | None] = [*train.seconds] or [None] * len(train.ids)
    return pa.table(
        {
            "id": train.ids + drawn,
            "text": train.texts + [others[name][1] for name in drawn],
            "second": pa.array([*seconds, *nothing], pa.string()),
            "kind": [LABELLED] * len(train.ids) + [others[name][0] for name in drawn],
            "target": pa.array([*train.targets.tolist(), *nothing], pa.list_(pa.float64())),
        }
    )


Texts = dict[str, tuple[str, str]]
"""Id → kind and text. Ids are hashes, so sorting by them gives a random order."""


def _augmented(train: Split, held_out: set[str], params: Params, *, sentences: int) -> Texts:
    """Texts made from the training rows; none that is a validation or test text, as bare words."""
    settings, rows, known = params.transfer, len(train.texts), {bare_words(t) for t in held_out}
    times = max(settings.augmentations, ceil((settings.min_texts - rows - sentences) / rows))
    made = augmented(train.texts, times=times, seed=params.compute.seed)
    return {
        sha256(text.encode()).hexdigest()[:ID_DIGITS]: (AUGMENTED, text)
        for _, text in made
        if bare_words(text) not in known
    }


def _sentences(train: Split, params: Params, paths: Paths) -> Texts:
    """Corpus sentences, at most `transfer.max_sentences`."""
    table = pq.read_table(paths.read("prepare", "sentences.parquet"), columns=["id", "text"])
    settings, texts = params.transfer, table["text"].to_pylist()
    if len(texts) > settings.max_sentences:
        order: Iterable[int] = range(len(texts))
        if settings.choice == "domain":
            order = nearest_first(texts, train.texts, seed=params.compute.seed)
        count, min_new_pairs = settings.max_sentences, settings.min_new_pairs
        table = table.take(varied(texts, order, count=count, min_new_pairs=min_new_pairs))
    columns = (table["id"].to_pylist(), table["text"].to_pylist())
    return {name: (CORPUS, text) for name, text in zip(*columns, strict=True)}


if __name__ == "__main__":
    run_stage("transfer", run)
