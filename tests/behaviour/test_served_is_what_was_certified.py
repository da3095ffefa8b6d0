"""A request as the web sends it gets the answer of the text that training made of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.core.cleaning import CLEANING, clean
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.text_model import TextModel
from tests.support.server import client_of, holder_of
from tests.support.tiny_bundle import make_tiny_bundle, tiny_task
from tests.support.tiny_language import write_language_model
from tests.support.web_forms import FORMS

TEXTS = (
    "A warm, funny film: not a dull minute. It isn't awful.",
    "the film & the 'bad' cast <3",
    'café "good" - a film\nthe end',
)


@contextmanager
def two_servers(tmp_path: Path, **options: Any) -> Iterator[tuple[TestClient, TestClient]]:
    """Clients of one model: it cleans what it is sent, and it reads texts as they come."""
    language_model = options.pop("language_model", None)
    for name, cleaning in (("cleans", CLEANING), ("as they come", 0)):
        task = tiny_task(cleaning=cleaning, **options)
        make_tiny_bundle(tmp_path / name, task=task, language_model=language_model)
    with (
        client_of(holder_of(tmp_path / "cleans")) as cleans,
        client_of(holder_of(tmp_path / "as they come")) as as_they_come,
    ):
        yield cleans, as_they_come


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("stride", [None, 4])
@pytest.mark.parametrize("pairs", [False, True])
def test_every_form_of_a_text_is_answered_as_the_clean_one(
    tmp_path: Path, form: str, stride: int | None, pairs: bool
) -> None:
    with two_servers(tmp_path, pairs=pairs, window_stride=stride) as servers:
        for text in TEXTS:
            raw = FORMS[form](text)
            one, two = (
                server.post(
                    "/predict",
                    json={"text": "the film", "second": sent} if pairs else {"text": sent},
                ).json()["predictions"]
                for server, sent in zip(servers, (raw, clean(raw)), strict=True)
            )
            assert one == two, raw


@pytest.mark.parametrize("form", FORMS)
def test_a_row_sent_as_it_was_collected_gets_the_scores_of_evaluation(
    tmp_path: Path, form: str
) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    model = TextModel.from_bundle(open_bundle(tmp_path / "bundle"), threads=1)
    for text in TEXTS:
        collected = FORMS[form](text)
        validated = clean(collected)
        served = list((model.answer(collected).probabilities or {}).values())
        assert served == pytest.approx(model.scores([validated])[0].tolist(), abs=1e-6)


def test_a_text_of_markup_alone_is_refused_as_an_empty_one(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    with client_of(holder_of(tmp_path / "bundle")) as client:
        refused = client.post("/predict", json={"texts": ["good", "<br /> &nbsp;"]})
    assert refused.status_code == 422
    assert "nothing is left" in refused.json()["error"]["got"]


ROUTES: dict[str, Callable[[str], str]] = {
    "cost": lambda text: text,
    "next": lambda text: text,
    "embeddings": lambda text: text,
    "fill": lambda text: text.replace("film", "___", 1),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_language_routes_read_what_the_language_model_learned_from(
    tmp_path: Path, form: str
) -> None:
    write_language_model(tmp_path / "model", "bilm")
    files = tmp_path / "model/model.onnx", tmp_path / "model/tokenizer.json"
    with two_servers(tmp_path, language_model=files) as servers:
        for route, changed in ROUTES.items():
            raw = FORMS[form](changed("The film is warm. Not bad, isn't it?"))
            one, two = (
                server.post(f"/language/{route}", json={"text": text}).json()
                for server, text in zip(servers, (raw, clean(raw)), strict=True)
            )
            del one["milliseconds"], two["milliseconds"]
            assert one == two
            if route == "cost":
                assert "".join(token["text"] for token in one["tokens"]).strip() in one["text"]
