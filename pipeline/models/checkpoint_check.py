"""Opens the checkpoint that the teacher starts from, before anything is trained.

transformers starts missing weights at random, drops layers that config.json does not name and
numbers positions that do not exist; a training would only show it by its figures, or stop in the
middle. Here transformers itself pairs names and shapes, on the meta device: no weights are loaded.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import safe_open
from transformers import (
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoConfig,
    AutoModelForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from pipeline.core.errors import ArtifactError, DataError
from pipeline.core.sections import Checkpoint
from pipeline.models.bilm_classifier import BilmForSequenceClassification
from pipeline.models.encoder import is_bilm
from pipeline.models.own_tokenizer import own_tokenizer
from pipeline.models.pretrained import resolve_checkpoint
from pipeline.models.weight_files import weight_files
from pipeline.models.whole import NEW_PARTS

OTHER_CHECKPOINT = "name another checkpoint in prepare.checkpoint"
_POSITION_TABLES = ("position_embeddings", "embed_positions")
_NUMBER = re.compile(r"(?<=\.)\d+(?=\.)")
_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class OpenCheckpoint:
    """A checkpoint whose parts fit together, and its sizes.

    Attributes:
        positions: most tokens of a row; None for a family without a table of positions.
        vocabulary: rows of its table of words.
    """

    folder: Path
    tokenizer: PreTrainedTokenizerBase
    family: str
    layers: int
    hidden_size: int
    positions: int | None
    vocabulary: int

    @property
    def facts(self) -> dict[str, str | int | None]:
        """Its sizes, for metrics.json."""
        names = ("family", "layers", "hidden_size", "positions", "vocabulary")
        return {name: getattr(self, name) for name in names} | {
            "pad_token": str(self.tokenizer.pad_token)
        }


def open_checkpoint(checkpoint: Checkpoint, *, labels: int, max_length: int) -> OpenCheckpoint:
    """Opens a checkpoint and compares config, weights, tokenizer and `prepare.max_length`.

    Args:
        labels: how many outputs its classifier will have.

    Raises:
        DataError, ArtifactError: the first thing that does not fit, and what to do.
    """
    folder, of = resolve_checkpoint(checkpoint), f"checkpoint {checkpoint.name}"
    tokenizer = own_tokenizer(folder, next_step=OTHER_CHECKPOINT)
    model = _matched(folder, of=of, labels=labels)
    found = OpenCheckpoint(
        folder=folder,
        tokenizer=tokenizer,
        family=str(model.config.model_type),
        layers=int(getattr(model.config, "num_hidden_layers", 0)),
        hidden_size=int(getattr(model.config, "hidden_size", 0)),
        positions=positions_of(model),
        vocabulary=int(model.config.vocab_size),
    )
    _check_vocabulary(found, of)
    _check_positions(found, of, max_length)
    return found


def require_encoder(folder: Path, *, of: str, next_step: str) -> Any:
    """The config of a family that can be the teacher.

    Raises:
        ArtifactError: transformers does not know the family, or it does not read in both directions.
    """
    try:
        config = AutoConfig.from_pretrained(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"{of}: {str(error).strip().splitlines()[0]}",
            expected="a config.json of a model that transformers knows without code of its own",
            next_step=next_step,
        ) from error
    decodes = config.is_encoder_decoder or getattr(config, "is_decoder", False)
    if type(config) not in MODEL_FOR_MASKED_LM_MAPPING or decodes:
        raise ArtifactError(
            f"{of} is of the family {config.model_type}"
            + (", with is_decoder: true" if getattr(config, "is_decoder", False) else ""),
            expected="an encoder that reads a text in both directions: BERT, RoBERTa, DistilBERT, "
            "ELECTRA, … or our own biLM",
            next_step=next_step,
        )
    return config


def positions_of(model: PreTrainedModel) -> int | None:
    """Most tokens that a model has positions for; None without a table of them.

    RoBERTa and its kin number positions from the padding's number on: as many rows are not for
    tokens.
    """
    limits = []
    modules = dict(model.named_modules())
    for name, table in modules.items():
        owner, _, last = name.rpartition(".")
        if last not in _POSITION_TABLES or not hasattr(table, "weight"):
            continue
        rows, padding = len(table.weight), getattr(table, "padding_idx", None)
        numbers = getattr(modules[owner], "position_ids", None)
        if padding is not None:
            rows -= padding + 1
        elif numbers is not None:
            rows = min(rows, numbers.shape[-1])
        limits.append(rows)
    return min(limits, default=None)


def _matched(folder: Path, *, of: str, labels: int) -> PreTrainedModel:
    """A classifier without weights, after its names and shapes were found in the checkpoint."""
    family: Any = AutoModelForSequenceClassification
    if is_bilm(folder):
        family = BilmForSequenceClassification
    else:
        require_encoder(folder, of=of, next_step=OTHER_CHECKPOINT)
    try:
        with _quiet():
            model, found = family.from_pretrained(
                folder,
                num_labels=labels,
                output_loading_info=True,
                use_safetensors=True,
                ignore_mismatched_sizes=True,
                device_map="meta",
                dtype=torch.float32,
            )
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, ImportError) as error:
        raise ArtifactError(
            f"{of}: {str(error).strip().splitlines()[0]}",
            expected="an encoder that transformers can load as a classifier",
            next_step=OTHER_CHECKPOINT,
        ) from error
    names = _Names(model, of, _names_in(folder, of))
    names.check_missing(found["missing_keys"])
    names.check_shapes(found["mismatched_keys"])
    names.check_more_layers(found["unexpected_keys"])
    _check_finite(folder, of=of, unused=found["unexpected_keys"])
    matched: PreTrainedModel = model
    return matched


class _Names:
    """Compares the names and shapes of a checkpoint's weights with those of its architecture."""

    def __init__(self, model: PreTrainedModel, of: str, there: Sequence[str]) -> None:
        self._of, self._there = of, there
        self._prefix = f"{model.base_model_prefix}."
        self._layers = int(getattr(model.config, "num_hidden_layers", 0))
        self._own = {name.removeprefix(self._prefix) for name in model.state_dict()}

    def _is_head(self, name: str) -> bool:
        return not name.startswith(self._prefix)

    def check_missing(self, names: Collection[str]) -> None:
        """Raises ArtifactError where weights of the encoder are missing."""
        inner = sorted(n.removeprefix(self._prefix) for n in names if not self._is_head(n))
        absent = [name for name in inner if not name.startswith(NEW_PARTS)]
        if not absent:
            return
        layers = self._layers_there()
        got = f"{self._of} lacks {len(absent)} weights of its encoder, such as {_some(absent)}"
        step = "take config.json and weights of one and the same checkpoint"
        if layers is not None and all(self._beyond(name, layers) for name in absent):
            got = (
                f"{self._of}: config.json says {self._layers} layers, and its weights have {layers}"
            )
        elif prefix := self._foreign_prefix(absent):
            got += f"; all its names begin with {prefix!r}"
            step = f"load it with the library that saved it, and save the encoder alone, so that its names are without {prefix!r}"
        elif len(absent) >= len(self._there):
            got += f"; it has {_some(sorted(self._there))}"
        raise ArtifactError(
            got,
            expected="every weight of the encoder that config.json describes: transformers would start"
            " missing ones at random",
            next_step=step,
        )

    def check_shapes(self, mismatched: Collection[tuple[str, Any, Any]]) -> None:
        """Raises ArtifactError where weights have other shapes than config.json says."""
        if not mismatched:
            return
        inner = sorted(m for m in mismatched if not self._is_head(m[0]))
        name, found, wanted = (inner or sorted(mismatched))[0]
        raise ArtifactError(
            f"{self._of}: {name} is {tuple(found)} in its weights"
            + (f" ({len(mismatched)} weights differ)" if len(mismatched) > 1 else ""),
            expected=f"{tuple(wanted)}, as config.json describes it"
            if inner
            else f"{tuple(wanted)}, a classifier of the product's labels",
            next_step="take config.json and weights of one and the same checkpoint"
            if inner
            else "save its encoder without the classifier: `AutoModel.from_pretrained(…)"
            ".save_pretrained(…)`",
        )

    def check_more_layers(self, unexpected: Collection[str]) -> None:
        """Raises ArtifactError where the weights have more layers than config.json says."""
        inner = (name.removeprefix(self._prefix) for name in unexpected)
        more = sorted(n for n in inner if _NUMBER.sub("0", n, count=1) in self._own)
        if more:
            raise ArtifactError(
                f"{self._of}: config.json says {self._layers} layers, and its weights have"
                f" {self._layers_there()}, such as {_some(more)}",
                expected="as many layers as the weights have: transformers would leave the others out",
                next_step="correct num_hidden_layers in config.json, or load the checkpoint and"
                " `save_pretrained` it with fewer",
            )

    def _layers_there(self) -> int | None:
        """The number of numbered layers in the weights; None where names have no number."""
        numbered = (_NUMBER.search(name) for name in self._there if self._known(name))
        return max((int(number.group()) + 1 for number in numbered if number), default=None)

    def _known(self, name: str) -> bool:
        return _NUMBER.sub("0", name.removeprefix(self._prefix), count=1) in self._own

    def _beyond(self, name: str, layers: int) -> bool:
        number = _NUMBER.search(name)
        return number is not None and int(number.group()) >= layers

    def _foreign_prefix(self, absent: Sequence[str]) -> str | None:
        """The prefix that all names have before those that are wanted; None without one."""
        for name in self._there:
            if name.endswith(f".{absent[0]}"):
                prefix = name.removesuffix(absent[0])
                return prefix if all(f"{prefix}{n}" in self._there for n in absent) else None
        return None


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN])


