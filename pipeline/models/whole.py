"""Checkpoints that are whole: every weight of the encoder comes from the file.

transformers fills weights that it does not find with random ones and says so in a table: a model of
another architecture under the wrong config.json trains to the end, from nothing.
"""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import PreTrainedModel

from pipeline.core.errors import ArtifactError

_NEW = ("pooler.", "head.")  # parts of a classifier that a language model need not have


def load_whole(family: Any, folder: Path, *, next_step: str) -> PreTrainedModel:
    """The model in `folder`, float32, of a class with `from_pretrained`; new parts of a head are let pass.

    Raises:
        ArtifactError: it cannot be loaded, or weights of the encoder are missing.
    """
    try:
        model, found = family.from_pretrained(
            folder, output_loading_info=True, use_safetensors=True, dtype=torch.float32
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ArtifactError(
            f"checkpoint {folder}: {error}",
            expected="an encoder checkpoint with safetensors weights that transformers can load",
            next_step=next_step,
        ) from error
    absent = sorted(name for name in found["missing_keys"] if not name.startswith(_NEW))
    if absent:
        raise ArtifactError(
            f"checkpoint {folder} lacks {len(absent)} weights, one of them {absent[0]}",
            expected="every weight of the model that its config.json describes",
            next_step=next_step,
        )
    whole: PreTrainedModel = model
    return whole
