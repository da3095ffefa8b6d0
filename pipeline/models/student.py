"""A student's encoder cut from a larger checkpoint: its lowest layers, its embeddings re-fitted.

The bottom layers of a pre-trained encoder carry most of what a small classifier needs (Sajjad et al.
2020), so the student starts from them. Its vocabulary is its own: each token takes the mean of the
checkpoint's embeddings of the pieces that the checkpoint would write it with.
"""

from pathlib import Path

import torch
from transformers import AutoModel, PreTrainedModel, PreTrainedTokenizerBase

from pipeline.core.errors import ArtifactError
from pipeline.core.params import PretrainParams

_CONTINUATION = "##"


def start_from_checkpoint(
    model: PreTrainedModel,
    checkpoint: Path,
    *,
    tokenizer: PreTrainedTokenizerBase,
    teacher_tokenizer: PreTrainedTokenizerBase,
    params: PretrainParams,
) -> None:
    """Put the checkpoint's lowest layers and re-fitted embeddings into a new language model.

    Args:
        model: a BERT masked-LM of the shape that `params` gives; changed in place.
        tokenizer: the student's own.

    Raises:
        ArtifactError: the widths differ, the checkpoint has fewer layers, or is not BERT-shaped.
    """
    source = AutoModel.from_pretrained(checkpoint, dtype=torch.float32)
    _check_shape(source, params, checkpoint)
    target = model.base_model
    for number in range(params.layers):
        state = source.encoder.layer[number].state_dict()
        target.encoder.layer[number].load_state_dict(state)
    old, new = source.embeddings, target.embeddings
    with torch.no_grad():
        positions = new.position_embeddings.weight
        positions.copy_(old.position_embeddings.weight[: len(positions)])
        new.token_type_embeddings.weight.copy_(old.token_type_embeddings.weight[:1])
        new.LayerNorm.load_state_dict(old.LayerNorm.state_dict())
        words = old.word_embeddings.weight
        for number, pieces in pieces_of_tokens(tokenizer, teacher_tokenizer).items():
            new.word_embeddings.weight[number] = words[pieces].mean(dim=0)


def pieces_of_tokens(
    tokenizer: PreTrainedTokenizerBase, teacher_tokenizer: PreTrainedTokenizerBase
) -> dict[int, list[int]]:
    """Token id of the student → the teacher's token ids for the same text, never none."""
    special, known = set(tokenizer.all_special_tokens), teacher_tokenizer.get_vocab()
    pieces: dict[int, list[int]] = {}
    for token, number in tokenizer.get_vocab().items():
        if token in special:
            pieces[number] = [_special_id(token, tokenizer, teacher_tokenizer)]
        elif token in known:
            pieces[number] = [known[token]]
        else:
            text = token.removeprefix(_CONTINUATION)
            ids = teacher_tokenizer.encode(text, add_special_tokens=False)
            pieces[number] = ids or [int(teacher_tokenizer.unk_token_id)]
    return pieces


def _special_id(
    token: str, tokenizer: PreTrainedTokenizerBase, teacher_tokenizer: PreTrainedTokenizerBase
) -> int:
    """The teacher's token of the same role: [CLS] here may be <s> there."""
    for role in ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"):
        if getattr(tokenizer, role) == token:
            found = getattr(teacher_tokenizer, f"{role}_id")
            return int(teacher_tokenizer.unk_token_id if found is None else found)
    return int(teacher_tokenizer.unk_token_id)


def _check_shape(source: PreTrainedModel, params: PretrainParams, checkpoint: Path) -> None:
    config = source.config
    shape = {
        "hidden_size": getattr(config, "hidden_size", None),
        "heads": getattr(config, "num_attention_heads", None),
        "feed_forward_size": getattr(config, "intermediate_size", None),
    }
    wanted = {name: getattr(params, name) for name in shape}
    layers = getattr(config, "num_hidden_layers", 0)
    bert_shaped = hasattr(source, "encoder") and hasattr(source.encoder, "layer")
    if shape != wanted or layers < params.layers or not bert_shaped:
        raise ArtifactError(
            f"pretrain.start: checkpoint, and {checkpoint.name} is a {config.model_type} of"
            f" {layers} layers with {shape}",
            expected=f"a BERT of at least {params.layers} layers with {wanted}",
            next_step="set these three in pretrain: as the checkpoint has them, or pretrain.start: random",
        )
