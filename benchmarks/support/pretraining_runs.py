"""One corpus for our pretraining, transformers' example recipe, and n-gram models."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
import transformers
from numpy.typing import NDArray

from benchmarks.support.command_line import built_file
from benchmarks.support.demonstration import demonstration_params
from benchmarks.support.finetuning import QUIET, rows_of_ids
from benchmarks.support.ngram import KneserNey
from benchmarks.support.trainings import train_language_model
from benchmarks.support.watch import StepCallback, StepClock
from flows.planning.resolution import Variation
from pipeline.core.params import Params
from pipeline.core.product import Compute
from pipeline.core.stage import seed_everything
from pipeline.core.training_sections import PretrainParams
from pipeline.metrics.bits_per_byte import bits_per_byte, text_bytes, xz_bits_per_byte
from pipeline.models.language_models import new_language_model
from pipeline.text.packing import PackedRows, documents_of
from pipeline.text.split_assignment import unit_hash
from pipeline.text.tokenizer import SPECIAL_TOKENS, token_array, train_byte_bpe
from pipeline.training.heldout import document_nats

_VOCABULARY = 8192
_LENGTH = 128
_HELDOUT_SHARE, _HELDOUT_LIMIT = 0.02, 300
_TUNED_ON = 60
"""Profile `bilm` was chosen on this many first held-out reviews, so they are not scored."""
_CALIBRATION_STEPS = 150
_MEASURED_AT = tuple(number / 10 for number in range(1, 11))
_MLM_SHAPE = {
    "start": "random",
    "layers": 4,
    "hidden_size": 256,
    "heads": 4,
    "feed_forward_size": 1024,
    "sequence_length": _LENGTH,
    "mask_share": 0.15,
    "batch_size": 16,
}


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Reviews and their token streams, in which `[SEP]` ends each review."""

    tokenizer: transformers.PreTrainedTokenizerBase
    training: list[str]
    heldout: list[str]
    training_stream: NDArray[np.unsignedinteger]
    heldout_stream: NDArray[np.unsignedinteger]

    @property
    def boundary(self) -> int:
        """The token between reviews."""
        return int(self.tokenizer.sep_token_id)


@dataclass(frozen=True)
class Watched:
    """A point of the biLM's training: seconds so far, and bits per byte."""

    seconds: float
    forward: float
    backward: float


def open_corpus(root: Path) -> Corpus:
    """Reads the corpus that label left, splits them by hash, and trains a lossless tokenizer.

    Raises:
        DataError: nothing was built yet.
    """
    table = pq.read_table(built_file(root, "label/corpus.parquet"))
    training: list[str] = []
    heldout: list[str] = []
    for identifier, text in zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True):
        held = unit_hash("benchmark", "heldout", identifier) < _HELDOUT_SHARE
        (heldout if held else training).append(text)
    heldout = heldout[_TUNED_ON : _TUNED_ON + _HELDOUT_LIMIT]
    made = train_byte_bpe(training, vocabulary_size=_VOCABULARY)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, model_max_length=_LENGTH, **SPECIAL_TOKENS
    )
    return Corpus(
        tokenizer=tokenizer,
        training=training,
        heldout=heldout,
        training_stream=token_array(made, training),
        heldout_stream=token_array(made, heldout),
    )


def counted_scores(corpus: Corpus) -> dict[str, float]:
    """The bits per byte of unigrams, of 5-grams in both directions, and of xz."""
    sizes = text_bytes(corpus.heldout)
    found = {}
    for name, order, turn in (
        ("unigram", 1, False),
        ("kneser_ney_5_forward", 5, False),
        ("kneser_ney_5_backward", 5, True),
    ):
        training, heldout = (
            # Reversed, reviews and tokens; each review still ends with the boundary.
            np.append(stream[:-1][::-1], stream.dtype.type(corpus.boundary)) if turn else stream
            for stream in (corpus.training_stream, corpus.heldout_stream)
        )
        model = KneserNey(
            training, order=order, vocabulary_size=len(corpus.tokenizer), boundary=corpus.boundary
        )
        found[name] = bits_per_byte(model.nats(heldout), sizes)
    found["xz"] = xz_bits_per_byte(corpus.training, corpus.heldout)
    return found


