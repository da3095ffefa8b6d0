"""Loads checkpoints that have every weight of the encoder, and refuses others.

transformers initialises missing weights at random and only prints a table, so a checkpoint with
another architecture's config.json would be trained from scratch without an error.
"""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import PreTrainedModel

from pipeline.core.errors import ArtifactError

NEW_PARTS = ("pooler.", "head.")
"""Parts of a classifier that a language model may lack."""


def load_whole(family: Any, folder: Path, *, next_step: str) -> PreTrainedModel:
    """Loads the model in `folder` in float32, with the `from_pretrained` of `family`.

    Weights of a head may be missing.

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
    absent = sorted(name for name in found["missing_keys"] if not name.startswith(NEW_PARTS))
    if absent:
        raise ArtifactError(
            f"checkpoint {folder} lacks {len(absent)} weights, one of them {absent[0]}",
            expected="every weight of the model that its config.json describes",
            next_step=next_step,
        )
    whole: PreTrainedModel = model
    return whole
