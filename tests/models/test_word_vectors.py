"""Texts as the mean of a checkpoint's word vectors, which costs no pass through the model."""

from pathlib import Path

import numpy as np
from transformers import BertModel

from pipeline.models.word_vectors import WordVectors
from tests.support import tiny_models


def checkpoint(folder: Path) -> Path:
    tiny_models.write_tokenizer(folder)
    BertModel(tiny_models.bert_config(width=8, layers=1)).save_pretrained(folder)
    return folder


def test_a_text_is_the_mean_of_the_vectors_of_its_tokens(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path)
    found = WordVectors.of(folder)
    assert found is not None
    table = BertModel.from_pretrained(folder).embeddings.word_embeddings.weight.detach().numpy()
    texts = ["good good", "bad"]
    good, bad = (found.tokenizer.token_to_id(word) for word in ("good", "bad"))
    means = found.means(texts)
    assert means.shape == (2, 8)
    for row, token in zip(means, (good, bad), strict=True):
        cosine = row @ table[token] / np.linalg.norm(row) / np.linalg.norm(table[token])
        assert cosine > 0.999


def test_an_empty_text_is_nothing(tmp_path: Path) -> None:
    found = WordVectors.of(checkpoint(tmp_path))
    assert found is not None
    assert (found.means(["good", ""])[1] == 0).all()


def test_a_checkpoint_without_word_vectors_has_none(tmp_path: Path) -> None:
    tiny_models.write_tokenizer(tmp_path)
    assert WordVectors.of(tmp_path) is None
