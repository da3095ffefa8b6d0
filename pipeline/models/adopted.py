"""A team's own `torch.nn.Module` as a classifier: built from its Python file, loaded from safetensors.

The module takes `input_ids` and, if it names them, `attention_mask` and `token_type_ids`, int64
`(batch, length)`; it returns logits `(batch, outputs)`, or an object that has them as `logits`. Its file
is run, as the team's own code is wherever they train; its weights are never a pickle.
"""

import hashlib
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_model
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from pipeline.core.errors import ArtifactError
from pipeline.core.files import read_json
from pipeline.core.variants import WEIGHTS_FILE

CODE_FILE = "model.py"
"""The copy of the team's file beside the weights."""
_OPTIONAL = ("attention_mask", "token_type_ids")


class AdoptedConfig(PreTrainedConfig):  # type: ignore[misc]  # transformers has no types
    """The content of config.json for an adopted module: its class, and sizes of its inputs."""

    model_type = "modelyard_adopted"

    def __init__(self, class_name: str = "", vocab_size: int = 0, **more: Any) -> None:
        self.class_name, self.vocab_size = class_name, vocab_size
        self.type_vocab_size = more.pop("type_vocab_size", 1)
        super().__init__(**more)


class AdoptedClassifier(PreTrainedModel):  # type: ignore[misc]
    """A module behind the call that stages use: named inputs in, an object with `logits` out."""

    config_class = AdoptedConfig

    def __init__(self, config: AdoptedConfig, module: nn.Module) -> None:
        super().__init__(config)
        self.module = module
        self.named = accepted_inputs(type(module))

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
    ) -> SequenceClassifierOutput:
        """The module's logits, `(batch, outputs)`, from inputs of `(batch, length)`."""
        given = {"attention_mask": attention_mask, "token_type_ids": token_type_ids}
        if given["attention_mask"] is None:
            given["attention_mask"] = torch.ones_like(input_ids)
        found = self.module(input_ids, **{name: given[name] for name in self.named})
        return SequenceClassifierOutput(logits=getattr(found, "logits", found))


def is_adopted(folder: Path | str) -> bool:
    """Whether a folder holds a module that was adopted."""
    config = Path(folder) / "config.json"
    return config.is_file() and read_json(config).get("model_type") == AdoptedConfig.model_type


def load_adopted(folder: Path) -> AdoptedClassifier:
    """The module in a folder that `modelyard adopt` wrote, with its weights, in evaluation mode."""
    config = AdoptedConfig.from_pretrained(folder)
    module = built(class_named(imported(folder / CODE_FILE), config.class_name))
    load_weights(module, folder / WEIGHTS_FILE)
    return wrapped(module, config)


def wrapped(module: nn.Module, config: AdoptedConfig) -> AdoptedClassifier:
    """The classifier around a module that has its weights."""
    # In evaluation torch has another path for its own encoder layers, of operators that no export knows.
    torch.backends.mha.set_fastpath_enabled(False)
    model = AdoptedClassifier(config, module.float())
    model.eval()
    return model


def imported(file: Path) -> ModuleType:
    """Runs a Python file and returns it as a module.

    Raises:
        ArtifactError: it does not run, with the line at which it stopped.
    """
    name = f"adopted_{hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ArtifactError(
            f"{file.name}", expected="a file that ends in .py", next_step="name the Python file"
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickled names look their module up here
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # it is somebody's code: anything may be raised
        raise ArtifactError(
            f"{place_in(error, file)}: {type(error).__name__}: {error}",
            expected="a file that runs on its own: packages that are installed here, no file beside it",
            next_step="put what it imports into the one file, or install it; keep training below "
            '`if __name__ == "__main__":`',
        ) from error
    return module


def class_named(module: ModuleType, name: str) -> type[nn.Module]:
    """The class of that name in a module; of "", the only one that reads `input_ids`.

    Raises:
        ArtifactError: there is none, or more than one.
    """
    own = {
        found.__name__: found
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, nn.Module)
        and found.__module__ == module.__name__
    }
    readers = [found for found in own.values() if "input_ids" in _parameters(found)]
    chosen = [own[name]] if name in own else [] if name else readers
    if len(chosen) == 1 and chosen[0] in readers:
        return chosen[0]
    listed = ", ".join(found.__name__ for found in readers) or "none"
    raise ArtifactError(
        f"{Path(module.__file__ or '').name}: "
        + (f"no class {name} that reads `input_ids`" if name else f"{len(readers)} classes that do")
        + f"; those that read `input_ids`: {listed}",
        expected="one torch.nn.Module whose forward has a parameter `input_ids`, and may have "
        "`attention_mask` and `token_type_ids`",
        next_step="name it with --class" if readers else "write such a forward around the model",
    )


def built(found: type[nn.Module]) -> nn.Module:
    """An instance of a class whose parameters all have defaults.

    Raises:
        ArtifactError: one has none, or its code fails.
    """
    needed = [
        name
        for name, parameter in inspect.signature(found).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if needed:
        raise ArtifactError(
            f"{found.__name__} needs {', '.join(needed)} to be made",
            expected="a class that can be made without arguments: these are the sizes of its weights",
            next_step="give them the defaults that it was trained with",
        )
    try:
        return found()
    except Exception as error:  # somebody's code
        raise ArtifactError(
            f"{place_in(error, Path(inspect.getfile(found)))}: {type(error).__name__}: {error}",
            expected=f"{found.__name__}() without an error",
            next_step="correct its __init__",
        ) from error


def load_weights(module: nn.Module, file: Path) -> None:
    """Fills a module with the weights in a safetensors file.

    Raises:
        ArtifactError: names or shapes are not the module's.
    """
    try:
        load_model(module, file)
    except (RuntimeError, SafetensorError, ValueError, KeyError) as error:
        told = " ".join(str(error).split())
        raise ArtifactError(
            f"{file.name} in {type(module).__name__}: {told[:400]}",
            expected="the weights of this class, every one and no other",
            next_step="save them again from the trained model: "
            "`safetensors.torch.save_model(model, 'model.safetensors')`",
        ) from error


def accepted_inputs(found: type[nn.Module]) -> tuple[str, ...]:
    """Which of `attention_mask` and `token_type_ids` a class's forward takes.

    Raises:
        ArtifactError: it needs something else, too.
    """
    parameters = _parameters(found)
    others = [
        name
        for name, parameter in parameters.items()
        if name not in ("self", "input_ids", *_OPTIONAL)
        and parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if others:
        raise ArtifactError(
            f"{found.__name__}.forward needs {', '.join(others)}",
            expected="`input_ids`, and of the rest only `attention_mask` and `token_type_ids`: a server "
            "has nothing but the tokens of a text",
            next_step="compute it from these inside the module, or give it a default",
        )
    return tuple(name for name in _OPTIONAL if name in parameters)


def place_in(error: BaseException, file: Path) -> str:
    """Where an error left a file, as `file:line`; the file alone where no line of it is known."""
    lines = []
    seen: BaseException | None = error
    while seen is not None:
        trace = seen.__traceback__
        while trace is not None:
            if Path(trace.tb_frame.f_code.co_filename) == file:
                lines.append(trace.tb_lineno)
            trace = trace.tb_next
        if isinstance(seen, SyntaxError) and seen.filename == str(file) and seen.lineno:
            lines.append(seen.lineno)
        seen = seen.__cause__ or seen.__context__
    return f"{file.name}:{lines[-1]}" if lines else file.name


def _parameters(found: type[nn.Module]) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(found.forward).parameters)
