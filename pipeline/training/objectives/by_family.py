"""The pretraining objective of each family of language models."""

from transformers import PreTrainedTokenizerBase

from pipeline.core.training_sections import PretrainParams
from pipeline.text.packing import PackedRows
from pipeline.text.words import word_starts
from pipeline.training.loop import Objective
from pipeline.training.objectives.bidirectional_lm import BidirectionalLanguageModelling
from pipeline.training.objectives.masked_lm import MaskedLanguageModelling


def language_model_objective(
    packed: PackedRows, params: PretrainParams, tokenizer: PreTrainedTokenizerBase
) -> Objective:
    """Masked or bidirectional language modelling over packed rows."""
    first = int(tokenizer.cls_token_id)
    if params.model == "bilm":
        return BidirectionalLanguageModelling(packed, first_token_id=first)
    return MaskedLanguageModelling(
        packed,
        mask_share=params.mask_share,
        first_token_id=first,
        mask_token_id=int(tokenizer.mask_token_id),
        ordinary_from=max(tokenizer.all_special_ids) + 1,
        vocabulary_size=len(tokenizer),
        starts_word=word_starts(tokenizer) if params.whole_words else None,
    )
