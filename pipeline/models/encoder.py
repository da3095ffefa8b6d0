"""Loads, saves and freezes classifiers of any family of transformers, or our bilm."""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from pipeline.core.errors import ArtifactError
from pipeline.core.files import atomic_folder, read_json
from pipeline.models.adopted import is_adopted, load_adopted
from pipeline.models.bilm import BilmConfig
from pipeline.models.bilm_classifier import BilmForSequenceClassification
from pipeline.models.first_token import read_first_token_only
from pipeline.problem.problems import problem_named

_HEAD_DROPOUTS = (
    "classifier_dropout",
    "classifier_dropout_prob",
    "seq_classif_dropout",
    "cls_dropout",
)
"""The config names of dropout before the classifier: BERT and most, ALBERT, DistilBERT, DeBERTa."""
_BODY_DROPOUTS = (
    *("hidden_dropout_prob", "attention_probs_dropout_prob", "pooler_dropout"),
    *("dropout", "attention_dropout"),
)
"""The same below the classifier: BERT and most, DeBERTa; DistilBERT."""
_AUTO = (AutoModelForSequenceClassification, AutoConfig)
_BILM = (BilmForSequenceClassification, BilmConfig)


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Loads the tokenizer that `save_pretrained` wrote to a folder."""
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    return tokenizer


def load_classifier(
    checkpoint: Path | str,
    *,
    labels: list[str],
    problem: str | None = None,
    revision: str | None = None,
    dropout: float | None = None,
    other_head: bool = False,
) -> PreTrainedModel:
    """A sequence classifier over the encoder in `checkpoint`, with a new head if it has none.

    An adopted module is loaded as it was saved, whatever the options say.

    Args:
        problem: the product's, written into the model's config; None keeps the checkpoint's.
        dropout: of units and attention weights, in families that have it; None keeps the checkpoint's.
            In a biLM it is that before the classifier: what is dropped below it, pretraining says.
        other_head: allows a checkpoint with a head of another size, which is then replaced.

    Raises:
        ArtifactError: transformers cannot load a classifier from this checkpoint.
    """
    if is_adopted(checkpoint):
        return load_adopted(Path(checkpoint))
    family, config_family = _BILM if is_bilm(checkpoint) else _AUTO
    options: dict[str, Any] = {"use_safetensors": True, "ignore_mismatched_sizes": other_head}
    if problem is not None:
        options["problem_type"] = problem_named(problem).transformers_name
    try:
        if dropout is not None:
            config = config_family.from_pretrained(checkpoint, revision=revision)
            below = () if is_bilm(checkpoint) else _BODY_DROPOUTS
            names = (*_HEAD_DROPOUTS, *below)
            options |= {name: dropout for name in names if hasattr(config, name)}
        model: PreTrainedModel = family.from_pretrained(
            checkpoint,
            revision=revision,
            dtype=torch.float32,
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
            label2id={label: number for number, label in enumerate(labels)},
            **options,
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ArtifactError(
            f"checkpoint {checkpoint}: {error}",
            expected="an encoder checkpoint with safetensors weights that transformers can load",
            next_step="correct prepare.checkpoint in params.yaml or the product file",
        ) from error
    read_first_token_only(model)
    return model


def reads_segments(model: PreTrainedModel) -> bool:
    """Whether the model has segment ids to tell the two texts of a pair apart."""
    return getattr(model.config, "type_vocab_size", 1) > 1


def is_bilm(checkpoint: Path | str) -> bool:
    """Whether a folder holds our bidirectional language model."""
    config = Path(checkpoint) / "config.json"
    return config.is_file() and read_json(config).get("model_type") == BilmConfig.model_type


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Writes config, safetensors weights and tokenizer, all or nothing."""
    with atomic_folder(folder) as temporary:
        torch.nn.Module.to(model, "cpu")
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)


def parameter_count(model: torch.nn.Module) -> int:
    """The number of parameters of a model; shared ones count once."""
    return sum(parameter.numel() for parameter in model.parameters())


def freeze_lowest(model: PreTrainedModel, count: int) -> None:
    """Freezes the lowest `count` layers; the embeddings are the first of them.

    The lowest layers of a pretrained encoder serve most tasks unchanged (Lee et al. 2019), and
    frozen layers need no gradient.

    Raises:
        ArtifactError: every encoder layer would be frozen.
    """
    require_layers(model, count)
    layers: int = model.config.num_hidden_layers
    for name, parameter in model.named_parameters():
        if layer_from_top(model, name) > layers + 1 - count:
            parameter.requires_grad = False


def require_layers(model: PreTrainedModel, count: int) -> None:
    """Raises ArtifactError where `count` lowest layers are all that the encoder has."""
    layers: int = model.config.num_hidden_layers
    if count > layers:
        raise ArtifactError(
            f"{count} frozen layers of an encoder with {layers} and its embeddings",
            expected=f"at most {layers}, so that the highest is trained",
            next_step="lower finetune.frozen_layers in params.yaml or the product file",
        )


def layer_from_top(model: PreTrainedModel, name: str) -> int:
    """The depth of a parameter's layer, from the head (0) down to the embeddings (layers + 1)."""
    layers: int = model.config.num_hidden_layers
    parts = name.split(".")
    if "layer" in parts and (number := parts[parts.index("layer") + 1]).isdigit():
        return layers - int(number)
    return layers + 1 if "embeddings" in parts else 0
