"""Finds whether an ONNX model keeps weights in other files, with no library that reads ONNX.

ONNX Runtime would read such files by their names, from the folder that the server happens to run
in: nothing that a bundle's manifest or signature covers. The model's bytes are read as protobuf's
wire format (https://protobuf.dev/programming-guides/encoding), by the field numbers of onnx.proto;
a test compares them with those of the `onnx` package.
"""

from collections.abc import Mapping

FIELDS: Mapping[str, Mapping[int, str]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: "TensorProto",
        6: "GraphProto",
        10: "TensorProto",
        11: "GraphProto",
        22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
}
"""Message → number of a field that leads to a tensor → the message in it."""
EXTERNAL_DATA, DATA_LOCATION = 13, 14
"""Fields of a `TensorProto`: the file that holds its values, and 1 where there is one."""
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_SIZES = {_FIXED_64: 8, _FIXED_32: 4}


def has_external_data(model: bytes) -> bool:
    """Whether any tensor of an ONNX model lies outside its bytes.

    Raises:
        ValueError: the bytes are no protobuf message.
    """
    waiting = [("ModelProto", 0, len(model))]
    while waiting:
        message, at, end = waiting.pop()
        inner = FIELDS.get(message, {})
        while at < end:
            tag, at = _varint(model, at)
            number, wire = tag >> 3, tag & 7
            value, at = (_SIZES[wire], at) if wire in _SIZES else _varint(model, at)
            if wire not in (_VARINT, *_SIZES, _BYTES) or number == 0:
                raise ValueError(f"no protobuf at byte {at}")
            if message == "TensorProto" and (number, value) == (DATA_LOCATION, 1):
                return True
            if message == "TensorProto" and number == EXTERNAL_DATA:
                return True
            if wire == _BYTES and number in inner:
                waiting.append((inner[number], at, at + value))
            at += 0 if wire == _VARINT else value
        if at != end:
            raise ValueError(f"no protobuf: a field that ends {at - end} bytes after its message")
    return False


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number in protobuf's variable length at a place, and the place behind it."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError(f"no protobuf at byte {at}")
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at
