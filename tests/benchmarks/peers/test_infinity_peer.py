"""infinity-emb gets the bundle's own model, in the layout that it reads."""

from pathlib import Path

from benchmarks.peers.infinity_peer import laid_out
from pipeline.core.files import read_json, sha256_file
from tests.support.tiny_bundle import LABELS, make_tiny_bundle


def test_a_bundle_is_laid_out_as_transformers_does(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    folder = laid_out(tmp_path / "bundle", tmp_path / "model")
    for name in ("model.onnx", "tokenizer.json"):
        assert sha256_file(folder / name) == sha256_file(tmp_path / "bundle" / name)
    assert list(read_json(folder / "config.json")["id2label"].values()) == list(LABELS)
    assert read_json(folder / "tokenizer_config.json")["model_max_length"] == 16
