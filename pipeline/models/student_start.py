"""Starts a student from layers of a larger model, with embeddings for its own vocabulary.

The lowest layers of a pretrained encoder hold most of what a small classifier needs (Sajjad et al.
2020), so the student starts from them. If it has fewer feed-forward units, it takes those with the
largest weights (as Li et al. 2017 choose filters); if its hidden size is smaller, its states are
projected (`pipeline/models/narrowing.py`). The embedding of each token of its vocabulary is the
mean of the larger model's embeddings for the same text.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModel,
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from pipeline.core.errors import ArtifactError
from pipeline.core.training_sections import PretrainParams
from pipeline.models.narrowing import Batch, narrow
from pipeline.models.whole import load_whole

_CONTINUATION = "##"
_ROLES = ("mask_token", "sep_token", "cls_token", "unk_token", "pad_token")
_NEXT = "name another prepare.checkpoint, set pretrain: as this one is, or pretrain.start: random"


def start_from_checkpoint(
    model: PreTrainedModel,
    checkpoint: Path,
    *,
    tokenizer: PreTrainedTokenizerBase,
    checkpoint_tokenizer: PreTrainedTokenizerBase,
    params: PretrainParams,
    sample: Batch,
) -> None:
    """Fills a new language model with the checkpoint's lowest layers and converted embeddings.

    Args:
        model: a BERT masked LM of the shape in `params`; changed in place.
        tokenizer: the student's own.
        sample: texts in the student's tokens, on which a narrower student is fitted.

    Raises:
        ArtifactError: the checkpoint lacks weights, is not BERT-shaped, has heads of another size,
            fewer layers or positions, a smaller width, or another tokenizer.
    """
    source: Any = load_whole(AutoModel, checkpoint, next_step=_NEXT)
    _check_shape(source, params, checkpoint)
    _check_parts(source, model.base_model, len(checkpoint_tokenizer))
    pieces = pieces_of_tokens(tokenizer, checkpoint_tokenizer)
    _fill(source, model.base_model, layers=range(params.layers), pieces=pieces, sample=sample)


def start_from_teacher(
    model: PreTrainedModel,
    teacher: PreTrainedModel,
    *,
    layers: Sequence[int],
    tokenizer: PreTrainedTokenizerBase,
    teacher_tokenizer: PreTrainedTokenizerBase,
    sample: Batch,
) -> None:
    """Fills a student with layers of a fine-tuned teacher, its embeddings and its head.

    Args:
        model: a BERT classifier; changed in place.
        layers: a layer of the teacher for each of the student's; 0 is the lowest.
        sample: texts in the student's tokens, on which a narrower student is fitted.

    Raises:
        ArtifactError: `layers` does not have one existing layer for each of the student's, a model
            is not a BERT, the teacher is narrower than the student, or heads differ in size.
    """
    _check_teacher(model, teacher, layers)
    _check_parts(teacher.base_model, model.base_model, len(teacher_tokenizer))
    pieces = pieces_of_tokens(tokenizer, teacher_tokenizer)
    basis = _fill(teacher.base_model, model.base_model, layers=layers, pieces=pieces, sample=sample)
    _copy_head(teacher, model, basis)


Pieces = dict[int, list[int]]
"""Token id of the student → the teacher's token ids for the same text, at least one."""


def _fill(
    source: Any, target: Any, *, layers: Sequence[int], pieces: Pieces, sample: Batch
) -> torch.Tensor | None:
    """Copies or projects the weights; returns the basis, None without projection."""
    wide = source.config
    if wide.hidden_size == target.config.hidden_size:
        _copy(source, target, layers=layers, pieces=pieces)
        return None
    shape = {"hidden_size": wide.hidden_size, "num_attention_heads": wide.num_attention_heads}
    between = BertModel(BertConfig.from_dict({**target.config.to_dict(), **shape}))
    _copy(source, between, layers=layers, pieces=pieces)
    return narrow(between, target, sample)


def _copy_head(teacher: Any, model: Any, basis: torch.Tensor | None) -> None:
    """Copies the classifier and the pooler's units with the largest weights in it."""
    wide, thin = teacher.bert.pooler.dense, model.bert.pooler.dense
    scores = teacher.classifier.weight.norm(dim=0)
    units = scores.topk(thin.out_features).indices.sort().values
    with torch.no_grad():
        thin.weight.copy_(wide.weight[units] if basis is None else wide.weight[units] @ basis)
        thin.bias.copy_(wide.bias[units])
        model.classifier.weight.copy_(teacher.classifier.weight[:, units])
        model.classifier.bias.copy_(teacher.classifier.bias)


def _copy(source: Any, target: Any, *, layers: Sequence[int], pieces: Pieces) -> None:
    for number, layer in enumerate(layers):
        into = target.encoder.layer[number]
        state = source.encoder.layer[layer].state_dict()
        into.load_state_dict(_widest_units(state, into.intermediate.dense.out_features))
    old, new = source.embeddings, target.embeddings
    with torch.no_grad():
        positions = new.position_embeddings.weight
        positions.copy_(old.position_embeddings.weight[: len(positions)])
        new.token_type_embeddings.weight.copy_(old.token_type_embeddings.weight[:1])
        new.LayerNorm.load_state_dict(old.LayerNorm.state_dict())
        words = old.word_embeddings.weight
        for number, parts in pieces.items():
            new.word_embeddings.weight[number] = words[parts].mean(dim=0)


