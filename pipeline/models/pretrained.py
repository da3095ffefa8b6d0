"""Finds an encoder checkpoint on this machine and checks its hash.

A checkpoint comes from an installed package, a folder, or a model hub; only a hub uses the network.
Weights must be safetensors: pickled weights run code when they are loaded.
"""

import json
from pathlib import Path
from typing import Any

from pipeline.core import packages
from pipeline.core.errors import DataError
from pipeline.core.foreign_files import refuse_foreign
from pipeline.core.sections import Checkpoint
from pipeline.models.weight_files import WEIGHT_PATTERN, sha256_weights, weight_files

CONFIG = "config.json"
_HUB_FILES = ("*.json", "*.txt", "*.model", WEIGHT_PATTERN)
_SAVED = "a folder that `save_pretrained` wrote: config.json, safetensors weights, tokenizer"


def resolve_checkpoint(checkpoint: Checkpoint) -> Path:
    """The folder that `from_pretrained` loads, its weights whole and checked against `sha256`.

    Raises:
        DataError: the package, folder or hub model cannot be found; its `config.json` or its
            weights are missing, not whole or of another format; or their hash differs.
    """
    folder, of = _folder(checkpoint), f"checkpoint {checkpoint.name}"
    read_config(folder, of=of)
    files = weight_files(folder, of=of)
    wanted = checkpoint.sha256
    if wanted is not None and (found := sha256_weights(files)) != wanted:
        raise DataError(
            f"{files[0].name if len(files) == 1 else 'the shards'} of {of} has sha256 {found}",
            expected=wanted,
            next_step="install the version that `sha256` pins, or, if you mean to change the "
            "checkpoint, write the new hash into prepare.checkpoint.sha256",
        )
    return folder


def read_config(folder: Path, *, of: str) -> dict[str, Any]:
    """The `config.json` of a checkpoint, which names its family.

    Raises:
        DataError: it is missing, is not JSON, or names no `model_type`.
    """
    file = folder / CONFIG
    if not file.is_file():
        raise _no_config(folder, of)
    refuse_foreign(file, of=of, expected="the description of a transformers model, as JSON")
    try:
        config = json.loads(file.read_bytes())
    except ValueError as error:
        raise DataError(
            f"{of}: {CONFIG} is not JSON ({error})",
            expected="the description of a transformers model, as JSON",
            next_step="download it again",
        ) from error
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise DataError(
            f"{of}: {CONFIG} has no model_type",
            expected='the family of a transformers model, such as "model_type": "bert"',
            next_step="take the config.json of the model itself, not of a part or of another library",
        )
    return config


def _no_config(folder: Path, of: str) -> DataError:
    """The error for a folder without config.json; it names a folder inside that has one."""
    # sentence-transformers keeps the model in `0_Transformer`, a hub's cache in `snapshots/<commit>`.
    found = sorted(file for depth in ("*", "*/*") for file in folder.glob(f"{depth}/{CONFIG}"))
    models = [file.parent for file in found if b'"model_type"' in file.read_bytes()]
    got, step = f"{of} has no {CONFIG}", "name another checkpoint in prepare.checkpoint"
    if models:
        inner = models[0].relative_to(folder).as_posix()
        got += f" of its own; its folder {inner} has one"
        step = f"write /{inner} at the end of prepare.checkpoint.path" + (
            "; a name on the hub has no inner folder: download it, and use `kind: folder`"
        )
    return DataError(got, expected=_SAVED, next_step=step)


def _folder(checkpoint: Checkpoint) -> Path:
    if checkpoint.kind == "hub":
        return _download(checkpoint)
    if checkpoint.kind == "package":
        if checkpoint.package is None:
            raise DataError(
                f"checkpoint {checkpoint.name} is of kind package, but names none",
                expected="the distribution's name in prepare.checkpoint.package",
                next_step="add it in params.yaml or the product file",
            )
        return packages.locate(checkpoint.package, checkpoint.path)
    folder = Path(checkpoint.path).expanduser()
    if not folder.is_dir():
        raise DataError(
            f"checkpoint {checkpoint.name}: there is no folder {checkpoint.path}",
            expected="a folder that `save_pretrained` wrote",
            next_step="correct prepare.checkpoint.path in params.yaml or the product file",
        )
    return folder


def _download(checkpoint: Checkpoint) -> Path:
    # Imported here: the default checkpoint does not need a hub, and must not depend on its client.
    from huggingface_hub import snapshot_download

    name, revision = checkpoint.path, checkpoint.revision
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=[*_HUB_FILES]))
    except (OSError, ValueError) as error:
        raise DataError(
            f"checkpoint {checkpoint.path} could not be fetched from the hub: "
            f"{str(error).splitlines()[0]}",
            expected="a public model name (and revision), and a network that reaches the hub",
            next_step="correct prepare.checkpoint, or use a folder or package",
        ) from error
