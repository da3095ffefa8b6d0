"""Small random language models of both families as ONNX with a tokenizer, as export leaves them."""

from pathlib import Path

import torch
from transformers import BertForMaskedLM, PreTrainedModel

from pipeline.compression.language_model_onnx import export_language_model
from pipeline.text.tokenizer import save_for_transformers, train_byte_bpe, train_wordpiece
from tests.support.tiny_bilm import tiny_language_model
from tests.support.tiny_models import bert_config

TEXTS = [
    "The film is warm and funny.",
    "A dull film with a slow story!",
    "The cast was great, and the story never slow.",
    "배우들의 연기가 좋았다.",
] * 4
MAX_LENGTH = 32


def write_language_model(folder: Path, family: str) -> PreTrainedModel:
    """Write `model.onnx` and `tokenizer.json`; returns the torch model."""
    folder.mkdir(parents=True)
    train = train_byte_bpe if family == "bilm" else train_wordpiece
    tokenizer = train(TEXTS, vocabulary_size=320)
    save_for_transformers(tokenizer, folder, max_length=MAX_LENGTH)
    size = tokenizer.get_vocab_size()
    model = tiny_language_model(vocab_size=size) if family == "bilm" else _tiny_bert(size)
    export_language_model(model, folder / "model.onnx", opset=17)
    return model


def _tiny_bert(vocabulary_size: int) -> BertForMaskedLM:
    torch.manual_seed(0)
    size = {"vocab_size": vocabulary_size, "intermediate_size": 24, "type_vocab_size": 1}
    config = bert_config(
        width=16, max_position_embeddings=MAX_LENGTH, initializer_range=0.3, **size
    )
    return BertForMaskedLM(config).eval()
