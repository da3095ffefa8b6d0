"""New language models of both families, in the shape that `pretrain` describes."""

from pathlib import Path

from transformers import (
    AutoModelForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from pipeline.core.training_sections import PretrainParams
from pipeline.models.bilm import BilmConfig, BilmForLanguageModelling
from pipeline.models.characters import CharacterEmbedding, spelling
from pipeline.models.encoder import is_bilm


def new_language_model(
    params: PretrainParams, tokenizer: PreTrainedTokenizerBase
) -> PreTrainedModel:
    """A model with random weights; its output layer shares the embedding table if it has one."""
    return (_new_bilm if params.model == "bilm" else _new_bert)(params, tokenizer)


def _new_bert(params: PretrainParams, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """A BERT with a masked-LM head tied to the embeddings (Devlin et al. 2019)."""
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=params.hidden_size,
        num_hidden_layers=params.layers,
        num_attention_heads=params.heads,
        intermediate_size=params.feed_forward_size,
        hidden_dropout_prob=params.dropout,
        attention_probs_dropout_prob=params.dropout,
        max_position_embeddings=tokenizer.model_max_length,
        type_vocab_size=1,
        pad_token_id=tokenizer.pad_token_id,
    )
    return BertForMaskedLM(config)


def _new_bilm(params: PretrainParams, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    config = BilmConfig(
        vocab_size=len(tokenizer),
        hidden_size=params.hidden_size,
        intermediate_size=params.feed_forward_size,
        num_hidden_layers=params.layers,
        input=params.input,
        dropout=params.dropout,
        embedding_dropout=params.embedding_dropout,
        weight_drop=params.weight_drop,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = BilmForLanguageModelling(config)
    if isinstance(model.bilm.embeddings, CharacterEmbedding):
        special = set(tokenizer.all_special_ids)
        tokens = enumerate(tokenizer.convert_ids_to_tokens(range(len(tokenizer))))
        spelled = [None if number in special else token.encode() for number, token in tokens]
        model.bilm.embeddings.symbols.copy_(spelling(spelled))
    return model


def load_language_model(folder: Path) -> PreTrainedModel:
    """Loads pretrain's language model, of either family."""
    family = BilmForLanguageModelling if is_bilm(folder) else AutoModelForMaskedLM
    model: PreTrainedModel = family.from_pretrained(folder)
    return model
