"""The domain before any lesson: the checkpoint goes on with its own pretraining, on texts like the product's.

Domain- and task-adaptive pretraining (Gururangan et al. 2020): hidden words of the training rows and of corpus
sentences are to be guessed. One training serves every seed of the teacher.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import torch
from transformers import (
    AutoModelForMaskedLM,
    BertForMaskedLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from pipeline.core.errors import ArtifactError, DataError
from pipeline.core.params import Params
from pipeline.core.stage import seed_everything
from pipeline.text.packing import PackedRows, row_batches
from pipeline.text.tokenizer import token_array
from pipeline.text.words import word_starts
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.curve import Curve
from pipeline.training.loop import Training, train
from pipeline.training.masked_lm import MaskedLanguageModelling


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
            sentences: what prepare left, in an order of chance.

        Raises:
            DataError: all of it fills no row of `prepare.max_length` tokens.
        """
        count = params.finetune.adapt.max_sentences
        if not count:
            return None
        table = pq.read_table(sentences, columns=["text"]).slice(0, count)
        tokens = token_array(tokenizer.backend_tokenizer, [*own, *table["text"].to_pylist()])
        packed = PackedRows(tokens, params.prepare.max_length)
        if not packed.count:
            raise DataError(
                f"{len(tokens)} tokens to adapt the teacher by",
                expected=f"at least prepare.max_length = {packed.length}",
                next_step="raise finetune.adapt.max_sentences, or set it to 0",
            )
        return cls(params, checkpoint, tokenizer, packed, folder)

    def teach(self, model: PreTrainedModel) -> None:
        """Put the adapted encoder into a classifier over the same checkpoint, in place.

        Random draws go on afterwards as if nothing had been drawn.

        Raises:
            ArtifactError: the checkpoint is no BERT.
        """
        state = torch.get_rng_state()
        if self._done.has_best():
            self._done.restore_best(model)
        else:
            seed_everything(self.params.compute.seed)
            language_model = self._language_model()
            train(language_model, self._objective(), self._training())
            # The classifier has a pooler, which the language model has not.
            model.base_model.load_state_dict(language_model.bert.state_dict(), strict=False)
            self._done.save_best(model)
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

    def _language_model(self) -> BertForMaskedLM:
        model = AutoModelForMaskedLM.from_pretrained(
            self.checkpoint, use_safetensors=True, dtype=torch.float32
        )
        if not isinstance(model, BertForMaskedLM):
            raise ArtifactError(
                f"finetune.adapt with a checkpoint of the family {model.config.model_type}",
                expected="a BERT, whose masked language model is trained on",
                next_step="set finetune.adapt.max_sentences: 0, or name another prepare.checkpoint",
            )
        return model

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