def _widest_units(state: dict[str, torch.Tensor], width: int) -> dict[str, torch.Tensor]:
    """A layer's weights with only the `width` feed-forward units that have the largest weights."""
    inner, outer = state["intermediate.dense.weight"], state["output.dense.weight"]
    scores = inner.norm(dim=1) * outer.norm(dim=0)
    units = scores.topk(width).indices.sort().values
    return state | {
        "intermediate.dense.weight": inner[units],
        "intermediate.dense.bias": state["intermediate.dense.bias"][units],
        "output.dense.weight": outer[:, units],
    }


def pieces_of_tokens(
    tokenizer: PreTrainedTokenizerBase, teacher_tokenizer: PreTrainedTokenizerBase
) -> Pieces:
    """The teacher's tokens for the text of each token of the student."""
    special, known = set(tokenizer.all_special_tokens), teacher_tokenizer.get_vocab()
    # A vocabulary of bytes needs no unknown token; what it cannot write begins as its padding.
    stand_in = (teacher_tokenizer.unk_token_id, teacher_tokenizer.pad_token_id)
    unknown = next(int(number) for number in stand_in if number is not None)
    # By role, as the teacher may call [CLS] <s>.
    same = {getattr(tokenizer, role): getattr(teacher_tokenizer, f"{role}_id") for role in _ROLES}
    pieces: Pieces = {}
    for token, number in tokenizer.get_vocab().items():
        if token in special:
            found = same.get(token)
            pieces[number] = [unknown if found is None else int(found)]
        elif token in known:
            pieces[number] = [known[token]]
        else:
            text = tokenizer.convert_tokens_to_string([token]).strip().removeprefix(_CONTINUATION)
            ids = teacher_tokenizer.encode(text, add_special_tokens=False)
            pieces[number] = ids or [unknown]
    return pieces


def _check_shape(source: PreTrainedModel, params: PretrainParams, checkpoint: Path) -> None:
    config = source.config
    shape = {
        "hidden_size": getattr(config, "hidden_size", None),
        "heads": getattr(config, "num_attention_heads", None),
        "feed_forward_size": getattr(config, "intermediate_size", None),
    }
    wanted = {name: getattr(params, name) for name in shape}
    layers = getattr(config, "num_hidden_layers", 0)
    fits = hasattr(getattr(source, "encoder", None), "layer") and layers >= params.layers
    fits = fits and all((shape[name] or 0) >= wanted[name] for name in shape)
    if not (fits and _head_size(config) == params.hidden_size / params.heads):
        raise ArtifactError(
            f"pretrain.start: checkpoint, and {checkpoint.name} is a {config.model_type} of"
            f" {layers} layers with {shape}",
            expected=f"a BERT of at least {params.layers} layers with {wanted}, or more of each, and heads of"
            f" {params.hidden_size / params.heads:g} dimensions",
            next_step=_NEXT,
        )


def _head_size(config: Any) -> float:
    return float(config.hidden_size / config.num_attention_heads)


def _check_teacher(model: PreTrainedModel, teacher: PreTrainedModel, layers: Sequence[int]) -> None:
    thin, wide = model.config, teacher.config
    there: int = getattr(wide, "num_hidden_layers", 0)
    shapes = [
        [getattr(config, name, None) for name in ("hidden_size", "num_attention_heads")]
        for config in (wide, thin)
    ]
    if (
        not all(isinstance(one, BertForSequenceClassification) for one in (model, teacher))
        or wide.hidden_size < thin.hidden_size
        or _head_size(wide) != _head_size(thin)
        or len(layers) != thin.num_hidden_layers
        or max(layers) >= there
        or wide.intermediate_size < thin.intermediate_size
    ):
        raise ArtifactError(
            f"distill.teacher_layers: {list(layers)}, with a {wide.model_type} of {there} layers "
            f"as teacher and a {thin.model_type} of {thin.num_hidden_layers} as student, hidden size and "
            f"heads {shapes[0]} and {shapes[1]}",
            expected="two BERTs with heads of one size, hidden size and feed-forward layers no wider than "
            "the teacher's, and one of its layers for each of the student's",
            next_step="correct distill.teacher_layers, or set it to null to start from pretrain's model",
        )


def _check_parts(source: Any, target: Any, vocabulary: int) -> None:
    """Refuses a model that has the right sizes but other parts than a BERT."""
    old, new = source.embeddings, target.embeddings
    words, width = old.word_embeddings.weight.shape
    places = getattr(old, "position_embeddings", None)  # some families have none
    positions, needed = len(getattr(places, "weight", ())), len(new.position_embeddings.weight)
    parts, wanted = (one.encoder.layer[0].state_dict().keys() for one in (source, target))
    alike = {
        "parts of a layer": parts == wanted,
        "width of embeddings": width == source.config.hidden_size,
        "positions": positions >= needed,
        "tokens": words >= vocabulary,
    }
    if differing := [name for name, fits in alike.items() if not fits]:
        raise ArtifactError(
            f"pretrain.start: checkpoint, and the {source.config.model_type} differs from a BERT of"
            f" {needed} positions and its tokenizer of {vocabulary:,} tokens in: {', '.join(differing)}",
            expected="a checkpoint of BERT's parts, with its own tokenizer",
            next_step=_NEXT,
        )
