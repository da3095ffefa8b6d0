"""Logits are the same whether or not a layer is looked at on the way."""

import numpy as np
import torch
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput

from pipeline.core.params import parse_params
from pipeline.core.product import Compute
from pipeline.training.predict import predict, predict_logits
from pipeline.training.token_rows import TokenRows
from tests.support.repository import parameter_values
from tests.support.tiny_models import tiny_classifier

LENGTHS = [7, 3, 9, 1, 4]


def rows() -> TokenRows:
    """Five texts of two documents, of different lengths."""
    random = np.random.default_rng(0)
    ids = [random.integers(5, 40, length).tolist() for length in LENGTHS]
    return TokenRows(ids, np.array(LENGTHS), 0, documents=np.array([0, 0, 1, 1, 1]))


def compute() -> Compute:
    found: Compute = parse_params(parameter_values()).compute
    return found.model_copy(update={"device": "cpu", "precision": "float32"})


def test_logits_are_those_that_come_with_features() -> None:
    model = tiny_classifier()
    expected = predict(model, rows(), compute=compute(), batch_size=2).logits
    found = predict_logits(model, rows(), compute=compute(), batch_size=2)
    np.testing.assert_array_equal(found, expected)
    assert expected.shape == (2, 2)


class Mean(nn.Module):
    """A model without a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(40, 2)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> SequenceClassifierOutput:
        states: torch.Tensor = self.words(input_ids) * attention_mask[..., None]
        return SequenceClassifierOutput(logits=states.sum(1))


def test_a_model_needs_no_linear_layer_to_be_asked_for_logits() -> None:
    torch.manual_seed(0)
    found = predict_logits(Mean(), rows(), compute=compute(), batch_size=2)
    assert found.shape == (2, 2)
    assert np.isfinite(found).all()