def _names_in(folder: Path, of: str) -> list[str]:
    names: list[str] = []
    for file in weight_files(folder, of=of):
        with safe_open(file, framework="pt") as weights:
            names += weights.keys()
    return names


def _check_finite(folder: Path, *, of: str, unused: Collection[str]) -> None:
    """Raises DataError for a weight that is not a number or infinite."""
    for file in weight_files(folder, of=of):
        with safe_open(file, framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118 - not a dictionary
                tensor = None if name in unused else weights.get_tensor(name)
                if tensor is None or not tensor.is_floating_point():
                    continue
                if not bool(tensor.isfinite().all()):
                    raise DataError(
                        f"{of}: {name} in {file.name} has numbers that are not finite",
                        expected="finite weights",
                        next_step="download it again, or name another checkpoint",
                    )


def _check_vocabulary(found: OpenCheckpoint, of: str) -> None:
    highest = max(found.tokenizer.get_vocab().values())
    if highest >= found.vocabulary:
        raise ArtifactError(
            f"{of}: its tokenizer numbers tokens up to {highest:,}, and the model has embeddings for"
            f" {found.vocabulary:,}",
            expected="the tokenizer that the model was trained with",
            next_step="put the model and the tokenizer of one checkpoint into the folder",
        )


def _check_positions(found: OpenCheckpoint, of: str, max_length: int) -> None:
    if found.positions is not None and max_length > found.positions:
        raise DataError(
            f"prepare.max_length = {max_length:,}, and {of}, a {found.family}, has positions for"
            f" {found.positions:,} tokens",
            expected=f"prepare.max_length of at most {found.positions:,}",
            next_step=f"set prepare.max_length: {found.positions} or less; for longer texts set"
            " prepare.window_stride, which reads them in windows",
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps transformers from printing its own report and progress while it compares names."""
    log = transformers.utils.logging
    level, shown = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if shown:
            log.enable_progress_bar()
