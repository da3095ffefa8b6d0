"""Domain-adaptive pretraining: more masked language modelling, on the domain's texts.

Domain- and task-adaptive pretraining (Gururangan et al. 2020) on the training rows and on corpus
sentences, before any labels. A checkpoint without a masked-LM head (a sentence encoder has none) is
given a new one, which is thrown away afterwards.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import torch
from torch import nn
from transformers import AutoConfig, BertForMaskedLM, PreTrainedModel, PreTrainedTokenizerBase

from pipeline.core.errors import ArtifactError, DataError
from pipeline.core.params import Params
from pipeline.models.new_vocabulary import read_by
from pipeline.text.packing import PackedRows, row_batches
from pipeline.text.tokenizer import token_array
from pipeline.text.words import word_starts
from pipeline.training.curve import Curve
from pipeline.training.loop import Training, train
from pipeline.training.objectives.masked_lm import MaskedLanguageModelling
from pipeline.training.phases.trained_once import TrainedOnce

_END = "[SEP]"
"""The token that `token_array` puts after each text."""
_ROLES = ("cls_token", "sep_token", "mask_token")


@dataclass(frozen=True, kw_only=True)
class DomainAdaptation:
    """The phase's settings, and training rows and corpus sentences in the teacher's tokens."""

    params: Params
    checkpoint: Path
    tokenizer: PreTrainedTokenizerBase
    packed: PackedRows
    phase: TrainedOnce

    @classmethod
    def read(
        cls,
        params: Params,
        *,
        checkpoint: Path,
        tokenizer: PreTrainedTokenizerBase,
        own: Sequence[str],
        sentences: Path,
        folder: Path,
    ) -> "DomainAdaptation | None":
        """The phase that `finetune.adapt` describes; None where it asks for no sentences.

        Args:
            own: texts of the training rows.
            sentences: prepare's corpus sentences in random order; a product of pairs has none.
            folder: the stage's folder of checkpoints.

        Raises:
            ArtifactError: the checkpoint is not a BERT, or its tokenizer is not a BERT's.
            DataError: the texts do not fill one row of `prepare.max_length` tokens.
        """
        count = params.finetune.adapt.max_sentences
        if not count:
            return None
        _check(checkpoint, tokenizer)
        backend = copy.deepcopy(tokenizer.backend_tokenizer)
        backend.no_padding()
        backend.no_truncation()
        table = pq.read_table(sentences, columns=["text"]).slice(0, count)
        tokens = token_array(backend, [*own, *table["text"].to_pylist()])
        packed = PackedRows(tokens, params.prepare.max_length)
        if not packed.count:
            raise DataError(
                f"{len(tokens)} tokens to adapt the teacher by",
                expected=f"at least prepare.max_length = {packed.length}",
                next_step="raise finetune.adapt.max_sentences, or set it to 0",
            )
        return cls(
            params=params,
            checkpoint=checkpoint,
            tokenizer=tokenizer,
            packed=packed,
            phase=TrainedOnce(folder, "adapt"),
        )

    @property
    def tokens(self) -> int:
        """The number of tokens in the packed rows."""
        return self.packed.count * self.packed.length

    def apply(self, model: PreTrainedModel) -> None:
        """Puts the adapted embeddings and layers into a classifier of the checkpoint, in place.

        Its pooler and head stay as they are.
        """
        seed = self.params.compute.seed
        self.phase.load_into(_encoder(model), train=self._train, seed=seed)
        model.eval()

    def _train(self) -> nn.Module:
        settings, tokenizer = self.params.finetune.adapt, self.tokenizer
        language_model = BertForMaskedLM.from_pretrained(
            self.checkpoint, use_safetensors=True, dtype=torch.float32
        )
        read_by(language_model, tokenizer, checkpoint=self.checkpoint, prepare=self.params.prepare)
        objective = MaskedLanguageModelling(
            self.packed,
            mask_share=settings.mask_share,
            first_token_id=int(tokenizer.cls_token_id),
            mask_token_id=int(tokenizer.mask_token_id),
            ordinary_from=max(tokenizer.all_special_ids) + 1,
            vocabulary_size=len(tokenizer),
            starts_word=word_starts(tokenizer),
        )
        training = Training(
            task="finetune adapt",
            optimisation=settings,
            compute=self.params.compute,
            batches=partial(row_batches, self.packed.count),
            checkpoints=self.phase.checkpoints,
            curve=Curve(self.phase.curve_file),
        )
        train(language_model, objective, training)
        return _encoder(language_model)


def _encoder(model: PreTrainedModel) -> nn.ModuleList:
    """The parts that a language model and a classifier share: neither pooler nor head."""
    return nn.ModuleList([model.base_model.embeddings, model.base_model.encoder])


def _check(checkpoint: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    family = AutoConfig.from_pretrained(checkpoint).model_type
    ids = [getattr(tokenizer, f"{role}_id") for role in _ROLES]
    if None in ids:
        named = ", ".join(role for role, number in zip(_ROLES, ids, strict=True) if number is None)
        raise _not_a_bert(f"a tokenizer without {named}")
    ends = tokenizer.convert_tokens_to_ids(_END) == tokenizer.sep_token_id
    if family != "bert" or not tokenizer.is_fast or not ends:
        raise _not_a_bert(f"a checkpoint of the family {family}, with {type(tokenizer).__name__}")
    special = set(tokenizer.all_special_ids)
    words = tokenizer.convert_ids_to_tokens(sorted(set(range(max(special))) - special))
    if wrong := [word for word in words if not word.startswith("[unused")]:
        raise _not_a_bert(f"a vocabulary with words before its special tokens ({wrong[0]})")


def _not_a_bert(got: str) -> ArtifactError:
    return ArtifactError(
        f"finetune.adapt with {got}",
        expected="a BERT with a fast tokenizer, [SEP] and special tokens before all words",
        next_step="set finetune.adapt.max_sentences: 0, or name another prepare.checkpoint",
    )
