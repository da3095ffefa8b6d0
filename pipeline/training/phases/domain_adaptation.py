"""The domain before any lesson: the checkpoint goes on with its own pretraining, on texts like the product's.

Domain- and task-adaptive pretraining (Gururangan et al. 2020): hidden words of the training rows and of corpus
sentences are to be guessed. One training serves every seed of the teacher. A checkpoint that has no masked-LM head
(a sentence encoder has none) is given a new one, which is thrown away.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import torch
from torch import nn
from transformers import AutoConfig, BertForMaskedLM, PreTrainedModel, PreTrainedTokenizerBase

from pipeline.core.errors import ArtifactError, DataError
from pipeline.core.params import Params
from pipeline.core.stage import seed_everything
from pipeline.text.packing import PackedRows, row_batches
from pipeline.text.tokenizer import token_array
from pipeline.text.words import word_starts
from pipeline.training.curve import Curve
from pipeline.training.loop import Training, train
from pipeline.training.objectives.masked_lm import MaskedLanguageModelling
from pipeline.training.resume import Checkpoints

_END = "[SEP]"
"""What `token_array` ends a text by."""


@dataclass(frozen=True)
class Adaptation:
    """Texts of the domain, and how a checkpoint learns to guess their hidden words.

    Attributes:
        packed: training rows and corpus sentences in the teacher's tokens.
        folder: of the stage's checkpoints; what was learned waits there for the next seed.
    """

    params: Params
    checkpoint: Path
    tokenizer: PreTrainedTokenizerBase
    packed: PackedRows
    folder: Path

    @classmethod
    def of(
        cls,
        params: Params,
        checkpoint: Path,
        tokenizer: PreTrainedTokenizerBase,
        *,
        own: Sequence[str],
        sentences: Path,
        folder: Path,
    ) -> "Adaptation | None":
        """Over the training rows and as many corpus sentences as asked for; None where none are.

        Args:
            own: texts of the training rows.
            sentences: what prepare left, in an order of chance; of pairs none.

        Raises:
            ArtifactError: the checkpoint is no BERT, or has not a BERT's tokenizer.
            DataError: all of it fills no row of `prepare.max_length` tokens.
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
        return cls(params, checkpoint, tokenizer, packed, folder)

    @property
    def tokens(self) -> int:
        """That are learned from, in whole rows."""
        return self.packed.count * self.packed.length

    def teach(self, model: PreTrainedModel) -> None:
        """Put the adapted embeddings and layers into a classifier over the same checkpoint, in place.

        Its head stays its own. Random draws go on afterwards as if nothing had been drawn.
        """
        state = torch.get_rng_state()
        if not self._done.has_best():
            seed_everything(self.params.compute.seed)
            language_model = BertForMaskedLM.from_pretrained(
                self.checkpoint, use_safetensors=True, dtype=torch.float32
            )
            train(language_model, self._objective(), self._training())
            self._done.save_best(_adapted(language_model))
        self._done.restore_best(_adapted(model))
        model.eval()
        torch.set_rng_state(state)

    def clear(self) -> None:
        """Forget what was learned: the stage has ended well."""
        self._done.clear()
        self._curve.unlink(missing_ok=True)

    @property
    def _curve(self) -> Path:
        return self.folder / "adapt.csv"

    @property
    def _done(self) -> Checkpoints:
        return Checkpoints(self.folder, run="adapt-done")

    def _objective(self) -> MaskedLanguageModelling:
        tokenizer = self.tokenizer
        special = set(tokenizer.all_special_ids)
        return MaskedLanguageModelling(
            self.packed,
            mask_share=self.params.finetune.adapt.mask_share,
            first_token_id=int(tokenizer.cls_token_id),
            mask_token_id=int(tokenizer.mask_token_id),
            ordinary_from=max(special) + 1,
            vocabulary_size=len(tokenizer),
            starts_word=word_starts(tokenizer),
        )

    def _training(self) -> Training:
        settings, compute = self.params.finetune.adapt, self.params.compute
        return Training(
            task="finetune adapt",
            schedule=settings,
            compute=compute,
            batches=lambda epoch: row_batches(
                self.packed.count, batch_size=settings.batch_size, seed=compute.seed, epoch=epoch
            ),
            checkpoints=Checkpoints(self.folder, run="adapt"),
            curve=Curve(self._curve),
        )


def _adapted(model: PreTrainedModel) -> nn.ModuleList:
    """What a language model and a classifier have in common: not the head, and not the pooler."""
    return nn.ModuleList([model.base_model.embeddings, model.base_model.encoder])


def _check(checkpoint: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    family = AutoConfig.from_pretrained(checkpoint).model_type
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
