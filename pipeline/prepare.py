"""prepare: makes both tokenizers, tokenizes the corpus, and chooses sentences for transfer.

Where there is no corpus, the texts of the training rows stand for it, and those of validation for the
part of it that is held out.

Reads   artifacts/label/{records.parquet, corpus.parquet}, the checkpoint
Writes  artifacts/prepare/{records.parquet, related.parquet, sentences.parquet, teacher_tokenizer/,
        student_tokenizer/, corpus/, metrics.json}
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from pipeline.core.artifacts.table_columns import (
    SOFT,
    SOURCE_ID,
    PreparedRecords,
    RelatedRows,
    Sentences,
)
from pipeline.core.errors import DataError
from pipeline.core.files import atomic_folder, write_json
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.sections import PrepareParams
from pipeline.core.stage import Metrics, run_stage
from pipeline.data.learned_texts import LearnedTexts, learned_texts, of_split
from pipeline.data.records import record_schema
from pipeline.data.related_rows import related_rows
from pipeline.data.sources import waiver
from pipeline.data.tables import column_names, read_batches, table_writer
from pipeline.data.transfer_set import transfer_sentences
from pipeline.models.checkpoint_check import OpenCheckpoint, open_checkpoint
from pipeline.models.new_vocabulary import has_new_words, require_replaceable
from pipeline.text.split_assignment import SPLITS
from pipeline.text.tokenizer import (
    SPECIAL_TOKENS,
    save_for_transformers,
    token_array,
    train_byte_bpe,
    train_wordpiece,
)
from pipeline.text.unknown import TEACHER_LIMIT, require_known, unknown_tokens
from pipeline.text.vocabulary import coverage_of, cut_vocabulary, require_coverage

_TRAIN = {"wordpiece": train_wordpiece, "byte_bpe": train_byte_bpe}


def run(params: Params, paths: Paths) -> Metrics:
    """Make both tokenizers, tokenize the corpus, choose sentences for transfer."""
    settings = params.prepare
    waiver(settings.checkpoint, params.product.requirements)
    labels, length = len(params.product.labels), settings.max_length
    checkpoint = open_checkpoint(settings.checkpoint, labels=labels, max_length=length)
    records, corpus = (paths.read("label", f"{name}.parquet") for name in ("records", "corpus"))
    sizes = _copy_records(records, paths.out / "records.parquet")
    texts = learned_texts(records, corpus, settings, folder=paths.out)
    unknown = 0.0
    if has_new_words(settings):
        require_replaceable(checkpoint.family, of=f"checkpoint {settings.checkpoint.name}")
    else:
        unknown = _save_teacher_tokenizer(checkpoint, texts.of_rows, settings=settings, paths=paths)
    related = _save_related(corpus, params, paths)
    say(f"prepare  student vocabulary from {len(texts.train):,} documents and the train rows")
    tokenizer, coverage = _student_tokenizer(texts, params=params, paths=paths)
    if has_new_words(settings):
        unknown = coverage["unknown_share"]
    for reader in ["student", "teacher"] if has_new_words(settings) else ["student"]:
        with atomic_folder(paths.out / f"{reader}_tokenizer") as folder:
            save_for_transformers(tokenizer, folder, max_length=settings.max_length)
    train_tokens = _save_corpus(tokenizer, texts, paths=paths)
    sentences = _save_sentences(records, corpus, params, documents=texts.documents, paths=paths)
    return {
        **{f"{split}_rows": size for split, size in sizes.items()},
        "corpus_tokens": train_tokens,
        "sentences": sentences,
        "sentence_ends": settings.sentence_ends,
        "related_rows": related,
        **coverage,
        "teacher_unknown_share": unknown,
        "checkpoint": checkpoint.facts,
        "headline": f"{' / '.join(f'{size:,}' for size in sizes.values())} rows, "
        f"{train_tokens / 1e6:.1f} M tokens",
    }


def _copy_records(source: Path, target: Path) -> dict[str, int]:
    """Writes the labelled rows as later stages read them; returns how many rows each split has."""
    sizes = dict.fromkeys(SPLITS, 0)
    there = column_names(source)
    columns = PreparedRecords.columns(source_ids=SOURCE_ID in there, soft=SOFT in there)
    with table_writer(target, record_schema(columns)) as writer:
        for batch in read_batches(source, columns):
            writer.add(pa.table(batch))
            for split in batch.column("split").to_pylist():
                sizes[split] += 1
    return sizes


def _save_related(corpus: Path, params: Params, paths: Paths) -> int:
    """Writes a row of each document that has a label; returns how many there are."""
    documents = read_batches(
        corpus, ["id", "text", "label"], most=params.prepare.max_corpus_documents
    )
    columns = record_schema(RelatedRows.columns())
    with table_writer(paths.out / "related.parquet", columns) as writer:
        for rows in related_rows(documents, params):
            writer.add(rows)
        return writer.written


def _save_sentences(
    records: Path, corpus: Path, params: Params, *, documents: int, paths: Paths
) -> int:
    """Writes the corpus sentences that the teacher may answer; returns how many there are.

    There are none for pairs, and none without a corpus.

    Raises:
        DataError: the documents have no usable sentence.
    """
    settings = params.prepare
    with table_writer(
        paths.out / "sentences.parquet", record_schema(Sentences.columns())
    ) as writer:
        # A sentence has no second text, so a product of pairs learns from its rows alone.
        if params.product.pairs or not documents:
            return 0
        found = transfer_sentences(
            read_batches(corpus, ["id", "text"], most=settings.max_corpus_documents),
            [
                text
                for split in ("validation", "test")
                for part in of_split(records, split)
                for text in part.to_pylist()
            ],
            settings,
            count=documents,
            folder=paths.out,
        )
        if not len(found):
            raise _no_sentence(documents, settings)
        for rows in found.parts():
            writer.add(rows)
        return writer.written


def _save_teacher_tokenizer(
    checkpoint: OpenCheckpoint, texts: Sequence[str], *, settings: PrepareParams, paths: Paths
) -> float:
    """Saves the checkpoint's tokenizer for the teacher; returns its unknown share of the texts.

    Raises:
        DataError: it does not know the language of the texts.
    """
    tokenizer = checkpoint.tokenizer
    found = unknown_tokens(tokenizer.backend_tokenizer, texts, unknown=tokenizer.unk_token)
    require_known(
        found,
        of=f"the tokenizer of checkpoint {settings.checkpoint.name}",
        max_share=max(TEACHER_LIMIT, settings.max_unknown_share),
        limit="a quarter, or prepare.max_unknown_share where it is more",
        next_step="name a checkpoint of the texts' language, or a multilingual one, in"
        " prepare.checkpoint; or set prepare.teacher_tokenizer: student and prepare.tokenizer: byte_bpe,"
        " by which the teacher learns its words from your rows",
    )
    if found.share > settings.max_unknown_share:
        say(
            f"prepare  {found.share:.2%} of the tokens are unknown to the teacher: {found.examples}"
        )
    tokenizer.model_max_length = settings.max_length
    with atomic_folder(paths.out / "teacher_tokenizer") as folder:
        tokenizer.save_pretrained(folder)
    return found.share


def _student_tokenizer(
    texts: LearnedTexts, *, params: Params, paths: Paths
) -> tuple[Tokenizer, dict[str, float]]:
    """The student's tokenizer, and the figures of its coverage for metrics.json.

    Raises:
        DataError: the vocabulary covers too little of the texts.
    """
    settings = params.prepare
    if settings.tokenizer != "cut":
        return _trained(texts.of_training, texts.of_rows, settings)
    teacher = AutoTokenizer.from_pretrained(paths.out / "teacher_tokenizer").backend_tokenizer
    tokenizer, coverage = cut_vocabulary(teacher, texts.of_training, size=settings.vocabulary_size)
    others = coverage_of(teacher, tokenizer, texts.unseen)
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


def _trained(
    texts: Sequence[str], rows: Sequence[str], settings: PrepareParams
) -> tuple[Tokenizer, dict[str, float]]:
    """A vocabulary of its own that is trained on texts, and its unknown share of the rows' texts."""
    tokenizer = _TRAIN[settings.tokenizer](texts, vocabulary_size=settings.vocabulary_size)
    found = unknown_tokens(tokenizer, rows, unknown=SPECIAL_TOKENS["unk_token"])
    require_known(
        found,
        of=f"a student's vocabulary of {tokenizer.get_vocab_size():,} tokens",
        max_share=settings.max_unknown_share,
        limit="prepare.max_unknown_share",
        next_step="set prepare.tokenizer: byte_bpe, which knows every character; or raise"
        " prepare.vocabulary_size or prepare.max_unknown_share",
    )
    return tokenizer, {"unknown_share": found.share}


