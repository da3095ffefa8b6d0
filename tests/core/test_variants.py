"""Which models a workspace has: those that are trained there, or the one that was adopted."""

from pathlib import Path

import pytest

from pipeline.core.artifacts.adoption import Adoption
from pipeline.core.errors import ArtifactError
from pipeline.core.files import write_json
from pipeline.core.paths import Paths
from pipeline.core.variants import MODELS, models_in, smallest_int8, variants_in

NOTE = Adoption(
    name="Cnn",
    kind="module",
    family="Cnn",
    tokenizer="BPE",
    parameters=10,
    licence=None,
    weights_sha256="0" * 64,
    code_sha256="1" * 64,
    tokenizer_sha256="2" * 64,
)


def test_a_workspace_has_the_models_that_are_trained_in_it(tmp_path: Path) -> None:
    assert models_in(Paths(tmp_path)) == MODELS
    assert len(variants_in(Paths(tmp_path))) == 9
    assert smallest_int8(Paths(tmp_path)) == "pruned-int8"


def test_beside_an_adopted_model_there_is_no_other(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    NOTE.save(paths.artifacts / "adopt" / "adoption.json")
    assert Adoption.found(paths) == NOTE
    found = [variant.name for variant in variants_in(paths)]
    assert found == ["teacher-torch", "teacher-fp32", "teacher-int8"]
    assert smallest_int8(paths) == "teacher-int8"


def test_a_note_with_other_keys_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "artifacts" / "adopt" / "adoption.json", {"name": "Cnn"})
    with pytest.raises(ArtifactError, match="kind"):
        models_in(Paths(tmp_path))
