"""Reads a team's own research model: a transformers folder, or a module in a Python file."""

import inspect
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from transformers import (
    AutoModelForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from pipeline.adopt.found_tokenizer import load_found_tokenizer
from pipeline.adopt.found_weights import require_safetensors
from pipeline.core.errors import ArtifactError
from pipeline.core.variants import TOKENIZER_FILE, WEIGHTS_FILE
from pipeline.models import adopted
from pipeline.models.features import output_layer
from pipeline.models.weight_files import weight_files

_CONFIG = "config.json"


@dataclass(frozen=True, kw_only=True)
class ResearchModel:
    """A model with its weights and tokenizer, as the team left them.

    Attributes:
        folder: where its files are.
        code: its Python file; None for a transformers folder.
        save: writes it into a folder in the form that stages load, tokenizer excluded.
    """

    name: str
    folder: Path
    code: Path | None
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    save: Callable[[Path], None]

    @property
    def kind(self) -> Literal["transformers", "module"]:
        """Its kind, as the note has it."""
        return "transformers" if self.code is None else "module"

    @property
    def family(self) -> str:
        """The family of its config, or its class."""
        if isinstance(self.model, adopted.AdoptedClassifier):
            return type(self.model.module).__name__
        return str(self.model.config.model_type)

    @property
    def weights(self) -> list[Path]:
        """Its files of weights."""
        return weight_files(self.folder, of=self.name)


def read_research_model(path: Path, *, labels: list[str], class_name: str = "") -> ResearchModel:
    """The model at a path: a folder with config.json, a Python file, or a folder with one.

    Args:
        labels: the product's, whose order the outputs have.
        class_name: the module's class; "" where the file has one that reads `input_ids`.

    Raises:
        ArtifactError, DataError: it cannot be read, or is of other labels; what is wrong and what to do.
    """
    if path.is_dir() and (path / _CONFIG).is_file():
        return _folder(path, labels=labels)
    files = [path] if path.suffix == ".py" and path.is_file() else sorted(path.glob("*.py"))
    if len(files) == 1:
        return _module(files[0].resolve(), labels=labels, class_name=class_name)
    raise ArtifactError(
        f"{path}: {'no such file or folder' if not path.exists() else f'{len(files)} Python files'}"
        f"{'' if not path.is_dir() else f' and no {_CONFIG}'}",
        expected=f"a folder with {_CONFIG}, {WEIGHTS_FILE} and {TOKENIZER_FILE}, or a Python file with the "
        "last two beside it",
        next_step="name the folder that `save_pretrained` wrote, or the Python file",
    )


def _module(file: Path, *, labels: list[str], class_name: str) -> ResearchModel:
    folder, of = file.parent, file.name
    require_safetensors(folder, of=of, is_module=True)
    tokenizer = load_found_tokenizer(folder, of=of, is_module=True)
    found = adopted.class_named(adopted.imported(file), class_name)
    module = adopted.built(found)
    adopted.load_weights(module, folder / WEIGHTS_FILE)
    if (own := getattr(found, "labels", None)) is not None and list(own) != labels:
        raise _other_labels(f"{found.__name__}.labels", list(own), labels)
    config = adopted.AdoptedConfig(
        class_name=found.__name__,
        vocab_size=max(tokenizer.get_vocab().values()) + 1,
        type_vocab_size=2 if "token_type_ids" in adopted.accepted_inputs(found) else 1,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )

    def save(target: Path) -> None:
        config.save_pretrained(target)
        shutil.copyfile(file, target / adopted.CODE_FILE)
        shutil.copyfile(folder / WEIGHTS_FILE, target / WEIGHTS_FILE)

    return ResearchModel(
        name=found.__name__,
        folder=folder,
        code=Path(inspect.getfile(found)),
        model=adopted.wrapped(module, config),
        tokenizer=tokenizer,
        save=save,
    )


def _folder(folder: Path, *, labels: list[str]) -> ResearchModel:
    of = folder.resolve().name
    require_safetensors(folder, of=of, is_module=False)
    weight_files(folder, of=of)
    tokenizer = load_found_tokenizer(folder, of=of, is_module=False)
    model = _classifier(folder, of=of)
    _put_in_order(model, labels, of=of)
    model.config.id2label = dict(enumerate(labels))
    model.config.label2id = {label: number for number, label in enumerate(labels)}
    return ResearchModel(
        name=of,
        folder=folder,
        code=None,
        model=model,
        tokenizer=tokenizer,
        save=model.save_pretrained,
    )


def _classifier(folder: Path, *, of: str) -> PreTrainedModel:
    """The classifier in a folder, of which every weight is there.

    Raises:
        ArtifactError: transformers cannot load it, or would start some of it at random.
    """
    try:
        model, found = AutoModelForSequenceClassification.from_pretrained(
            folder,
            output_loading_info=True,
            use_safetensors=True,
            local_files_only=True,
            dtype=torch.float32,
        )
    except (
        OSError,
        ValueError,
        KeyError,
        RuntimeError,
        ImportError,
        TypeError,
        SafetensorError,
    ) as error:
        raise ArtifactError(
            f"{of}: {(str(error).strip() or type(error).__name__).splitlines()[0]}",
            expected="a classifier of a family that transformers knows without code of its own",
            next_step="where the model is of your own code, give its Python file in place of the folder",
        ) from error
    if missing := sorted(found["missing_keys"]):
        raise ArtifactError(
            f"{of}: {len(missing)} weights of a {type(model).__name__} are not there, such as {missing[0]}",
            expected="a classifier that was trained: transformers would start these at random",
            next_step="save the trained classifier with `save_pretrained`; an encoder without one is what "
            "`prepare.checkpoint` of the product file is for",
        )
    classifier: PreTrainedModel = model.eval()
    return classifier


def _put_in_order(model: PreTrainedModel, labels: list[str], *, of: str) -> None:
    """Brings the outputs into the order of the product's labels, by the names in the config.

    Names that transformers makes up, `LABEL_0` and on, say nothing: they are taken in order.
    """
    own = [str(model.config.id2label[number]) for number in range(model.config.num_labels)]
    if own == labels or (
        len(own) == len(labels) and own == [f"LABEL_{n}" for n in range(len(own))]
    ):
        return
    if sorted(own) != sorted(labels):
        raise _other_labels(f"{of}: id2label of config.json", own, labels)
    layer = output_layer(model)
    order = torch.tensor([own.index(label) for label in labels])
    with torch.no_grad():
        layer.weight.copy_(layer.weight[order])
        if layer.bias is not None:
            layer.bias.copy_(layer.bias[order])


def _other_labels(where: str, own: list[str], labels: list[str]) -> ArtifactError:
    return ArtifactError(
        f"{where}: {own}",
        expected=f"the product's labels, {labels}",
        next_step="correct the names, in the order of the outputs; or the product's labels",
    )
