"""A model that was trained elsewhere ends in a served int8 bundle with every certificate."""

from pathlib import Path

import pytest
import torch

from pipeline import export, quantize
from pipeline.adopt import take_in
from pipeline.core.artifacts.adoption import Adoption
from pipeline.core.files import read_json
from pipeline.core.paths import Paths
from pipeline.models.encoder import load_classifier, load_tokenizer
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.text_model import TextModel
from tests.support.research_models import (
    CNN,
    LABELS,
    built_bundle,
    product_folder,
    taken_in,
    write_module,
    write_transformers,
)
from tests.support.server import client_of, holder_of
from tests.support.tiny_workspace import at

KINDS = {"distilbert": "WordPiece", "electra": "BPE", "cnn": "Unigram"}


def written(folder: Path, kind: str) -> Path:
    """A research model of a kind, each with another kind of tokenizer."""
    if kind == "cnn":
        return write_module(folder, CNN, tokenizer=KINDS[kind])
    write_transformers(folder, kind, tokenizer=KINDS[kind])
    return folder


@pytest.fixture(scope="module", params=KINDS)
def compressed(request, tmp_path_factory: pytest.TempPathFactory):
    """Kind, its product's folder after export and quantize, and the note."""
    root = tmp_path_factory.mktemp(request.param)
    params, paths = product_folder(root / "product")
    note = taken_in(written(root / "model", request.param), params, paths)
    export.run(params, at(paths, "export"))
    quantize.run(params, at(paths, "quantize"))
    return request.param, params, paths, note


def test_the_note_says_what_it_is_and_by_which_bytes_it_is_known(compressed) -> None:
    kind, _, paths, note = compressed
    assert note == Adoption.found(paths)
    assert note.tokenizer == KINDS[kind]
    assert note.licence is None
    assert (note.code_sha256 is None) == (kind != "cnn")
    assert note.parameters > 1000


def test_what_is_kept_loads_as_a_stage_loads_it(compressed) -> None:
    _, params, paths, _ = compressed
    folder = paths.read("adopt", "model")
    model = load_classifier(folder, labels=params.product.labels)
    ids = torch.tensor([load_tokenizer(folder)("a good film")["input_ids"]])
    assert model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.shape == (1, 2)


def test_export_and_quantize_certify_the_one_model_and_no_language_model(compressed) -> None:
    _, params, paths, _ = compressed
    parity = read_json(paths.read("export", "certificate.json"))
    int8 = read_json(paths.read("quantize", "certificate.json"))
    assert set(parity["models"]) == set(int8["models"]) == {"teacher"}
    assert parity["language_model"] is None
    assert parity["models"]["teacher"]["largest_difference"] <= params.export.tolerance
    found = int8["models"]["teacher"]
    assert found["passed"]
    assert found["large_float_weights"] == []
    assert found["operators"]["MatMulInteger"] >= 2
    assert found["made_from"] == parity["models"]["teacher"]["sha256"]


def test_a_padded_batch_is_part_of_the_proof(compressed) -> None:
    _, _, paths, _ = compressed
    [entry] = read_json(paths.read("export", "certificate.json"))["models"].values()
    assert "padded batch against each text alone" in entry["differences"]


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_it_passes_the_gate_and_is_served(tmp_path: Path, kind: str) -> None:
    _, paths = built_bundle(written(tmp_path / "model", kind), tmp_path / "product")
    bundle = open_bundle(paths.read("gate", "bundle"))
    described = bundle.description
    assert described.variant == "teacher-int8"
    assert described.language_model is None
    assert described.lineage["adopted_sha256"]
    model = TextModel.from_bundle(bundle, threads=1)
    assert described.golden_differences(model.answer) == []
    assert "It was adopted" in bundle.model_card
    materials = read_json(bundle.folder / "bom.cdx.json")
    note = Adoption.load(paths.read("adopt", "adoption.json"))
    origin = next(part for part in materials["components"] if part["bom-ref"] == "checkpoint")
    assert origin["hashes"][0]["content"] == note.weights_sha256
    with client_of(holder_of(bundle.folder)) as client:
        answer = client.post("/predict", json={"text": "a warm and funny film"}).json()[
            "predictions"
        ][0]
    assert answer["label"] in LABELS


def test_the_command_says_what_is_in_the_way_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, paths = product_folder(tmp_path)
    monkeypatch.chdir(paths.root)
    assert take_in.main([str(tmp_path / "nowhere")]) == 1
    assert "adopt failed\n  got: " in capsys.readouterr().err
    assert not Paths(paths.root).artifacts.joinpath("adopt").exists()
