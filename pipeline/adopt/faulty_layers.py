"""Finds the layers of a model that cannot be exported, by exporting each alone on what it was given."""

import inspect
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pipeline.models.features import hooked

WAY_OUT = (
    "write that layer with operators that ONNX has (https://onnx.ai/onnx/operators/): matrix products, "
    "convolutions, LSTM, softmax, norms, element-wise functions, gathers and sums"
)


@dataclass(frozen=True)
class FaultyLayer:
    """A layer that fails alone, while all layers inside it pass.

    Attributes:
        name: dotted name in the model; empty for the model itself.
        place: `file:line` of its forward.
        reason: what the exporter said, one line.
    """

    name: str
    kind: str
    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name or 'the model itself'} ({self.kind}, {self.place}): {self.reason}"


def faulty_layers(
    model: nn.Module, inputs: tuple[torch.Tensor, ...], *, opset: int
) -> list[FaultyLayer]:
    """The innermost layers that cannot be exported alone; the model itself where only the whole fails.

    Args:
        inputs: what `model` is called with.
    """
    with _calls(model) as calls, torch.no_grad():
        model(*inputs)
    names = {module: name for name, module in model.named_modules()}
    return _inside(model, calls | {model: (inputs, {})}, names, opset=opset)


Call = tuple[tuple[Any, ...], dict[str, Any]]


def _inside(
    module: nn.Module, calls: dict[nn.Module, Call], names: dict[nn.Module, str], *, opset: int
) -> list[FaultyLayer]:
    reason = _reason(module, calls[module], opset=opset) if module in calls else ""
    if reason is None:
        return []
    deeper = [f for child in module.children() for f in _inside(child, calls, names, opset=opset)]
    if deeper or module not in calls:  # a list of layers is never called itself
        return deeper
    return [FaultyLayer(names[module], type(module).__name__, _place(module), reason)]


def _reason(module: nn.Module, call: Call, *, opset: int) -> str | None:
    """Why a layer cannot be exported on what it was given; None where it can."""
    args, kwargs = call
    try:
        with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module,
                args,
                f"{folder}/layer.onnx",
                kwargs=kwargs or None,
                opset_version=opset,
                dynamo=False,
            )
    except Exception as error:  # the exporter has no common base of its errors
        return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
    return None


@contextmanager
def _calls(model: nn.Module) -> Iterator[dict[nn.Module, Call]]:
    """Yields what each layer is called with while the block runs; the last call counts."""
    calls: dict[nn.Module, Call] = {}

    def keep(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        calls[module] = args, kwargs

    with hooked([m.register_forward_pre_hook(keep, with_kwargs=True) for m in model.modules()]):
        yield calls


def _place(module: nn.Module) -> str:
    """`file:line` of a layer's forward."""
    forward = type(module).forward
    return f"{Path(inspect.getfile(forward)).name}:{inspect.getsourcelines(forward)[1]}"
