"""Weights are safetensors; a pickle is never loaded, and the command that converts it works."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pipeline.adopt.found_weights import require_safetensors
from pipeline.core.errors import DataError
from pipeline.models import adopted
from tests.support.research_models import CNN, write_module


def refused(folder: Path, *, is_module: bool) -> DataError:
    with pytest.raises(DataError) as error:
        require_safetensors(folder, of="model", is_module=is_module)
    return error.value


def test_safetensors_pass(tmp_path: Path) -> None:
    write_module(tmp_path, CNN)
    require_safetensors(tmp_path, of="model", is_module=True)


@pytest.mark.parametrize("name", ["weights.pt", "pytorch_model.bin", "last.ckpt"])
def test_pickles_are_refused_by_name_and_not_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"cos\nsystem\n(S'touch opened'\ntR.")
    for is_module in (True, False):
        error = refused(tmp_path, is_module=is_module)
        assert name in error.got
        assert "runs code" in error.expected
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_command_that_is_named_converts_a_modules_pickle(tmp_path: Path) -> None:
    file = write_module(tmp_path, CNN)
    (tmp_path / "model.safetensors").unlink()
    module = adopted.built(adopted.class_named(adopted.imported(file), ""))
    torch.save(module.state_dict(), tmp_path / "weights.pt")
    step = refused(tmp_path, is_module=True).next_step
    command = shlex.split(step[step.index("python -c") :])
    subprocess.run([sys.executable, *command[1:]], cwd=tmp_path, check=True)
    adopted.load_weights(module, tmp_path / "model.safetensors")


def test_a_folder_without_weights_is_told_how_to_save_them(tmp_path: Path) -> None:
    assert "save_model" in refused(tmp_path, is_module=True).next_step
    assert "save_pretrained" in refused(tmp_path, is_module=False).next_step
