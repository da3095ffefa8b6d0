"""prepare: makes both tokenizers, tokenizes the corpus, and chooses sentences for transfer.

Where there is no corpus, the texts of the training rows stand for it, and those of validation for the
part of it that is held out.

Reads   artifacts/label/{records.parquet, corpus.parquet}, the checkpoint
Writes  artifacts/prepare/{records.parquet, related.parquet, sentences.parquet, teacher_tokenizer/,
        student_tokenizer/, corpus/, metrics.json}
"""

from collections.abc import Mapping, Sequence

import numpy as np
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from pipeline.core.artifacts.table_columns import SOURCE_ID, PreparedRecords, RelatedRows, Sentences
from pipeline.core.errors import DataError
from pipeline.core.files import atomic_folder, write_json
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.sections import PrepareParams
from pipeline.core.stage import Metrics, run_stage
from pipeline.data.records import Record, read_records, write_records
from pipeline.data.related_rows import related_rows
from pipeline.data.sources import waiver
from pipeline.data.tables import column_names
from pipeline.data.transfer_set import Sentence, transfer_sentences
from pipeline.models.checkpoint_check import OpenCheckpoint, open_checkpoint
from pipeline.models.new_vocabulary import has_new_words, require_replaceable
from pipeline.text.split_assignment import SPLITS, unit_hash
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
    labelled = paths.read("label", "records.parquet")
    rows, source_ids = read_records(labelled), SOURCE_ID in column_names(labelled)
    names = PreparedRecords.columns(source_ids=source_ids)
    write_records(paths.out / "records.parquet", rows, names)
    own, unseen = _texts(rows, "train"), _texts(rows, "validation")
    unknown = 0.0
    if has_new_words(settings):
        require_replaceable(checkpoint.family, of=f"checkpoint {settings.checkpoint.name}")
    else:
        unknown = _save_teacher_tokenizer(
            checkpoint, [*unseen, *own], settings=settings, paths=paths
        )
    corpus = read_records(paths.read("label", "corpus.parquet"))
    documents = corpus[: settings.max_corpus_documents]
    related = related_rows(documents, params)
    write_records(paths.out / "related.parquet", related, RelatedRows.columns())
    train, heldout = _pretraining_texts(documents, settings)
    say(f"prepare  student vocabulary from {len(train):,} documents and the train rows")
    tokenizer, coverage = _student_tokenizer(own, train, unseen=unseen, params=params, paths=paths)
    if has_new_words(settings):
        unknown = coverage["unknown_share"]
    for reader in ["student", "teacher"] if has_new_words(settings) else ["student"]:
        with atomic_folder(paths.out / f"{reader}_tokenizer") as folder:
            save_for_transformers(tokenizer, folder, max_length=settings.max_length)
    if not documents:  # the language is learned from the rows, and judged on those of validation
        train, heldout = own, unseen
    train_tokens = _save_corpus(tokenizer, train=train, heldout=heldout, paths=paths)
    sentences = _sentences(documents, rows, params)
    write_records(paths.out / "sentences.parquet", sentences, Sentences.columns())
    sizes = {split: sum(row.split == split for row in rows) for split in SPLITS}
    return {
        **{f"{split}_rows": size for split, size in sizes.items()},
        "corpus_tokens": train_tokens,
        "sentences": len(sentences),
        "sentence_ends": settings.sentence_ends,
        "related_rows": len(related),
        **coverage,
        "teacher_unknown_share": unknown,
        "checkpoint": checkpoint.facts,
        "headline": f"{' / '.join(f'{size:,}' for size in sizes.values())} rows, "
        f"{train_tokens / 1e6:.1f} M tokens",
    }


def _sentences(
    documents: Sequence[Record], rows: Sequence[Record], params: Params
) -> list[Sentence]:
    """The corpus sentences that the teacher may answer; none for pairs, and none without a corpus.

    Raises:
        DataError: the documents have no usable sentence.
    """
    # A sentence has no second text, so a product of pairs learns from its rows alone.
    if params.product.pairs or not documents:
        return []
    if not (found := transfer_sentences(documents, rows, params.prepare)):
        raise _no_sentence(len(documents), params.prepare)
    return found


def _texts(rows: Sequence[Record], split: str) -> list[str]:
    """First texts of a split's rows, then second ones where there are pairs."""
    chosen = [row for row in rows if row.split == split]
    return [
        *(row.text for row in chosen),
        *(row.second for row in chosen if row.second is not None),
    ]


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
    own: list[str], corpus: list[str], *, unseen: list[str], params: Params, paths: Paths
) -> tuple[Tokenizer, dict[str, float]]:
    """The student's tokenizer, and the figures of its coverage for metrics.json.

    Args:
        own: texts of the training rows; the vocabulary is made from them and the corpus.
        unseen: other texts, on which the vocabulary is checked too.

    Raises:
        DataError: the vocabulary covers too little of the texts.
    """
    settings = params.prepare
    if settings.tokenizer != "cut":
        return _trained([*own, *corpus], [*unseen, *own], settings)
    teacher = AutoTokenizer.from_pretrained(paths.out / "teacher_tokenizer").backend_tokenizer
    tokenizer, coverage = cut_vocabulary(teacher, [*own, *corpus], size=settings.vocabulary_size)
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


def _pretraining_texts(
    documents: Sequence[Record], settings: PrepareParams
) -> tuple[list[str], list[str]]:
    """Texts to pretrain on, and texts held out for the language model's score; a hash decides."""
    parts: tuple[list[str], list[str]] = [], []
    for document in documents:
        held = unit_hash(settings.salt, "heldout", document.id) < settings.heldout_share
        parts[held].append(document.text)
    return parts


def _no_sentence(documents: int, settings: PrepareParams) -> DataError:
    shortest, longest = settings.min_sentence_words, settings.max_sentence_words
    return DataError(
        f"{documents:,} documents of the corpus without a sentence to learn from",
        expected=f"sentences of {shortest} to {longest} words that are no validation or test text",
        next_step="change prepare.min_sentence_words or max_sentence_words (1 and more, for a language"
        " without spaces between words), add other texts, or leave the corpus out",
    )


def _save_corpus(
    tokenizer: Tokenizer, *, train: Sequence[str], heldout: Sequence[str], paths: Paths
) -> int:
    """Save token arrays for NumPy's memory map, and an index; returns the tokens of train."""
    index = {}
    with atomic_folder(paths.out / "corpus") as folder:
        parts: Mapping[str, Sequence[str]] = {"train": train, "heldout": heldout}
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
