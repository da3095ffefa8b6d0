"""Reads requests of the Open Inference Protocol v2: tensors of texts, as JSON or with binary data after it.

    {"id": "7", "inputs": [{"name": "text", "shape": [2], "datatype": "BYTES", "data": ["one", "two"]}]}

A model of pairs wants a second tensor, `second`, of as many texts. With the binary extension a tensor has
`parameters.binary_data_size` in place of `data`; its bytes follow the JSON, each text as its length (four bytes,
little-endian) and its UTF-8. See https://github.com/kserve/open-inference-protocol.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.runtime.task import Request as TextRequest
from pipeline.runtime.task import Task, requests_of
from pipeline.serving.body_shapes import MAX_TEXTS, Schema, Shape, ShapeError, Text, kind_of

_LENGTH = struct.Struct("<I")


def input_names(task: Task) -> tuple[str, ...]:
    """The names of the tensors that a model reads."""
    return ("text", "second") if task.pairs else ("text",)


@dataclass(frozen=True)
class Asked:
    """A request as it was read: its texts or pairs, and how the answer is to be sent.

    Attributes:
        id: the sender's own name for the request, which the answer repeats.
        outputs: names of the outputs that are wanted → whether as binary data; None means all.
        binary: whether an output that does not say so itself is wanted as binary data.
    """

    id: str | None
    requests: list[TextRequest]
    outputs: Mapping[str, bool | None] | None
    binary: bool


@dataclass(frozen=True)
class Plain:
    """A value of one JSON type."""

    kind: type
    json_type: str

    @property
    def schema(self) -> Schema:
        return {"type": self.json_type}

    def check(self, value: Any, name: str) -> Any:
        if type(value) is not self.kind:
            raise ShapeError(f"{kind_of(value)} as '{name}'", expected=f"a JSON {self.json_type}")
        return value


@dataclass(frozen=True)
class OneOf:
    """One of these words."""

    words: tuple[str, ...]

    @property
    def schema(self) -> Schema:
        return {"type": "string", "enum": [*self.words]}

    def check(self, value: Any, name: str) -> str:
        if value not in self.words:
            got = repr(value[:40]) if isinstance(value, str) else kind_of(value)
            raise ShapeError(f"{got} as '{name}'", expected=f"one of {', '.join(self.words)}")
        return str(value)


@dataclass(frozen=True)
class Open:
    """An object with these keys, of which only the required ones must be there; others are passed over."""

    required: Mapping[str, Shape]
    optional: Mapping[str, Shape]

    @property
    def schema(self) -> Schema:
        fields = {**self.required, **self.optional}
        properties = {name: shape.schema for name, shape in fields.items()}
        return {"type": "object", "properties": properties, "required": [*self.required]}

    def check(self, value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ShapeError(f"{kind_of(value)} as '{name}'", expected="an object")
        for key in self.required:
            if key not in value:
                raise ShapeError(f"no key '{key}' in '{name}'", expected=f"'{key}'")
        fields = {**self.required, **self.optional}
        return {
            key: fields[key].check(held, f"{name}.{key}")
            for key, held in value.items()
            if key in fields
        }


@dataclass(frozen=True)
class ListOf:
    """A list of values of one shape, which may be empty."""

    item: Shape

    @property
    def schema(self) -> Schema:
        return {"type": "array", "items": self.item.schema}

    def check(self, value: Any, name: str) -> list[Any]:
        if not isinstance(value, list):
            raise ShapeError(f"{kind_of(value)} as '{name}'", expected="a list")
        return [self.item.check(held, f"{name}[{at}]") for at, held in enumerate(value)]


_HEAD = Open({"name": Plain(str, "string"), "datatype": OneOf(("BYTES",))},
             {"parameters": Plain(dict, "object")})  # fmt: skip


@dataclass(frozen=True)
class TextTensor:
    """A tensor of 1 to `MAX_TEXTS` texts, of shape `[n]` or `[n, 1]`, its data in the JSON."""

    name: str

    @property
    def schema(self) -> Schema:
        text, one = Text().schema, {"minItems": 1, "maxItems": 1}
        item = {"anyOf": [text, {"type": "array", "items": text, **one}]}
        schema = Open({**_HEAD.required, "name": OneOf((self.name,))}, _HEAD.optional).schema
        schema["properties"] |= {
            "shape": {"type": "array"},
            "data": {"type": "array", "items": item},
        }
        schema["required"] += ["shape", "data"]
        # No keyword says that a list is as long as a number elsewhere, so each length is spelled out.
        schema["anyOf"] = [
            {
                "properties": {
                    "shape": {"enum": [[size], [size, 1]]},
                    "data": {"minItems": size, "maxItems": size},
                }
            }
            for size in range(1, MAX_TEXTS + 1)
        ]
        return schema

    def check(self, value: Any, name: str) -> list[str]:
        _HEAD.check(value, name)
        if "data" not in value:
            raise ShapeError(f"no key 'data' in '{name}'", expected="'data', a list of texts")
        texts = self.texts(value["data"], f"{name}.data")
        _check_size(value, name, texts=len(texts))
        return texts

    def texts(self, data: Any, name: str) -> list[str]:
        """The texts of a list of texts, or of lists of one text each."""
        if not isinstance(data, list):
            raise ShapeError(f"{kind_of(data)} as '{name}'", expected="a list of texts")
        flat = [held[0] if isinstance(held, list) and len(held) == 1 else held for held in data]
        return [Text().check(held, f"{name}[{at}]") for at, held in enumerate(flat)]


@dataclass(frozen=True)
class InferBody:
    """The whole JSON body of a request to a model."""

    task: Task
    outputs: tuple[str, ...]

    @property
    def schema(self) -> Schema:
        tensors = [TextTensor(name).schema for name in input_names(self.task)]
        orders = [tensors] if len(tensors) == 1 else [tensors, tensors[::-1]]
        ways = [
            {"type": "array", "prefixItems": order, "minItems": len(order), "maxItems": len(order)}
            for order in orders
        ]
        schema = self._rest.schema
        schema["properties"]["inputs"] = ways[0] if len(ways) == 1 else {"anyOf": ways}
        schema["required"] = ["inputs"]
        return schema

    @property
    def _rest(self) -> Open:
        flag = Plain(bool, "boolean")
        output = Open(
            {"name": OneOf(self.outputs)}, {"parameters": Open({}, {"binary_data": flag})}
        )
        return Open(
            {},
            {
                "id": Plain(str, "string"),
                "parameters": Open({}, {"binary_data_output": flag}),
                "outputs": ListOf(output),
            },
        )

    def read(self, value: Any, tail: bytes | None) -> Asked:
        """Returns what a parsed body asks for.

        Args:
            tail: the binary data after the JSON; None where the whole body is JSON.

        Raises:
            ShapeError: it has another shape, or its tensors do not fit together.
        """
        rest = self._rest.check(value, "the request")
        columns = self._columns(value.get("inputs"), tail)
        if len({len(column) for column in columns}) > 1:
            sizes = " and ".join(str(len(column)) for column in columns)
            raise ShapeError(f"tensors of {sizes} texts", expected="as many seconds as texts")
        requests = requests_of(columns[0], columns[1] if self.task.pairs else ())
        wanted = rest.get("outputs")
        flags = {
            output["name"]: output.get("parameters", {}).get("binary_data")
            for output in wanted or ()
        }
        return Asked(
            id=rest.get("id"),
            requests=requests,
            outputs=flags or None,
            binary=rest.get("parameters", {}).get("binary_data_output", False),
        )

    def _columns(self, inputs: Any, tail: bytes | None) -> list[list[str]]:
        """The texts of each tensor, in the order of `input_names`."""
        names = input_names(self.task)
        if not isinstance(inputs, list):
            raise ShapeError(f"{kind_of(inputs)} as 'inputs'", expected="a list of tensors")
        given = [str(held.get("name")) if isinstance(held, dict) else "?" for held in inputs]
        if sorted(given) != sorted(names):
            shown = ", ".join(name[:40] for name in given) or "none"
            raise ShapeError(f"the inputs {shown}", expected=" and ".join(f"'{n}'" for n in names))
        found, rest = {}, memoryview(tail or b"")
        for name, tensor in zip(given, inputs, strict=True):
            found[name], rest = _column(tensor, name, rest if tail is not None else None)
        if rest:
            raise ShapeError(
                f"{len(rest)} bytes after the last tensor", expected="binary_data_size of all data"
            )
        return [found[name] for name in names]


def _column(
    tensor: Mapping[str, Any], name: str, tail: memoryview | None
) -> tuple[list[str], memoryview]:
    """The texts of a tensor, and what is left of the binary data."""
    rest = memoryview(b"") if tail is None else tail
    if tail is None or "data" in tensor:
        return TextTensor(name).check(tensor, name), rest
    parameters = _HEAD.check(tensor, name).get("parameters", {})
    size = parameters.get("binary_data_size")
    if type(size) is not int or not 0 <= size <= len(rest):
        raise ShapeError(
            f"{size!r} as '{name}.parameters.binary_data_size', with {len(rest)} bytes there",
            expected="the bytes of its data",
        )
    texts = [Text().check(text, name) for text in texts_of_bytes(rest[:size], name)]
    _check_size(tensor, name, texts=len(texts))
    return texts, rest[size:]


def _check_size(tensor: Mapping[str, Any], name: str, *, texts: int) -> None:
    """Refuses a shape that is not that of the data, and more texts than one request may have."""
    shape = tensor.get("shape")
    if not 1 <= texts <= MAX_TEXTS:
        raise ShapeError(
            f"{texts} texts in '{name}'",
            expected=f"1 to {MAX_TEXTS} texts in one request",
            next_step="send them in several requests" if texts else None,
        )
    numbers = isinstance(shape, list) and not any(isinstance(size, bool) for size in shape)
    if not numbers or shape not in ([texts], [texts, 1]):
        raise ShapeError(
            f"another shape of '{name}' than its {texts} texts have",
            expected=f"[{texts}] or [{texts}, 1] as 'shape'",
        )


def texts_of_bytes(data: memoryview, name: str) -> list[str]:
    """The texts of binary data, each with its length before it.

    Raises:
        ShapeError: a length leads past the end, or a text is not UTF-8.
    """
    texts, at = [], 0
    while at < len(data):
        end = at + _LENGTH.size
        size = _LENGTH.unpack_from(data, at)[0] if end <= len(data) else len(data)
        if end + size > len(data):
            raise ShapeError(
                f"binary data of '{name}' that end inside a text",
                expected="each text as its length, four bytes little-endian, and its UTF-8",
            )
        try:
            texts.append(str(data[end : end + size], "utf-8"))
        except UnicodeDecodeError:
            raise ShapeError(f"bytes in '{name}' that are not UTF-8", expected="UTF-8") from None
        at = end + size
    return texts


def bytes_of_texts(texts: Sequence[str]) -> bytes:
    """Binary data of these texts; see `texts_of_bytes`."""
    encoded = [text.encode() for text in texts]
    return b"".join(_LENGTH.pack(len(text)) + text for text in encoded)
