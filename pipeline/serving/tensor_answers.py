"""Writes answers of the Open Inference Protocol v2: a prediction's parts as tensors, in JSON or binary.

    classification  label BYTES [n], probability FP64 [n], probabilities FP64 [n, labels]
    multi_label     applies BOOL [n, labels], probabilities FP64 [n, labels]
    regression      value FP64 [n]
    each            truncated BOOL [n], and abstained BOOL [n] where the model may abstain

Columns stand in the order of the model's labels, which its metadata name.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from pipeline.problem.prediction import Prediction
from pipeline.problem.problems import CLASSIFICATION, MULTI_LABEL, REGRESSION
from pipeline.runtime.task import Task
from pipeline.serving.tensor_requests import Asked, bytes_of_texts, input_names

_FORMATS = {"FP64": "d", "BOOL": "?"}


@dataclass(frozen=True)
class Output:
    """A tensor of the answer.

    Attributes:
        columns: numbers for each text; None where it is one value.
        read: the values of one prediction, as many as there are columns, or one.
    """

    name: str
    datatype: str
    columns: int | None
    read: Callable[[Prediction], Sequence[Any]]

    def shape(self, texts: int) -> list[int]:
        """The shape for so many texts; -1 for any number."""
        return [texts] if self.columns is None else [texts, self.columns]


def outputs_of(task: Task) -> tuple[Output, ...]:
    """The tensors that a model of this task answers with."""
    width = len(task.labels)
    probabilities = Output(
        "probabilities", "FP64", width, lambda found: [*(found.probabilities or {}).values()]
    )
    own = {
        CLASSIFICATION: (
            Output("label", "BYTES", None, lambda found: [found.label]),
            Output("probability", "FP64", None, lambda found: [found.probability]),
            probabilities,
        ),
        MULTI_LABEL: (
            Output("applies", "BOOL", width, lambda found: _applies(task, found)),
            probabilities,
        ),
        REGRESSION: (Output("value", "FP64", None, lambda found: [found.value]),),
    }
    truncated = Output("truncated", "BOOL", None, lambda found: [found.truncated])
    abstained = Output("abstained", "BOOL", None, lambda found: [found.abstained])
    may_abstain = task.decision.abstain_below is not None
    return (*own[task.problem], truncated, *([abstained] if may_abstain else []))


def _applies(task: Task, found: Prediction) -> list[bool]:
    return [label in (found.labels or ()) for label in task.labels]


def metadata(task: Task, *, name: str, version: str) -> dict[str, Any]:
    """The protocol's description of a model."""
    inputs = [{"name": n, "datatype": "BYTES", "shape": [-1]} for n in input_names(task)]
    outputs = [
        {"name": o.name, "datatype": o.datatype, "shape": o.shape(-1)} for o in outputs_of(task)
    ]
    return {
        "name": name,
        "versions": [version],
        "platform": "onnxruntime_onnx",
        "inputs": inputs,
        "outputs": outputs,
        "parameters": {"problem": task.problem, "labels": [*task.labels]},
    }


def answer_of(
    asked: Asked, predictions: Sequence[Prediction], task: Task, *, name: str, version: str
) -> tuple[bytes, int | None]:
    """The body of the answer, and how many bytes of it are JSON; None where all are."""
    head: dict[str, Any] = {"model_name": name, "model_version": version}
    if asked.id is not None:
        head["id"] = asked.id
    described, blocks = [], []
    for output in outputs_of(task):
        if asked.outputs is not None and output.name not in asked.outputs:
            continue
        values = [value for found in predictions for value in output.read(found)]
        shape = output.shape(len(predictions))
        tensor = {"name": output.name, "datatype": output.datatype, "shape": shape}
        own = (asked.outputs or {}).get(output.name)
        if asked.binary if own is None else own:
            block = _binary(output.datatype, values)
            blocks.append(block)
            described.append({**tensor, "parameters": {"binary_data_size": len(block)}})
        else:
            described.append({**tensor, "data": values})
    text = orjson.dumps({**head, "outputs": described})
    return b"".join([text, *blocks]), len(text) if blocks else None


def _binary(datatype: str, values: Sequence[Any]) -> bytes:
    if datatype == "BYTES":
        return bytes_of_texts(values)
    return struct.pack(f"<{len(values)}{_FORMATS[datatype]}", *values)
