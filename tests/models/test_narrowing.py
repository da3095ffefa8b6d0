"""A narrower encoder has the wide one's states, as far as its dimensions allow."""

import pytest
import torch
from transformers import BertConfig, BertModel

from pipeline.models.narrowing import narrow

TOKENS, LENGTH = 200, 12
WIDE, NARROW, HEAD_SIZE = 64, 48, 8


def encoder(hidden_size: int) -> BertModel:
    config = BertConfig(
        vocab_size=TOKENS,
        hidden_size=hidden_size,
        num_hidden_layers=2,
        num_attention_heads=hidden_size // HEAD_SIZE,
        intermediate_size=48,
        max_position_embeddings=LENGTH,
        initializer_range=0.1,
    )
    model = BertModel(config).eval()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.Linear):
                module.bias.normal_(std=0.1)
    return model


def texts(seed: int) -> dict[str, torch.Tensor]:
    """Random rows, half of them padded."""
    ids = torch.randint(TOKENS, (40, LENGTH), generator=torch.Generator().manual_seed(seed))
    mask = torch.ones_like(ids)
    mask[20:, LENGTH // 2 :] = 0
    return {"input_ids": ids, "attention_mask": mask}


def states(model: BertModel, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    with torch.no_grad():
        whole: torch.Tensor = model(**batch).last_hidden_state
    return whole[batch["attention_mask"].bool()]


@pytest.fixture
def wide() -> BertModel:
    """A wide encoder whose embeddings vary in twenty directions (trained models: some hundred)."""
    torch.manual_seed(1)
    model = encoder(WIDE)
    with torch.no_grad():
        varied = torch.randn(TOKENS, 20) @ torch.randn(20, WIDE)
        model.embeddings.word_embeddings.weight.copy_(varied)
    return model


def test_the_states_are_the_wide_models_in_fewer_dimensions(wide: BertModel) -> None:
    target = encoder(NARROW)
    basis = narrow(wide, target, texts(1))
    assert torch.allclose(basis.T @ basis, torch.eye(NARROW), atol=1e-5)
    assert unexplained(wide, target, basis) < 0.1


@pytest.mark.parametrize(
    "part", ["attention.output.dense", "output.dense", "attention.output.LayerNorm"]
)
def test_every_part_of_a_layer_is_needed_for_it(wide: BertModel, part: str) -> None:
    target = encoder(NARROW)
    basis = narrow(wide, target, texts(1))
    whole = unexplained(wide, target, basis)
    with torch.no_grad():
        for parameter in target.encoder.layer[1].get_submodule(part).parameters():
            parameter.copy_(torch.full_like(parameter, float(part.endswith("Norm"))))
    assert unexplained(wide, target, basis) > whole + 0.04


def unexplained(wide: BertModel, target: BertModel, basis: torch.Tensor) -> float:
    """The share of the projected states' variance that the narrow model misses on new texts."""
    fresh = texts(2)
    wanted, found = states(wide, fresh) @ basis, states(target, fresh)
    spread = (wanted - wanted.mean(dim=0)).square().sum()
    return float((found - wanted).square().sum() / spread)


def test_padding_does_not_count(wide: BertModel) -> None:
    """The same texts with other tokens behind their ends give the same model."""
    sample = texts(1)
    other = sample["input_ids"].masked_fill(sample["attention_mask"] == 0, 7)
    models = []
    for batch in (sample, sample | {"input_ids": other}):
        torch.manual_seed(3)
        models.append(encoder(NARROW))
        narrow(wide, models[-1], batch)
    for name, tensor in models[0].state_dict().items():
        assert torch.allclose(tensor, models[1].state_dict()[name], atol=1e-4), name


def test_the_heads_with_the_largest_weights_stay(wide: BertModel) -> None:
    attention = wide.encoder.layer[0].attention
    largest = [0, 1, 3, 4, 6, 7]
    with torch.no_grad():
        for head in largest:
            attention.self.value.weight[head * HEAD_SIZE : (head + 1) * HEAD_SIZE] *= 3
    target = encoder(NARROW)
    basis = narrow(wide, target, texts(1))
    places = [head * HEAD_SIZE + place for head in largest for place in range(HEAD_SIZE)]
    given, taken = attention.self.query, target.encoder.layer[0].attention.self.query
    assert torch.equal(taken.bias, given.bias[places])
    assert torch.allclose(taken.weight, given.weight[places] @ basis)


def test_a_sample_of_one_text_gives_numbers(wide: BertModel) -> None:
    target = encoder(NARROW)
    narrow(wide, target, {name: tensor[:1] for name, tensor in texts(1).items()})
    assert all(tensor.isfinite().all() for tensor in target.state_dict().values())
