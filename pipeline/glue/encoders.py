"""The encoder of a GLUE run, looked at before hours of training rest on it.

A tokenizer that transformers does not find becomes an empty one, weights random ones, and both train to
the end. Here they are errors, before the first step.
"""

from pathlib import Path
from typing import Any

import torch
from transformers import (
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoConfig,
    AutoModel,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from pipeline.core.errors import ArtifactError
from pipeline.core.params import FinetuneParams
from pipeline.core.product import CLASSIFICATION, REGRESSION
from pipeline.core.progress import say
from pipeline.glue.tasks import Task
from pipeline.models.bilm_classifier import BilmForSequenceClassification
from pipeline.models.encoder import is_bilm, layer_from_top, load_classifier, load_tokenizer
from pipeline.models.whole import load_whole

_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")
_OTHER = "name another with --encoder, or in prepare.checkpoint of params.yaml"


def load_encoder(
    folder: Path, task: Task, *, finetune: FinetuneParams, max_length: int
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A classifier for `task` over the encoder in `folder`, and its tokenizer.

    Raises:
        ArtifactError: no encoder, weights missing, no tokenizer or another's, fewer positions than
            `max_length`, or layers that `finetune` wants to treat apart and that cannot be.
    """
    tokenizer = _own_tokenizer(folder)
    with (
        torch.random.fork_rng()
    ):  # the head's first weights are those of the seed, looked at or not
        dropout = _require_encoder(folder, finetune.dropout)
    model = load_classifier(
        folder,
        labels=list(task.labels) or ["score"],
        problem=REGRESSION if task.is_regression else CLASSIFICATION,
        dropout=dropout,
        other_head=True,
    )
    _read_longest(model, tokenizer, max_length)
    if not is_bilm(folder):
        _tell_layers_apart(model, finetune)
    elif finetune.frozen_layers or finetune.layer_decay != 1:
        say(
            f"{folder.name} is a biLM, whose layers all learn alike: finetune.frozen_layers and "
            "layer_decay are not for it"
        )
    return model, tokenizer


def _require_encoder(folder: Path, dropout: float) -> float | None:
    """Refuse what is none; the dropout to ask for, or None where this family has its own kind."""
    if is_bilm(folder):
        load_whole(BilmForSequenceClassification, folder, next_step=_OTHER)
        return dropout
    try:
        config = AutoConfig.from_pretrained(folder)
    except (OSError, ValueError, KeyError) as error:
        raise ArtifactError(
            f"checkpoint {folder}: {error}",
            expected="a config.json of a model that transformers knows",
            next_step=_OTHER,
        ) from error
    _require_family(folder, config)
    load_whole(AutoModel, folder, next_step=_OTHER)
    if hasattr(config, "classifier_dropout"):
        return dropout
    say(f"{folder.name} keeps the dropout of its own config: finetune.dropout is not for it")
    return None


def _require_family(folder: Path, config: Any) -> None:
    if type(config) not in MODEL_FOR_MASKED_LM_MAPPING or config.is_encoder_decoder:
        raise ArtifactError(
            f"checkpoint {folder} is of the family {config.model_type}",
            expected="an encoder, which sees a text from both sides: BERT, RoBERTa, DistilBERT, "
            "ELECTRA, … or our own biLM",
            next_step=_OTHER,
        )


def _own_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    if not any(path for pattern in _TOKENIZERS for path in folder.glob(pattern)):
        raise ArtifactError(
            f"no tokenizer in {folder}",
            expected=f"one of: {', '.join(_TOKENIZERS)}",
            next_step="save the tokenizer into the folder of its checkpoint",
        )
    try:
        tokenizer = load_tokenizer(folder)
    except (OSError, ValueError, KeyError) as error:
        raise ArtifactError(
            f"the tokenizer in {folder}: {error}",
            expected="a tokenizer that transformers can load",
            next_step="save it again with `save_pretrained`",
        ) from error
    if tokenizer.pad_token_id is None:
        raise ArtifactError(
            f"the tokenizer in {folder} has no pad_token",
            expected="one, so that texts of several lengths make a batch",
            next_step=_OTHER,
        )
    return tokenizer


def _read_longest(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, max_length: int
) -> None:
    """Read one row of `max_length` tokens, the tokenizer's highest id in each place."""
    highest, known = len(tokenizer) - 1, int(model.config.vocab_size)
    if highest >= known:
        raise ArtifactError(
            f"a tokenizer of {highest + 1:,} tokens beside a model of {known:,}",
            expected="the tokenizer that the model was trained with",
            next_step="put both of one checkpoint into the folder",
        )
    row = torch.full((1, max_length), highest)
    try:
        with torch.no_grad():
            model.eval()(input_ids=row, attention_mask=torch.ones_like(row))
    except (IndexError, RuntimeError) as error:
        raise ArtifactError(
            f"the encoder cannot read {max_length} tokens: {error}",
            expected="prepare.max_length tokens at most as many as it has positions for",
            next_step="lower it: prepare.max_length=…",
        ) from error


def _tell_layers_apart(model: PreTrainedModel, finetune: FinetuneParams) -> None:
    if not finetune.frozen_layers and finetune.layer_decay == 1:
        return
    found = {layer_from_top(model, name) for name, _ in model.named_parameters()}
    if found != set(range(model.config.num_hidden_layers + 2)):
        raise ArtifactError(
            f"finetune treats layers apart; those of {model.config.model_type} are shared or hidden",
            expected="one set of weights a layer",
            next_step="finetune.frozen_layers=0 finetune.layer_decay=1",
        )
