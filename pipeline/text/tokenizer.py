"""Trains the student's own vocabulary, WordPiece or byte-level BPE, and encodes a corpus with it.

A domain's vocabulary is a quarter of a general one, and the student's embeddings, most of its size,
shrink with it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors, trainers
from tokenizers.models import BPE, WordPiece
from transformers import PreTrainedTokenizerFast

from pipeline.core.progress import Progress

SPECIAL_TOKENS = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
_BATCH = 1000
_ALPHABET = 200
"""Characters that every vocabulary has room for; enough for a script of letters."""
_COVERED = 0.9999
"""Share of the characters in the texts that a larger alphabet covers, as Chinese and Japanese need it."""
_LONGEST_WORD = 100
_LONGEST_RUN = 250
_RUN = re.compile(rf"\S{{{_LONGEST_RUN}}}|\s{{{_LONGEST_RUN}}}")
_LARGEST_UINT16 = 1 << 16


def train_wordpiece(texts: Sequence[str], *, vocabulary_size: int) -> Tokenizer:
    """Trains an uncased WordPiece tokenizer like BERT's; special tokens have ids 0 to 4.

    The trainer of `tokenizers` numbers continuations (`##e`) in the order of a hash table, which
    differs from run to run, and breaks ties by number. To be deterministic, they are numbered here
    beforehand.
    """
    alphabet = _alphabet(texts, most=vocabulary_size // 2)
    specials = [*SPECIAL_TOKENS.values()]
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary_size,
        special_tokens=specials + [f"##{c}" for c in alphabet if _continues(c)],
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        min_frequency=2,
        show_progress=False,
    )
    trained = _uncased(WordPiece(unk_token=SPECIAL_TOKENS["unk_token"]))
    trained.train_from_iterator(_pieces(texts), trainer=trainer, length=len(texts))
    # A new tokenizer with the same vocabulary, in which continuations are not special tokens.
    tokenizer = _uncased(
        WordPiece(
            trained.get_vocab(),
            unk_token=SPECIAL_TOKENS["unk_token"],
            max_input_chars_per_word=_LONGEST_WORD,
        )
    )
    tokenizer.add_special_tokens(specials)
    tokenizer.post_processor = framed()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    return tokenizer


def train_byte_bpe(texts: Sequence[str], *, vocabulary_size: int) -> Tokenizer:
    """Trains a cased byte-level BPE tokenizer (Sennrich et al. 2016; Radford et al. 2019).

    Any text is bytes, so there are no unknown tokens; text is only normalised to Unicode's NFC.
    Special tokens have the same ids as in `train_wordpiece`.
    """
    specials = [*SPECIAL_TOKENS.values()]
    tokenizer = Tokenizer(BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=specials,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_pieces(texts), trainer=trainer, length=len(texts))
    tokenizer.post_processor = framed()
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def framed() -> processors.TemplateProcessing:
    """The template `[CLS] first text [SEP] second text [SEP]`; special tokens have ids 0 to 4."""
    specials = [*SPECIAL_TOKENS.values()]
    return processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, specials.index(token)) for token in ("[CLS]", "[SEP]")],
    )


def _uncased(model: WordPiece) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _alphabet(texts: Sequence[str], *, most: int) -> list[str]:
    """The most frequent characters after normalisation, sorted; ties go to lower code points.

    Args:
        most: how many there may be where 200 do not cover the texts.
    """
    raw: Counter[str] = Counter()
    for text in texts:
        raw.update(text)
    normalizer = normalizers.BertNormalizer(lowercase=True)
    counts: Counter[str] = Counter()
    for character, count in raw.items():
        for result in normalizer.normalize_str(character):
            if not result.isspace():
                counts[result] += count
    ranked = sorted(counts, key=lambda character: (-counts[character], character))
    covered = accumulate(counts[character] for character in ranked)
    needed = 1 + sum(count < _COVERED * counts.total() for count in covered)
    return sorted(ranked[: max(_ALPHABET, min(needed, most))])


def _continues(character: str) -> bool:
    """Whether a character can be inside a word; punctuation and Han are always words of their own."""
    text = normalizers.BertNormalizer(lowercase=True).normalize_str(f"a{character}")
    return len(pre_tokenizers.BertPreTokenizer().pre_tokenize_str(text)) == 1


def save_for_transformers(tokenizer: Tokenizer, folder: Path, *, max_length: int) -> None:
    """Writes a tokenizer with its length limit, so that `AutoTokenizer` can load it."""
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=max_length, **SPECIAL_TOKENS
    ).save_pretrained(folder)


def token_array(tokenizer: Tokenizer, texts: Sequence[str]) -> NDArray[np.unsignedinteger]:
    """The ids of all texts joined, each text followed by `[SEP]`, `(tokens,)`, uint16 if ids fit.

    WordPiece never crosses white space, so each distinct chunk between spaces is encoded only once,
    which gives the same ids several times faster. Byte-level BPE keeps white space and encodes
    whole texts.
    """
    end = tokenizer.token_to_id("[SEP]")
    small = tokenizer.get_vocab_size() <= _LARGEST_UINT16
    kind: type[np.unsignedinteger] = np.uint16 if small else np.uint32
    known: dict[str, list[int]] = {}
    parts: list[NDArray[np.unsignedinteger]] = [np.empty(0, dtype=kind)]
    for batch in _batches(texts, "prepare  tokens"):
        if not isinstance(tokenizer.model, WordPiece):
            encodings = tokenizer.encode_batch_fast(batch, add_special_tokens=False)
            parts += [np.array([*encoding.ids, end], dtype=kind) for encoding in encodings]
            continue
        chunks = [text.split() for text in batch]
        new = [*dict.fromkeys(c for text in chunks for c in text if c not in known)]
        encodings = tokenizer.encode_batch_fast(new, add_special_tokens=False)
        known.update(zip(new, (encoding.ids for encoding in encodings), strict=True))
        for text in chunks:
            parts.append(np.array([*chain(*(known[c] for c in text)), end], dtype=kind))
    return np.concatenate(parts)


def _pieces(texts: Sequence[str]) -> Iterator[list[str]]:
    for batch in _batches(texts, "prepare  vocabulary"):
        yield [piece for text in batch for piece in _in_pieces(text)]


def _in_pieces(text: str) -> list[str]:
    """Cuts very long runs without or of spaces: training time is quadratic in them."""
    if len(text) <= _LONGEST_RUN:
        return [text]
    cuts = [0, *(run.end() for run in _RUN.finditer(text)), len(text)]
    return [text[start:end] for start, end in pairwise(cuts)]


def _batches(texts: Sequence[str], task: str) -> Iterator[list[str]]:
    progress = Progress(task, len(texts))
    for start in range(0, len(texts), _BATCH):
        yield list(texts[start : start + _BATCH])
        progress.update(min(start + _BATCH, len(texts)))
