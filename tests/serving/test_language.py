"""The routes of the language model: answers, refusals, and a bundle that has none."""

import logging
import shutil
from pathlib import Path

import pytest

from pipeline.core.errors import ArtifactError
from pipeline.runtime.language_model import LanguageModel
from pipeline.runtime.text_model import TextModel
from tests.support.server import client_of, holder_of
from tests.support.tiny_bundle import make_tiny_bundle
from tests.support.tiny_language import write_language_model


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("language")
    write_language_model(root / "model", "bilm")
    files = root / "model/model.onnx", root / "model/tokenizer.json"
    make_tiny_bundle(root / "bundle", language_model=files)
    return root / "bundle"


def ask(folder: Path, name: str, text: str):
    with client_of(holder_of(folder)) as client:
        return client.post(f"/language/{name}", json={"text": text})


def test_each_route_answers(bundle: Path) -> None:
    cost = ask(bundle, "cost", "the film").json()
    assert cost["family"] == "bilm"
    assert cost["is_probability"]
    assert cost["bits"] == pytest.approx(sum(token["bits"] for token in cost["tokens"]))
    words = ask(bundle, "next", "the").json()["words"]
    assert words
    assert all(0 <= word["probability"] <= 1 for word in words)
    assert ask(bundle, "fill", "the ___ film").json()["words"]
    states = ask(bundle, "embeddings", "the film").json()
    assert len(states["layers"]) == 3
    assert len(states["layers"][0]) == len(states["tokens"])


def test_a_bad_request_is_refused_with_a_reason(bundle: Path) -> None:
    answer = ask(bundle, "fill", "no blank here")
    assert answer.status_code == 422
    assert "0 blanks" in answer.json()["error"]["got"]
    with client_of(holder_of(bundle)) as client:
        assert client.post("/language/next", json={"texts": ["a", "b"]}).status_code == 422
        assert client.post("/language/next", json={"text": ""}).status_code == 422
        assert client.post("/language/summary", json={"text": "a"}).status_code == 404
        assert client.get("/language/next").status_code == 405


def test_a_bundle_without_a_language_model_says_so(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    answer = ask(tmp_path / "bundle", "next", "the")
    assert answer.status_code == 404
    assert answer.json()["error"]["got"] == "a bundle without a language model"


@pytest.mark.parametrize(
    ("path", "model", "method"),
    [("/predict", TextModel, "outputs"), ("/language/next", LanguageModel, "next_words_runs")],
)
def test_a_failure_of_a_model_is_a_500_and_keeps_the_text_out_of_the_log(
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    path: str,
    model: type,
    method: str,
) -> None:
    def fail(_: object, asked: object) -> None:
        raise ValueError("a private matter", asked)

    with client_of(holder_of(bundle)) as client, caplog.at_level(logging.DEBUG):
        monkeypatch.setattr(model, method, fail)
        answer = client.post(path, json={"text": "a private matter"})
    assert answer.status_code == 500
    assert answer.json()["error"]["got"] == "a failure of the model"
    assert "ValueError" in caplog.text
    assert "private" not in caplog.text + answer.text


def test_a_bundle_whose_language_model_does_not_run_is_not_served(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise ArtifactError("no bits", expected="bits", next_step="build it again")

    monkeypatch.setattr(LanguageModel, "warm_up", fail)
    with pytest.raises(ArtifactError, match="no bits"):
        holder_of(bundle)


def test_a_token_guards_these_routes_too(bundle: Path) -> None:
    with client_of(holder_of(bundle), token="a-secret-of-enough-length") as client:
        asked = {"json": {"text": "the"}}
        assert client.post("/language/next", **asked).status_code == 401
        bearing = {"authorization": "Bearer a-secret-of-enough-length"}
        assert client.post("/language/next", headers=bearing, **asked).status_code == 200


def test_an_altered_language_model_is_refused_unread(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "altered")
    file = tmp_path / "altered/language_model.onnx"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ArtifactError, match=r"language_model\.onnx, whose SHA-256"):
        holder_of(tmp_path / "altered")
