"""Tiny random BERT classifiers with a tokenizer, as a training stage would leave them."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

from pipeline.models.first_token import read_first_token_only
from pipeline.text.tokenizer import SPECIAL_TOKENS, save_for_transformers
from pipeline.training.objectives.gold import GoldObjective, label_objective
from pipeline.training.token_rows import TokenRows
from tests.support.tiny_bundle import word_tokenizer

WORDS = ["a", "the", "film", "story", "plot", "jokes", "cast", "is", "was", "not", "never", "good"]
WORDS += ["bad", "great", "dull", "warm", "funny", "slow", "brilliant", "awful", "and"]
WORDS += ["but", "or", "with", "of", "this", "that", "it", ",", ".", "!", "##s", "##y", "##er"]
LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]
SPECIAL = SPECIAL_TOKENS.values()
VOCABULARY = list(dict.fromkeys([*SPECIAL, *LETTERS, *(f"##{x}" for x in LETTERS), *WORDS]))


def write_tokenizer(folder: Path, *, max_length: int = 32) -> None:
    """Save a small WordPiece tokenizer as `save_pretrained` does."""
    save_for_transformers(word_tokenizer(VOCABULARY), folder, max_length=max_length)


def bert_config(*, width: int, layers: int = 2, **more: Any) -> BertConfig:
    """A small BERT over the tokenizer's vocabulary, twice as wide within; `more` of its settings."""
    size = {"vocab_size": len(VOCABULARY), "hidden_size": width, "intermediate_size": 2 * width}
    return BertConfig(**size | {"num_hidden_layers": layers, "num_attention_heads": 2} | more)


def write_model(
    folder: Path,
    *,
    seed: int = 0,
    labels: tuple[str, ...] = ("negative", "positive"),
    layers: int = 2,
    hidden_size: int = 32,
    max_length: int = 32,
) -> BertForSequenceClassification:
    """Save a random classifier with its tokenizer into `folder` and return it.

    Weights are drawn wide, so that answers differ from text to text.
    """
    torch.manual_seed(seed)
    config = bert_config(
        width=hidden_size,
        layers=layers,
        max_position_embeddings=max_length,
        initializer_range=0.3,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
    model = BertForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    write_tokenizer(folder, max_length=max_length)
    return model


def write_language_model(folder: Path, *, max_length: int = 32) -> None:
    """Save a random masked language model with its tokenizer, as pretrain leaves one."""
    torch.manual_seed(7)
    positions = {"max_position_embeddings": max_length, "type_vocab_size": 1}
    config = bert_config(width=32, layers=1, initializer_range=0.3, **positions)
    BertForMaskedLM(config).save_pretrained(folder)
    write_tokenizer(folder, max_length=max_length)


def tiny_classifier(*, layers: int = 2, width: int = 16) -> BertForSequenceClassification:
    """A random classifier of 40 tokens in evaluation mode, the same at every call."""
    torch.manual_seed(0)
    size = {"vocab_size": 40, "intermediate_size": 24, "type_vocab_size": 1}
    config = bert_config(width=width, layers=layers, max_position_embeddings=16, **size)
    return BertForSequenceClassification(config).eval()


def classifier_logits(model: torch.nn.Module) -> torch.Tensor:
    """The answer of a tiny classifier to one text of ten tokens."""
    ids = torch.arange(5, 15)[None]
    with torch.inference_mode():
        answer: torch.Tensor = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    return answer


def random_objective() -> GoldObjective:
    """Eight rows of random tokens with random labels."""
    random = np.random.default_rng(0)
    rows = TokenRows([random.integers(5, 40, 7).tolist() for _ in range(8)], np.full(8, 7), 0)
    return label_objective(rows, random.integers(0, 2, 8))


def first_token_classifier() -> BertForSequenceClassification:
    """As the stages load it."""
    model = tiny_classifier()
    read_first_token_only(model)
    return model


def texts(count: int, *, seed: int = 0, longest: int = 40) -> list[str]:
    """`count` different texts made of the tokenizer's words, some longer than a model takes."""
    generator = torch.Generator().manual_seed(seed)
    words = [word for word in WORDS if not word.startswith("##")]

    def text(number: int) -> str:
        length = int(torch.randint(1, longest, (1,), generator=generator))
        chosen = torch.randint(0, len(words), (length,), generator=generator).tolist()
        return " ".join([*(words[i] for i in chosen), chr(ord("a") + number % 26)])

    return [text(number) for number in range(count)]
