"""The candidate answers its share of the requests, and no caller sees it fail."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.serving.canary import Canary, no_canary
from pipeline.serving.hot_swap import ServedModel
from pipeline.serving.protocol import ProtocolError
from pipeline.serving.scheduler import Scheduler
from pipeline.serving.text_route import TextRoute
from tests.support.server import holder_of
from tests.support.tiny_bundle import make_tiny_bundle

Models = tuple[ServedModel, ServedModel]


@pytest.fixture(name="models", scope="module")
def make_models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("bundles")
    for seed in range(2):
        make_tiny_bundle(folder / str(seed), seed=seed)
    first, second = holder_of(folder / "0").current, holder_of(folder / "1").current
    assert first is not None
    assert second is not None
    return first, second


def failing(model: ServedModel, error: Callable[[], Exception]) -> ServedModel:
    """The same model, which reads texts and then fails."""

    class Broken(type(model.text_model)):  # type: ignore[misc]
        def outputs(self, row: object) -> object:
            raise error()

    broken = object.__new__(Broken)
    broken.__dict__.update(vars(model.text_model))
    return replace(model, text_model=broken)


def ask(champion: ServedModel, canary: Canary, *, seconds: float = 10.0) -> ServedModel:
    """The model that answered."""

    async def scenario() -> ServedModel:
        texts = TextRoute(lambda: champion, Scheduler(cores=1), canary=canary)
        answer = await texts.answer(["a good film"], deadline=time.perf_counter() + seconds)
        return answer.model

    return asyncio.run(scenario())


def test_the_champion_answers_where_the_candidate_is_not_chosen(models: Models) -> None:
    champion, _ = models
    assert no_canary() is None
    assert ask(champion, no_canary) is champion


def test_a_chosen_candidate_answers(models: Models) -> None:
    champion, candidate = models
    assert ask(champion, lambda: candidate) is candidate


def test_where_the_candidate_fails_the_champion_answers(models: Models) -> None:
    champion, candidate = models
    broken = failing(candidate, lambda: RuntimeError("planted"))
    assert ask(champion, lambda: broken) is champion


def test_where_both_fail_the_caller_is_told(models: Models) -> None:
    champion, candidate = (failing(model, lambda: RuntimeError("planted")) for model in models)
    with pytest.raises(ProtocolError) as refused:
        ask(champion, lambda: candidate)
    assert refused.value.status == 500


def test_a_deadline_that_has_passed_has_passed_for_both(models: Models) -> None:
    champion, candidate = models
    with pytest.raises(ProtocolError) as refused:
        ask(champion, lambda: candidate, seconds=0.0)
    assert refused.value.status in (503, 504)
