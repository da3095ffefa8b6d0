"""Training from several seeds and keeping the mean: one start, nothing trained twice after a kill."""

from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from pipeline.training.resume import Checkpoints
from pipeline.training.seeds import Seeds
from tests.support.tiny_models import tiny_classifier

Curve = list[dict[str, float]]


class AddsItsSeed:
    """A training that adds its seed to all weights, and is killed at the seed `fatal`."""

    def __init__(self, fatal: int | None = None) -> None:
        self.fatal = fatal
        self.trained: list[int] = []

    def __call__(self, model: PreTrainedModel, seed: int, _checkpoints: Checkpoints) -> Curve:
        assert torch.initial_seed() == seed
        if seed == self.fatal:
            raise KeyboardInterrupt
        self.trained.append(seed)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(seed)
        return []


@pytest.fixture
def seeds(tmp_path: Path) -> Seeds:
    return Seeds(tmp_path, first=5, count=3, keep="mean")


def load() -> PreTrainedModel:
    """A classifier with random weights in its head."""
    head = torch.rand(2)
    model = tiny_classifier()
    with torch.no_grad():
        model.classifier.bias.copy_(head)
    return model


def first_start() -> PreTrainedModel:
    torch.manual_seed(5)
    return load()


def first_weight(model: PreTrainedModel) -> float:
    return float(model.classifier.bias[0].detach())


def assert_mean(kept: PreTrainedModel) -> None:
    start = first_start().state_dict()
    for name, weights in kept.state_dict().items():
        torch.testing.assert_close(weights, start[name] + 6)
    assert not kept.training


def test_the_mean_of_all_weights_is_kept_and_all_start_as_the_first(seeds: Seeds) -> None:
    training = AddsItsSeed()
    kept, results = seeds.train(load, training, first_weight)
    assert_mean(kept)
    assert training.trained == [result.seed for result in results] == [5, 6, 7]
    start = first_weight(first_start())
    assert [result.quality for result in results] == pytest.approx([start + s for s in (5, 6, 7)])


@pytest.mark.parametrize("best", ["killed", "done before"])
def test_what_was_done_before_a_kill_is_not_trained_again(seeds: Seeds, best: str) -> None:
    sign = 1 if best == "killed" else -1

    def score(model: PreTrainedModel) -> float:
        return sign * first_weight(model)

    with pytest.raises(KeyboardInterrupt):
        seeds.train(load, AddsItsSeed(fatal=7), score)
    training = AddsItsSeed()
    kept, _ = seeds.train(load, training, score)
    assert training.trained == [7]
    assert_mean(kept)


def test_of_one_seed_the_mean_is_that_seed(tmp_path: Path) -> None:
    drawn: list[float] = []

    def draw(_model: PreTrainedModel, _seed: int, _checkpoints: Checkpoints) -> Curve:
        drawn.append(float(torch.rand(())))
        return []

    for keep in ("best", "mean"):
        Seeds(tmp_path / keep, first=5, count=1, keep=keep).train(load, draw, first_weight)
    assert drawn[0] == drawn[1]
