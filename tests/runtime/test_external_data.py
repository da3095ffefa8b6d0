"""A model that keeps weights in another file is found without a library that reads ONNX."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
import pytest
from google.protobuf.descriptor import Descriptor
from onnx import TensorProto, helper, numpy_helper

from pipeline.runtime.external_data import DATA_LOCATION, EXTERNAL_DATA, FIELDS, has_external_data
from tests.support.tiny_bundle import make_tiny_model


@pytest.fixture(name="model")
def make_model(tmp_path: Path) -> onnx.ModelProto:
    return onnx.load(make_tiny_model(tmp_path)[0])


def outside(tensor: TensorProto) -> TensorProto:
    """The tensor, its values in another file."""
    moved = TensorProto()
    moved.CopyFrom(tensor)
    moved.ClearField("raw_data")
    moved.data_location = TensorProto.EXTERNAL
    moved.external_data.add(key="location", value="weights.bin")
    return moved


def constant(tensor: TensorProto) -> onnx.NodeProto:
    return helper.make_node("Constant", [], ["c"], value=tensor)


TENSOR = outside(numpy_helper.from_array(np.zeros(4, dtype=np.float32), "c"))


def as_weight(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(TENSOR)


def as_constant(model: onnx.ModelProto) -> None:
    model.graph.node.append(constant(TENSOR))


def in_a_branch(model: onnx.ModelProto) -> None:
    inner = helper.make_graph([constant(TENSOR)], "inner", [], [])
    model.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=inner))


def in_a_function(model: onnx.ModelProto) -> None:
    made = helper.make_function("own", "f", [], ["c"], [constant(TENSOR)], [])
    model.functions.append(made)


def sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add().values.CopyFrom(TENSOR)


def by_location_alone(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer.add()
    tensor.CopyFrom(TENSOR)
    tensor.ClearField("external_data")


@pytest.mark.parametrize(
    "hide", [as_weight, as_constant, in_a_branch, in_a_function, sparse, by_location_alone]
)
def test_weights_outside_are_found_wherever_a_tensor_can_be(model, hide) -> None:
    assert not has_external_data(model.SerializeToString())
    hide(model)
    assert has_external_data(model.SerializeToString())


def test_the_table_has_every_field_of_onnx_that_leads_to_a_tensor() -> None:
    found: dict[str, dict[int, str]] = {}
    leads = {"TensorProto"}
    waiting: list[Descriptor] = [onnx.ModelProto.DESCRIPTOR]
    messages: dict[str, Descriptor] = {}
    while waiting:
        message = waiting.pop()
        if message.name not in messages:
            messages[message.name] = message
            waiting += [f.message_type for f in message.fields if f.message_type is not None]
    for _ in messages:
        for name, message in messages.items():
            inner = {
                field.number: field.message_type.name
                for field in message.fields
                if field.message_type is not None and field.message_type.name in leads
            }
            if inner and name != "TensorProto":
                found[name] = inner
                leads.add(name)
    assert found == {name: dict(fields) for name, fields in FIELDS.items()}
    numbers = {field.name: field.number for field in TensorProto.DESCRIPTOR.fields}
    assert (numbers["external_data"], numbers["data_location"]) == (EXTERNAL_DATA, DATA_LOCATION)


@pytest.mark.parametrize(
    "content", [b"\x00noise", b"noise", b"\xff" * 11, b"\x3a\x7f", b"\x3a", b"\x0b\x0c"]
)
def test_what_is_no_protobuf_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no protobuf"):
        has_external_data(content)


def test_every_cut_of_a_model_ends_without_another_error(model) -> None:
    content = model.SerializeToString()
    for length in range(len(content)):
        with suppress(ValueError):
            assert not has_external_data(content[:length])
