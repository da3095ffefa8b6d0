"""Gives an encoder the embeddings of another tokenizer, for texts in a language that it does not know.

What the layers of a pretrained encoder do carries over to a language that it never saw, where new word
embeddings are learned (Artetxe, Ruder and Yogatama 2020; de Vries and Nissim 2021).
"""

from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.core.errors import ArtifactError
from pipeline.core.families import REPLACEABLE_FAMILIES
from pipeline.core.sections import PrepareParams
from pipeline.models.checkpoint_check import OTHER_CHECKPOINT
from pipeline.models.own_tokenizer import own_tokenizer
from pipeline.models.student_start import pieces_of_tokens


def has_new_words(prepare: PrepareParams) -> bool:
    """Whether the teacher learns embeddings for tokens that are not the checkpoint's."""
    return prepare.teacher_tokenizer == "student"


def require_replaceable(family: str, *, of: str) -> None:
    """Refuses a checkpoint of a family that cannot read by another tokenizer.

    Args:
        of: the checkpoint, for the message.

    Raises:
        ArtifactError: it is of such a family.
    """
    if family not in REPLACEABLE_FAMILIES:
        raise ArtifactError(
            f"prepare.teacher_tokenizer: student, and {of} is of the family {family}",
            expected=f"one of: {', '.join(REPLACEABLE_FAMILIES)}",
            next_step="name another prepare.checkpoint, or set prepare.teacher_tokenizer: checkpoint",
        )


def read_by(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    checkpoint: Path,
    prepare: PrepareParams,
) -> None:
    """Lets a model of the checkpoint read by the teacher's tokenizer, in place; its own changes nothing."""
    if has_new_words(prepare):
        former = own_tokenizer(checkpoint, next_step=OTHER_CHECKPOINT)
        replace_vocabulary(model, tokenizer=tokenizer, former=former)


def replace_vocabulary(
    model: PreTrainedModel, *, tokenizer: PreTrainedTokenizerBase, former: PreTrainedTokenizerBase
) -> None:
    """Gives `model` an embedding for each token of `tokenizer`, in place.

    Each starts as the mean of the former embeddings of the same text. An output layer that shares its
    weights with the embeddings is replaced with them.

    Args:
        former: the tokenizer that the model read by.
    """
    words = model.get_input_embeddings().weight.detach().clone()
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    table = model.get_input_embeddings().weight
    with torch.no_grad():
        for number, pieces in pieces_of_tokens(tokenizer, former).items():
            table[number] = words[pieces].mean(dim=0)
    model.config.pad_token_id = tokenizer.pad_token_id
