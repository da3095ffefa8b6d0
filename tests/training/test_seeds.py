"""Several seeds of one training, kept as their mean: one start, the mean of all weights, nothing trained twice."""

from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from pipeline.training.checkpoint import Checkpoints
from pipeline.training.seeds import Seeds
from tests.support.tiny_models import tiny_classifier


@pytest.fixture
def seeds(tmp_path: Path) -> Seeds:
    return Seeds(tmp_path, first=5, count=3, keep="mean")


def add_the_seed(
    model: PreTrainedModel, seed: int, _checkpoints: Checkpoints
) -> list[dict[str, float]]:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(seed)
    return []


def first_weight(model: PreTrainedModel) -> float:
    return float(model.classifier.bias[0].detach())


def test_the_mean_of_all_weights_is_kept(seeds: Seeds) -> None:
    torch.manual_seed(5)
    start = tiny_classifier().state_dict()
    kept, outcomes = seeds.train(tiny_classifier, add_the_seed, first_weight)
    for name, weights in kept.state_dict().items():
        torch.testing.assert_close(weights, start[name] + 6)
    assert not kept.training
    assert [outcome.seed for outcome in outcomes] == [5, 6, 7]
    assert [outcome.quality for outcome in outcomes] == pytest.approx(
        [float(start["classifier.bias"][0]) + seed for seed in (5, 6, 7)]
    )


def test_what_a_kill_left_is_not_trained_again(seeds: Seeds) -> None:
    def killed_at_the_last(
        model: PreTrainedModel, seed: int, checkpoints: Checkpoints
    ) -> list[dict[str, float]]:
        if seed == 7:
            raise KeyboardInterrupt
        return add_the_seed(model, seed, checkpoints)

    taught: list[int] = []

    def told(model: PreTrainedModel, seed: int, checkpoints: Checkpoints) -> list[dict[str, float]]:
        taught.append(seed)
        return add_the_seed(model, seed, checkpoints)

    with pytest.raises(KeyboardInterrupt):
        seeds.train(tiny_classifier, killed_at_the_last, first_weight)
    kept, _ = seeds.train(tiny_classifier, told, first_weight)
    assert taught == [7]
    torch.manual_seed(5)
    start = tiny_classifier().state_dict()
    for name, weights in kept.state_dict().items():
        torch.testing.assert_close(weights, start[name] + 6)