@dataclass(frozen=True, kw_only=True)
class _Recipe:
    """A model, the corpus that it is trained on, and the folder for what training writes."""

    corpus: Corpus
    settings: PretrainParams
    compute: Compute
    folder: Path

    def new_model(self) -> transformers.PreTrainedModel:
        seed_everything(self.compute.seed)
        return new_language_model(self.settings, self.corpus.tokenizer)

    def train(self, *, sequences: int, after_step: Callable[[torch.nn.Module], None]) -> None:
        """Trains as `pretrain` does, for as many epochs as `sequences` need, the last one shortened."""
        packed = PackedRows(self.corpus.training_stream, self.settings.sequence_length)
        epochs = -(-sequences // min(sequences, packed.count))
        train_language_model(
            self.new_model(),
            packed,
            self.corpus.tokenizer,
            optimisation=self.settings.model_copy(update={"epochs": epochs}),
            rows=-(-sequences // epochs),
            compute=self.compute,
            folder=self.folder,
            after_step=after_step,
        )

    def rate(self, sequences: int) -> float:
        """Tokens a second of our training."""
        clock = StepClock()
        self.train(sequences=sequences, after_step=lambda _: clock.step())
        return clock.steps_per_second * self.settings.batch_size * self.settings.sequence_length

    def rate_of_trainer(self, sequences: int) -> float:
        """Tokens a second of transformers' example recipe."""
        rows = PackedRows(self.corpus.training_stream, _LENGTH).read(np.arange(sequences))
        arguments = transformers.TrainingArguments(
            output_dir=str(self.folder / "recipe"),
            num_train_epochs=1,
            seed=self.compute.seed,
            **QUIET,
        )
        clock = StepClock()
        model = self.new_model()
        torch.set_num_threads(self.compute.threads)
        transformers.Trainer(
            model=model,
            args=arguments,
            train_dataset=rows_of_ids(rows.tolist()),
            data_collator=transformers.DataCollatorForLanguageModeling(
                self.corpus.tokenizer, mlm_probability=0.15
            ),
            callbacks=[StepCallback(lambda _: clock.step())],
        ).train()
        batch: int = arguments.per_device_train_batch_size
        return clock.steps_per_second * batch * _LENGTH


def train_bilm(root: Path, corpus: Corpus, folder: Path, *, minutes: float) -> list[Watched]:
    """Trains the model of profile `bilm` for `minutes`, not counting the evaluations in between."""
    params = load_profile(root, "bilm")
    recipe = _Recipe(corpus=corpus, settings=params.pretrain, compute=params.compute, folder=folder)
    tokens = recipe.rate(_CALIBRATION_STEPS * recipe.settings.batch_size)
    print(f"bilm  {tokens:,.0f} tokens/s; trains {minutes:g} minutes", flush=True)
    sequences = int(tokens / recipe.settings.sequence_length * minutes * 60)
    steps = -(-sequences // recipe.settings.batch_size)
    measured_after = {round(steps * share) for share in _MEASURED_AT}
    sizes = text_bytes(corpus.heldout)
    documents = documents_of(corpus.heldout_stream, end=corpus.boundary)
    watched: list[Watched] = []
    clock = StepClock()

    def evaluate(model: torch.nn.Module) -> None:
        clock.step()
        if clock.steps not in measured_after:
            return
        with clock.paused():
            device = next(model.parameters()).device
            nats = document_nats(model, documents, boundary=corpus.boundary, device=device)
            bits = [bits_per_byte(found, sizes) for found in nats]
        watched.append(Watched(clock.seconds, *bits))
        shown = f"{bits[0]:.4f} forward  {bits[1]:.4f} backward"
        print(f"bilm  {clock.seconds:.0f} s  {shown}", flush=True)

    recipe.train(sequences=sequences, after_step=evaluate)
    return watched


def mlm_engines(root: Path, corpus: Corpus, folder: Path) -> dict[str, Callable[[int], float]]:
    """Our masked pretraining and transformers' recipe: from packed rows to tokens a second."""
    params = demonstration_params(root)
    settings = params.pretrain.model_copy(update=_MLM_SHAPE)
    recipe = _Recipe(corpus=corpus, settings=settings, compute=params.compute, folder=folder)
    return {"ours": recipe.rate, "recipe": recipe.rate_of_trainer}


def load_profile(root: Path, name: str) -> Params:
    """The parameters of `profiles/<name>.yaml`, which names its product."""
    return demonstration_params(root, Variation(profile=name))
