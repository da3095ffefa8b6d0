"""prepare: splits that never move, both tokenizers, sentences and token arrays of the corpus.

Reads   artifacts/label/records.parquet, artifacts/validate/corpus.parquet, the checkpoint
Writes  artifacts/prepare/{records.parquet, related.parquet, sentences.parquet, teacher_tokenizer/,
        student_tokenizer/, corpus/, metrics.json}
"""

from typing import Any

import numpy as np
import pyarrow as pa
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from pipeline.core.files import atomic_folder, write_json
from pipeline.core.params import Params, PrepareParams
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.stage import Metrics, run_stage
from pipeline.data.licences import waiver
from pipeline.data.related_rows import related_rows
from pipeline.data.tables import Columns, read_table, text_schema, write_table
from pipeline.data.transfer_set import transfer_sentences
from pipeline.models.pretrained import resolve_checkpoint
from pipeline.text.split_assignment import SPLITS, check_splits, split_of, unit_hash
from pipeline.text.tokenizer import (
    save_for_transformers,
    token_array,
    train_byte_bpe,
    train_wordpiece,
)
from pipeline.text.vocabulary import coverage_of, cut_vocabulary, require_coverage

_TRAIN = {"wordpiece": train_wordpiece, "byte_bpe": train_byte_bpe}


def run(params: Params, paths: Paths) -> Metrics:
    """Split, train the student's vocabulary, tokenize the corpus, choose transfer sentences."""
    settings = params.prepare
    rows = read_table(paths.read("label", "records.parquet"))
    rows["split"] = [
        split_of(cluster, salt=settings.salt, shares=settings.shares) for cluster in rows["cluster"]
    ]
    check_splits(
        rows["split"],
        rows["target"],
        problem=params.product.problem,
        labels=params.product.labels,
    )
    names = ("id", "text", "second", "label", "cluster", "split")
    schema = text_schema(*names, target=pa.list_(pa.float64()))
    write_table(paths.out / "records.parquet", rows, schema=schema)
    _save_teacher_tokenizer(params, paths)
    documents = read_table(paths.read("validate", "corpus.parquet"))
    documents = {
        name: values[: settings.max_corpus_documents] for name, values in documents.items()
    }
    related = related_rows(documents, params)
    schema = text_schema("id", "text", target=pa.list_(pa.float64()))
    write_table(paths.out / "related.parquet", related, schema=schema)
    train, heldout = _pretraining_texts(documents, settings)
    say(f"prepare  student vocabulary from {len(train):,} documents and the train rows")
    tokenizer, coverage = _student_tokenizer(
        _texts_of(rows, "train") + train, _texts_of(rows, "validation"), settings, paths
    )
    with atomic_folder(paths.out / "student_tokenizer") as folder:
        save_for_transformers(tokenizer, folder, max_length=settings.max_length)
    index = _save_corpus(tokenizer, {"train": train, "heldout": heldout}, paths)
    # A pair's second text cannot be made up from a corpus of single ones: pairs learn from their rows.
    source: Columns = {"id": [], "text": []} if params.product.pairs else documents
    sentences = transfer_sentences(source, rows, settings)
    schema = text_schema("id", "document", "text")
    write_table(paths.out / "sentences.parquet", sentences, schema=schema)
    counts = {"sentences": len(sentences["id"]), "related_rows": len(related["id"])}
    return _metrics(rows["split"], index, counts | coverage)


def _texts_of(rows: Columns, name_of_split: str) -> list[str]:
    """First texts of a split's rows, then second ones where there are pairs."""
    return [
        text
        for name in ("text", "second")
        for text, split in zip(rows[name], rows["split"], strict=True)
        if split == name_of_split and text is not None
    ]


def _save_teacher_tokenizer(params: Params, paths: Paths) -> None:
    checkpoint, requirements = params.prepare.checkpoint, params.product.requirements
    waiver(
        checkpoint.name,
        checkpoint.licence,
        allowed=requirements.allowed_licences,
        waivers=requirements.licence_waivers,
    )
    source = resolve_checkpoint(checkpoint)
    tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True)
    tokenizer.model_max_length = params.prepare.max_length
    with atomic_folder(paths.out / "teacher_tokenizer") as folder:
        tokenizer.save_pretrained(folder)


def _student_tokenizer(
    texts: list[str], unseen: list[str], settings: PrepareParams, paths: Paths
) -> tuple[Tokenizer, dict[str, float]]:
    """The student's tokenizer; of a cut one also what it covers, of the texts it was cut by and of others."""
    if settings.tokenizer != "cut":
        return _TRAIN[settings.tokenizer](texts, vocabulary_size=settings.vocabulary_size), {}
    teacher = AutoTokenizer.from_pretrained(paths.out / "teacher_tokenizer").backend_tokenizer
    tokenizer, coverage = cut_vocabulary(teacher, texts, size=settings.vocabulary_size)
    others = coverage_of(teacher, tokenizer, unseen)
    for found, of in ((coverage, "the training texts"), (others, "the validation texts")):
        require_coverage(
            found, of=of, min_kept=settings.min_coverage, max_unknown=settings.max_unknown_share
        )
    return tokenizer, {
        "vocabulary_kept": coverage.kept,
        "unknown_share": coverage.unknown,
        "validation_vocabulary_kept": others.kept,
        "validation_unknown_share": others.unknown,
    }


def _pretraining_texts(documents: Columns, settings: PrepareParams) -> tuple[list[str], list[str]]:
    """Texts to pretrain on and held-out ones; a document's hash decides."""
    train: list[str] = []
    heldout: list[str] = []
    for identifier, text in zip(documents["id"], documents["text"], strict=True):
        held = unit_hash(settings.salt, "heldout", identifier) < settings.heldout_share
        (heldout if held else train).append(text)
    return train, heldout


def _save_corpus(
    tokenizer: Tokenizer, texts: dict[str, list[str]], paths: Paths
) -> dict[str, dict[str, Any]]:
    """Token arrays that NumPy can map into memory, and their index."""
    index = {}
    with atomic_folder(paths.out / "corpus") as folder:
        for name, documents in texts.items():
            tokens = token_array(tokenizer, documents)
            np.save(folder / f"{name}.npy", tokens)
            index[name] = {
                "documents": len(documents),
                "tokens": len(tokens),
                "bytes": sum(len(text.encode()) for text in documents),
            }
        write_json(folder / "index.json", index)
    return index


def _metrics(
    splits: list[str], index: dict[str, dict[str, Any]], counts: dict[str, float]
) -> Metrics:
    sizes = {f"{split}_rows": splits.count(split) for split in SPLITS}
    shown = " / ".join(f"{size:,}" for size in sizes.values())
    return {
        **sizes,
        "corpus_tokens": index["train"]["tokens"],
        **counts,
        "headline": f"{shown} rows, {index['train']['tokens'] / 1e6:.1f} M tokens",
    }


if __name__ == "__main__":
    run_stage("prepare", run)
