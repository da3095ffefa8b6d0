"""Finds the safetensors files of a checkpoint, whole or in shards, and checks that each is complete.

Only the header of a file is read, so this is quick whatever the size of the model.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.core.errors import DataError
from pipeline.core.files import sha256_file
from pipeline.core.foreign_files import refuse_foreign

WEIGHTS = "model.safetensors"
INDEX = f"{WEIGHTS}.index.json"
WEIGHT_PATTERN = "model*.safetensors"
_LENGTH_BYTES = 8
_LARGEST_HEADER = 100_000_000
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_OTHER_FORMATS = ("*.h5", "*.msgpack", "*.gguf", "*.onnx", "*.npz")
_EXPECTED = "a transformers checkpoint with safetensors weights (never pickle)"
_OTHER = "name another checkpoint in prepare.checkpoint, or convert this one with `save_pretrained`"
_AGAIN = "download the checkpoint again; `git lfs pull` if it is a git repository"


def weight_files(folder: Path, *, of: str) -> list[Path]:
    """The files that hold the weights: `model.safetensors`, or its shards in the order of names.

    Args:
        of: the checkpoint, for messages.

    Raises:
        DataError: there are none, they are of another format, one is missing, or one is not whole.
    """
    single, index = folder / WEIGHTS, folder / INDEX
    if single.is_file():
        files = [single]
    elif index.is_file():
        files = _shards(index, of=of)
    else:
        raise _no_weights(folder, of)
    for file in files:
        _check_whole(file, of=of)
    return files


def sha256_weights(files: Sequence[Path]) -> str:
    """Hex SHA-256 of the weights: of the one file, or of what `sha256sum` prints for the shards.

    `cd FOLDER && LC_ALL=C sha256sum model-*.safetensors | sha256sum` gives the same.
    """
    if len(files) == 1:
        return sha256_file(files[0])
    lines = [f"{sha256_file(file)}  {file.name}\n" for file in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _shards(index: Path, *, of: str) -> list[Path]:
    refuse_foreign(index, of=of, expected="the list of its shards, as JSON")
    try:
        names = sorted(
            {str(name) for name in json.loads(index.read_bytes())["weight_map"].values()}
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{of}: {index.name} is not a list of shards ({type(error).__name__}: {error})",
            expected="JSON whose `weight_map` names the shard of each weight",
            next_step=_AGAIN,
        ) from error
    missing = [name for name in names if not (index.parent / name).is_file()]
    if missing or not names:
        raise DataError(
            f"{of}: its weights are in {len(names)} shards, and {len(missing)} are missing"
            + (f", one of them {missing[0]}" if missing else ""),
            expected=f"every shard that {index.name} names",
            next_step=_AGAIN,
        )
    return [index.parent / name for name in names]


def _no_weights(folder: Path, of: str) -> DataError:
    """The error for a folder without safetensors; it says what is there in their place."""

    def there(*patterns: str) -> list[str]:
        return sorted(file.name for pattern in patterns for file in folder.glob(pattern))

    got, step = f"{of} has no {WEIGHTS}", _OTHER
    if shards := there("model-*-of-*.safetensors"):
        got += f" and no {INDEX}, only shards such as {shards[0]}"
        step = f"download {INDEX} too"
    elif adapters := there("adapter_model.*"):
        got += f", only an adapter ({adapters[0]}), which is no model without its base"
        step = "merge it into its base model (peft: `merge_and_unload`), and `save_pretrained` that"
    elif others := there("*.safetensors"):
        got += f", only {', '.join(others)}"
        step = f"if this is the encoder of config.json, name it {WEIGHTS}"
    elif pickles := there(*_PICKLES):
        got += f", only pickled weights ({', '.join(pickles)})"
        step = (
            "pickles run code when they are loaded; if you trust the origin, convert them: "
            'python -c "from transformers import AutoModel; '
            "AutoModel.from_pretrained('FOLDER').save_pretrained('NEW')\", copy the tokenizer's "
            "files there, and name NEW in prepare.checkpoint.path"
        )
    elif others := there(*_OTHER_FORMATS):
        got += f", only weights of another format ({', '.join(others)})"
    return DataError(got, expected=_EXPECTED, next_step=step)


def _check_whole(file: Path, *, of: str) -> None:
    """Raises DataError where the header of a safetensors file does not fit its size."""
    refuse_foreign(file, of=of, expected="weights in the format safetensors")
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(_LENGTH_BYTES), "little")
        header = stream.read(min(length, _LARGEST_HEADER))
    if (end := _end(header, length)) == size:
        return
    if end is None and _LENGTH_BYTES + length > size and header.startswith(b"{"):
        got = f"{of}: {file.name} ends within its header, after {size:,} bytes"
    elif end is None:
        got = f"{of}: {file.name} of {size:,} bytes is not a safetensors file"
    else:
        got = f"{of}: {file.name} has {size:,} bytes, and its header describes {end:,}"
    raise DataError(got, expected="a whole safetensors file", next_step=_AGAIN)


def _end(header: bytes, length: int) -> int | None:
    """The size of the file that a header describes, in bytes; None where it is not a header."""
    if len(header) != length:
        return None
    try:
        described: dict[str, Any] = json.loads(header)
        ends = [
            int(value["data_offsets"][1])
            for name, value in described.items()
            if name != "__metadata__"
        ]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None
    return _LENGTH_BYTES + length + max(ends, default=0)
