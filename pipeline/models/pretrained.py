"""Finds an encoder checkpoint on this machine and checks its hash.

A checkpoint comes from an installed package, a folder, or a model hub; only a hub uses the network.
Weights must be safetensors: pickled weights run code when they are loaded.
"""

from pathlib import Path

from pipeline.core import packages
from pipeline.core.errors import DataError
from pipeline.core.files import sha256_file
from pipeline.core.sections import Checkpoint

WEIGHTS = "model.safetensors"
_HUB_FILES = ("*.json", "*.txt", "*.model", WEIGHTS)


def resolve_checkpoint(checkpoint: Checkpoint) -> Path:
    """The folder that `from_pretrained` loads, its weights checked against `sha256`.

    Raises:
        DataError: the package, folder or hub model cannot be found, lacks `config.json` or
            `model.safetensors`, or its hash differs.
    """
    folder = _folder(checkpoint)
    for name in ("config.json", WEIGHTS):
        if not (folder / name).is_file():
            raise DataError(
                f"checkpoint {checkpoint.name} has no {name}",
                expected="a transformers checkpoint with safetensors weights (never pickle)",
                next_step="name another checkpoint in prepare.checkpoint, or convert this one with "
                "`save_pretrained`",
            )
    wanted = checkpoint.sha256
    if wanted is not None and (found := sha256_file(folder / WEIGHTS)) != wanted:
        raise DataError(
            f"{WEIGHTS} of checkpoint {checkpoint.name} has sha256 {found}",
            expected=wanted,
            next_step="install the version that params.yaml pins, or, if you mean to change the "
            "checkpoint, write the new hash into prepare.checkpoint.sha256",
        )
    return folder


def _folder(checkpoint: Checkpoint) -> Path:
    if checkpoint.kind == "hub":
        return _download(checkpoint)
    if checkpoint.kind == "package":
        if checkpoint.package is None:
            raise DataError(
                f"checkpoint {checkpoint.name} is of kind package, but names none",
                expected="the distribution's name in prepare.checkpoint.package",
                next_step="add it to params.yaml",
            )
        return packages.locate(checkpoint.package, checkpoint.path)
    folder = Path(checkpoint.path).expanduser()
    if not folder.is_dir():
        raise DataError(
            f"checkpoint {checkpoint.name}: there is no folder {checkpoint.path}",
            expected="a folder that `save_pretrained` wrote",
            next_step="correct prepare.checkpoint.path in params.yaml",
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
