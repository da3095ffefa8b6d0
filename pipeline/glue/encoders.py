"""Loads the encoder of a GLUE run and checks it before hours of training.

Where transformers does not find a tokenizer or weights, it makes an empty tokenizer or random
weights, and training runs to the end with them. Here they are errors before the first step.
"""

from pathlib import Path

import torch
from transformers import AutoModel, PreTrainedModel, PreTrainedTokenizerBase

from pipeline.core.errors import ArtifactError
from pipeline.core.progress import say
from pipeline.core.training_sections import FinetuneParams
from pipeline.glue.tasks import GlueTask
from pipeline.models.bilm_classifier import BilmForSequenceClassification
from pipeline.models.checkpoint_check import require_encoder
from pipeline.models.encoder import is_bilm, layer_from_top, load_classifier
from pipeline.models.own_tokenizer import own_tokenizer
from pipeline.models.whole import load_whole
from pipeline.problem.problems import CLASSIFICATION, REGRESSION

_OTHER = "name another with --encoder, or as prepare.checkpoint in params.yaml or the product file"


def load_encoder(
    folder: Path, task: GlueTask, *, finetune: FinetuneParams, max_length: int
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A classifier for `task` over the encoder in `folder`, and its tokenizer.

    Raises:
        ArtifactError: it is not an encoder; weights are missing; the tokenizer is missing or
            another model's; there are fewer positions than `max_length`; or `finetune` treats
            layers differently and this family shares or hides them.
    """
    tokenizer = own_tokenizer(folder, next_step=_OTHER)
    # The check draws random numbers; the head's first weights must come from the seed all the same.
    with torch.random.fork_rng():
        dropout = _require_encoder(folder, finetune.dropout)
    model = load_classifier(
        folder,
        labels=list(task.labels) or ["score"],
        problem=REGRESSION if task.is_regression else CLASSIFICATION,
        dropout=dropout,
        other_head=True,
    )
    _check_longest_row(model, tokenizer, max_length)
    layered = finetune.frozen_layers or finetune.layer_decay != 1
    if layered and is_bilm(folder):
        say(
            f"{folder.name} is a biLM, which trains all layers alike: finetune.frozen_layers and "
            "finetune.layer_decay are ignored"
        )
    elif layered:
        found = {layer_from_top(model, name) for name, _ in model.named_parameters()}
        if found != set(range(model.config.num_hidden_layers + 2)):
            raise ArtifactError(
                f"finetune treats layers differently; {model.config.model_type} shares or hides "
                "them",
                expected="a set of weights for each layer",
                next_step="add finetune.frozen_layers=0 finetune.layer_decay=1 to the command",
            )
    return model, tokenizer


def _require_encoder(folder: Path, dropout: float) -> float | None:
    """The dropout to set, None where the family cannot set it; raises where there is no encoder."""
    if is_bilm(folder):
        load_whole(BilmForSequenceClassification, folder, next_step=_OTHER)
        return dropout
    config = require_encoder(folder, of=f"checkpoint {folder}", next_step=_OTHER)
    load_whole(AutoModel, folder, next_step=_OTHER)
    if hasattr(config, "classifier_dropout"):
        return dropout
    say(f"{folder.name} keeps the dropout of its own config: finetune.dropout is ignored")
    return None


def _check_longest_row(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, max_length: int
) -> None:
    """Check that the model reads `max_length` tokens, all with the tokenizer's highest id."""
    highest, known = len(tokenizer) - 1, int(model.config.vocab_size)
    if highest >= known:
        raise ArtifactError(
            f"a tokenizer of {highest + 1:,} tokens, but a model of {known:,}",
            expected="the tokenizer that the model was trained with",
            next_step="put the model and the tokenizer of one checkpoint into the folder",
        )
    row = torch.full((1, max_length), highest)
    try:
        with torch.no_grad():
            model.eval()(input_ids=row, attention_mask=torch.ones_like(row))
    except (IndexError, RuntimeError) as error:
        raise ArtifactError(
            f"the encoder cannot read {max_length} tokens: {error}",
            expected="prepare.max_length of at most as many tokens as it has positions",
            next_step="lower it: prepare.max_length=…",
        ) from error
