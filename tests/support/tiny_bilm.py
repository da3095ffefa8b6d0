"""Small random bidirectional language models whose answers differ from text to text."""

from typing import TypeVar

import torch

from pipeline.models.bilm import BilmConfig, BilmForLanguageModelling
from pipeline.models.bilm_classifier import BilmForSequenceClassification
from pipeline.models.characters import CharacterEmbedding, spelling

VOCABULARY = 40
WIDTH, CELLS = 12, 20
Model = TypeVar("Model", BilmForLanguageModelling, BilmForSequenceClassification)


def tiny_config(**changes: object) -> BilmConfig:
    """Two layers; no dropout unless asked for."""
    values: dict[str, object] = {
        "vocab_size": VOCABULARY,
        "hidden_size": WIDTH,
        "intermediate_size": CELLS,
        "initializer_range": 0.4,
        "num_labels": 2,
    }
    return BilmConfig(**(values | changes))


def tiny_language_model(**changes: object) -> BilmForLanguageModelling:
    """In evaluation mode, the same at every call."""
    torch.manual_seed(0)
    return _spelled(BilmForLanguageModelling(tiny_config(**changes)))


def tiny_bilm_classifier(**changes: object) -> BilmForSequenceClassification:
    """In evaluation mode, the same at every call."""
    torch.manual_seed(0)
    return _spelled(BilmForSequenceClassification(tiny_config(**changes)))


def _spelled(model: Model) -> Model:
    if isinstance(model.bilm.embeddings, CharacterEmbedding):
        words: list[bytes | None] = [None] * 5
        words += [f"w{number}".encode() * (1 + number % 3) for number in range(5, VOCABULARY)]
        model.bilm.embeddings.symbols.copy_(spelling(words))
    model.eval()
    return model
