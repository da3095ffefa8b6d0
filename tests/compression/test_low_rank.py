"""Low-rank embeddings lose directions that texts hardly use; the export loses nothing more."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from pipeline.compression.low_rank import LowRankEmbedding as LowRank
from pipeline.compression.low_rank import factorise, fuse_factors, split_into_factors
from pipeline.compression.onnx_export import export_onnx
from pipeline.core.errors import ArtifactError
from tests.support.tiny_models import classifier_logits as logits
from tests.support.tiny_models import tiny_classifier

COUNTS = np.zeros(40, dtype=np.int64)
COUNTS[5:15] = 1_000_000


def test_a_table_of_that_rank_is_kept_whole() -> None:
    model = tiny_classifier()
    words = model.bert.embeddings.word_embeddings
    thin = torch.randn(len(words.weight), 4) @ torch.randn(4, words.weight.shape[1])
    words.weight.data.copy_(thin)
    before = logits(model)
    factorise(model, COUNTS, rank=4)
    assert model.bert.embeddings.word_embeddings.table.shape == (len(thin), 4)
    assert torch.allclose(before, logits(model), atol=1e-4)


def test_tokens_of_the_texts_are_kept_better_than_the_rest() -> None:
    model = tiny_classifier()
    before = model.bert.embeddings.word_embeddings.weight.detach().clone()
    factorise(model, COUNTS, rank=8)
    error = (model.bert.embeddings.word_embeddings.weight - before).norm(dim=1)
    assert error[5:15].mean() < 0.6 * error[15:].mean()


def test_the_saved_model_loads_in_transformers_and_answers_alike(tmp_path: Path) -> None:
    model = tiny_classifier()
    factorise(model, COUNTS, rank=8)
    before = logits(model)
    fuse_factors(model)
    model.save_pretrained(tmp_path)
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    assert torch.allclose(before, logits(loaded), atol=1e-5)
    split_into_factors(loaded)
    assert isinstance(loaded.bert.embeddings.word_embeddings, LowRank)
    assert torch.allclose(before, logits(loaded), atol=1e-4)


def test_the_exported_graph_holds_the_thin_table(tmp_path: Path) -> None:
    model = tiny_classifier()
    tokens = model.config.vocab_size
    factorise(model, COUNTS, rank=8)
    fuse_factors(model)
    export_onnx(model, tmp_path / "model.onnx", opset=17)
    shapes = [tuple(t.dims) for t in onnx.load(tmp_path / "model.onnx").graph.initializer]
    assert (tokens, 8) in shapes
    assert (tokens, model.config.hidden_size) not in shapes


@pytest.mark.parametrize("rank", [0, 10_000])
def test_a_rank_that_saves_nothing_is_refused(rank: int) -> None:
    with pytest.raises(ArtifactError, match="embedding_rank"):
        factorise(tiny_classifier(), np.zeros(1, dtype=np.int64), rank=rank)