def _no_sentence(documents: int, settings: PrepareParams) -> DataError:
    shortest, longest = settings.min_sentence_words, settings.max_sentence_words
    return DataError(
        f"{documents:,} documents of the corpus without a sentence to learn from",
        expected=f"sentences of {shortest} to {longest} words that are no validation or test text",
        next_step="change prepare.min_sentence_words or max_sentence_words (1 and more, for a language"
        " without spaces between words), add other texts, or leave the corpus out",
    )


def _save_corpus(tokenizer: Tokenizer, texts: LearnedTexts, *, paths: Paths) -> int:
    """Save token arrays for NumPy's memory map, and an index; returns the tokens of train.

    Without a corpus, the language is learned from the training rows, and judged on those of validation.
    """
    index = {}
    parts = {"train": texts.train, "heldout": texts.heldout}
    if not texts.documents:
        parts = {"train": texts.own, "heldout": texts.unseen}
    with atomic_folder(paths.out / "corpus") as folder:
        for name, documents in parts.items():
            tokens = token_array(tokenizer, documents)
            np.save(folder / f"{name}.npy", tokens)
            index[name] = {
                "documents": len(documents),
                "tokens": len(tokens),
                "bytes": sum(len(text.encode()) for text in documents),
            }
        write_json(folder / "index.json", index)
    return index["train"]["tokens"]


if __name__ == "__main__":
    run_stage("prepare", run)
