"""Champion and candidate side by side: who answers, and what is told of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline.serving.hot_swap import ModelHolder, open_model
from tests.support.server import client_of, holder_of
from tests.support.tiny_bundle import make_tiny_bundle

TEXT = {"text": "the film"}


@pytest.fixture(name="holder", scope="module")
def make_holder(tmp_path_factory: pytest.TempPathFactory) -> ModelHolder:
    folder = tmp_path_factory.mktemp("bundles")
    make_tiny_bundle(folder / "champion")
    make_tiny_bundle(folder / "candidate", seed=7)
    holder = holder_of(folder / "champion")
    holder.candidate = open_model(folder / "candidate")
    return holder


@pytest.fixture(name="client")
def open_client(holder: ModelHolder) -> Iterator[TestClient]:
    with client_of(holder) as client:
        yield client


def test_the_champion_answers_unless_the_candidate_is_asked(
    client: TestClient, holder: ModelHolder
) -> None:
    assert holder.current is not None
    assert holder.candidate is not None
    for query, model in (
        ("", holder.current),
        ("?model=champion", holder.current),
        ("?model=candidate", holder.candidate),
    ):
        answer = client.post(f"/predict{query}", json=TEXT).json()
        assert answer["model"]["hash"] == model.bundle.hash
        assert answer["predictions"] == [model.text_model.answer("the film").as_dict()]


def test_the_page_is_told_of_the_candidate_while_there_is_one(
    client: TestClient, holder: ModelHolder
) -> None:
    assert holder.candidate is not None
    shown = client.get("/model").json()
    assert shown["candidate"]["hash"] == holder.candidate.bundle.hash
    assert shown["candidate"].keys() == shown.keys() - {"candidate", "feedback", "browser"}


@pytest.mark.parametrize(("query", "status"), [("candidate", 404), ("neither", 422)])
def test_a_model_that_is_not_there_is_refused_by_name(
    tmp_path: Path, query: str, status: int
) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    with client_of(holder_of(tmp_path / "bundle")) as client:
        answer = client.post(f"/predict?model={query}", json=TEXT)
        assert "candidate" not in client.get("/model").json()
    assert answer.status_code == status
    assert query in answer.json()["error"]["got"]
