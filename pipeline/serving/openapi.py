"""Writes `/openapi.json`: the routes in OpenAPI 3.1, for the model that serves.

Bodies are described by the shapes that check them (body_shapes.py, tensor_requests.py), and what a model answers by
its task, so a model of pairs, of several labels or of numbers has a document of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.problem.problems import CLASSIFICATION, MULTI_LABEL
from pipeline.runtime.task import Task
from pipeline.serving.body_shapes import PAIRED, SINGLE, Schema, blank_pattern, shown_pattern
from pipeline.serving.hot_swap import ServedModel
from pipeline.serving.prometheus_text import CONTENT_TYPE
from pipeline.serving.tensor_answers import Output, outputs_of
from pipeline.serving.tensor_requests import InferBody

_JSON = "application/json"
_ERROR = {"$ref": "#/components/schemas/Error"}
_ERROR_TEXT = {"$ref": "#/components/schemas/ErrorText"}
_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_BODY_ERRORS = (400, 408, 413, 415, 422, 500, 503, 504)
_WORDS = {
    400: "The body is not what its headers say, or not JSON",
    401: "No valid token",
    404: "There is no such thing here",
    408: "The body did not end in time",
    413: "The body is too large",
    415: "The body is of another type, encoding or compression",
    421: "The Host header does not name this machine",
    422: "The body has another shape, or a text of which cleaning leaves nothing",
    500: "The model failed",
    503: "No model yet, or too much to do; send it again after Retry-After seconds",
    504: "The deadline passed before the answer",
}
_HEADERS = {
    "Server-Timing": "Milliseconds in the queue, for tokens, in the model, and in all",
    "Model-Version": "The version of the model that answered; only with the token where one is set",
    "Bundle-Hash": "The hash of its bundle; likewise",
}
_DEADLINE = "The header X-Deadline-Ms says how many milliseconds an answer is of use."
_LANGUAGE = {
    "cost": "The cost of each token and of the whole text, in bits",
    "next": "The likeliest words after the text",
    "fill": "The words that fit the blank ___ in the text",
    "embeddings": "Every layer's states of each token",
}


def document(model: ServedModel, *, token: bool, prefix: str) -> Schema:
    """The document.

    Args:
        token: whether the server asks for one.
        prefix: of a proxy, such as `/model`; empty for none.
    """
    described = model.bundle.description
    writer, task = _Writer(model, token=token), described.task
    outputs = tuple(output.name for output in outputs_of(task))
    components: Schema = {
        "schemas": {
            "Error": _error_schema(),
            "ErrorText": _object({"error": _TEXT}),
            "Prediction": prediction_schema(task),
            "InferRequest": InferBody(task, outputs).schema,
        }
    }
    if token:
        components["securitySchemes"] = {
            name: {"type": "http", "scheme": name} for name in ("bearer", "basic")
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": described.product,
            "version": model.version,
            "summary": described.audience,
            "description": f"Serves {described.variant}, bundle {model.bundle.hash}.",
        },
        "servers": [{"url": prefix or "/"}],
        "paths": {**writer.own_paths(), **writer.open_inference_paths()},
        "components": components,
    }


class _Writer:
    """Writes the operations of one model's server."""

    def __init__(self, model: ServedModel, *, token: bool) -> None:
        self._model, self._token = model, token
        self._task = model.bundle.task

    def own_paths(self) -> Schema:
        """The routes of our own."""
        get = self._get
        status = {"type": "string", "enum": ["ready", "waiting", "stopping"]}
        readiness = {"type": "object", "properties": {"status": status}, "required": ["status"]}
        paths: Schema = {
            "/": {"get": get("The demo page", {"text/html": _TEXT})},
            "/predict": {"post": self._predict()},
            "/model": {"get": get("The model and its figures", {_JSON: _model_schema()})},
            "/model/card": {"get": get("The model card, in Markdown", {"text/plain": _TEXT})},
            "/model/certificate": {
                "get": get(
                    "What was proved of the model when it was built", {_JSON: {"type": "object"}}
                )
            },
            "/health/live": {
                "get": get(
                    "Whether the process answers",
                    {_JSON: _object({"status": {"const": "live"}})},
                    free=True,
                )
            },
            "/health/ready": {
                "get": get(
                    "Whether a model is loaded and warm; the details need the token",
                    {_JSON: readiness},
                    free=True,
                    unready={_JSON: readiness},
                )
            },
            "/metrics": {"get": get("Counters, for Prometheus", {CONTENT_TYPE: _TEXT})},
            "/openapi.json": {"get": get("This document", {_JSON: {"type": "object"}})},
        }
        if self._model.bundle.description.language_model is not None:
            paths |= {
                f"/language/{name}": {"post": self._language(name, words)}
                for name, words in _LANGUAGE.items()
            }
        return paths

    def open_inference_paths(self) -> Schema:
        """The routes of the Open Inference Protocol v2."""
        named = {"name": self._model.bundle.description.product}
        version = {"version": self._model.version}
        paths: Schema = {
            "/v2": {"get": self._v2("The server", {"name": _TEXT, "version": _TEXT, "extensions": {"type": "array", "items": _TEXT}})},
            "/v2/health/live": {
                "get": self._v2("Whether the process answers", {"live": {"const": True}}, free=True)
            },
            "/v2/health/ready": {
                "get": self._v2(
                    "Whether a model is loaded", {"ready": {"type": "boolean"}}, free=True, unready=True
                )
            },
        }  # fmt: skip
        for parameters in (named, {**named, **version}):
            base = "/v2/models/{name}" + ("/versions/{version}" if len(parameters) > 1 else "")
            ready = {"name": _TEXT, "ready": {"type": "boolean"}}
            described = {"name": _TEXT, "versions": {"type": "array", "items": _TEXT}}
            paths[base] = {
                "get": self._v2("The model's tensors", described, open_=True, found=parameters)
            }
            paths[f"{base}/ready"] = {
                "get": self._v2("Whether it serves", ready, found=parameters, unready=True)
            }
            paths[f"{base}/infer"] = {"post": self._infer(parameters)}
        return paths

    def _get(
        self,
        summary: str,
        content: Mapping[str, Schema],
        *,
        free: bool = False,
        unready: Mapping[str, Schema] | None = None,
    ) -> Schema:
        answers = {"200": _answer("The answer", content), **self._refused((503,), free=free)}
        if unready is not None:
            answers["503"] = _answer(_WORDS[503], unready)
        return self._operation(summary, answers, free=free)

    def _predict(self) -> Schema:
        forms = PAIRED if self._task.pairs else SINGLE
        answer = _object(
            {
                "predictions": {
                    "type": "array",
                    "items": {"$ref": "#/components/schemas/Prediction"},
                },
                "model": _object({"product": _TEXT, "hash": _TEXT, "variant": _TEXT}),
                "milliseconds": _NUMBER,
            }
        )
        return self._asking(
            "An answer to each text", _any_of(form.schema for form in forms), answer
        )

    def _language(self, name: str, words: str) -> Schema:
        pattern = blank_pattern() if name == "fill" else shown_pattern()
        text = {"type": "string", "pattern": pattern}
        one = {"type": "array", "items": text, "minItems": 1, "maxItems": 1}
        answer = {"type": "object", "required": ["family", "milliseconds"]}
        body = _any_of(_object({key: shape}) for key, shape in (("text", text), ("texts", one)))
        return self._asking(words, body, answer)

    def _asking(self, summary: str, body: Schema, answer: Schema) -> Schema:
        answers = {"200": _answer("The answer", {_JSON: answer}), **self._refused(_BODY_ERRORS)}
        return self._operation(summary, answers, body=body)

    def _infer(self, parameters: Mapping[str, str]) -> Schema:
        outputs = outputs_of(self._task)
        body = {"$ref": "#/components/schemas/InferRequest"}
        tensors = {"type": "array", "items": _any_of(map(_tensor_schema, outputs))}
        answer = _object(
            {"model_name": _TEXT, "model_version": _TEXT, "outputs": tensors},
            optional={"id": _TEXT},
        )
        content = {_JSON: answer, "application/octet-stream": {}}
        answers = {
            "200": _answer(
                "The tensors; with binary data, of which the header "
                "Inference-Header-Content-Length says where they begin, if they were asked for",
                content,
            ),
            **self._refused((*_BODY_ERRORS, 404), error=_ERROR_TEXT),
        }
        summary = "An answer to each text; also takes Triton's extension for binary tensor data"
        return self._operation(summary, answers, body=body, found=parameters)

    def _v2(
        self,
        summary: str,
        fields: Schema,
        *,
        free: bool = False,
        unready: bool = False,
        open_: bool = False,
        found: Mapping[str, str] | None = None,
    ) -> Schema:
        schema = _object(fields)
        if open_:
            del schema["additionalProperties"]
        statuses = (404, 503) if found else (503,)
        answers = {
            "200": _answer("The answer", {_JSON: schema}),
            **self._refused(statuses, error=_ERROR_TEXT, free=free),
        }
        if unready:
            answers["503"] = _answer(_WORDS[503], {_JSON: _any_of([schema, _ERROR_TEXT])})
        return self._operation(summary, answers, free=free, found=found or {})

    def _refused(
        self, statuses: Sequence[int], *, error: Schema = _ERROR, free: bool = False
    ) -> Schema:
        asked = (401,) if self._token and not free else ()
        known = sorted({400, 421, *asked, *statuses})
        return {str(status): _answer(_WORDS[status], {_JSON: error}) for status in known}

    def _operation(
        self,
        summary: str,
        answers: Schema,
        *,
        free: bool = False,
        body: Schema | None = None,
        found: Mapping[str, str] | None = None,
    ) -> Schema:
        operation: Schema = {"summary": summary, "responses": answers}
        if body is not None:
            operation["description"] = _DEADLINE
        if found:
            operation["parameters"] = [
                {"name": name, "in": "path", "required": True, "schema": {"enum": [value]}}
                for name, value in found.items()
            ]
        if body is not None:
            operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": body}}}
        if self._token:
            operation["security"] = [] if free else [{"bearer": []}, {"basic": []}]
        return operation


def prediction_schema(task: Task) -> Schema:
    """The shape of one answer of `/predict`."""
    label = {"type": "string", "enum": [*task.labels]}
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    probabilities = _object(dict.fromkeys(task.labels, probability))
    marks = {"truncated": {"const": True}, "abstained": {"const": True}}
    if task.problem == CLASSIFICATION:
        fields = {"label": label, "probability": probability, "probabilities": probabilities}
    elif task.problem == MULTI_LABEL:
        labels = {"type": "array", "items": label, "uniqueItems": True}
        fields = {"labels": labels, "probabilities": probabilities}
    else:
        fields = {"value": _NUMBER}
    return _object(fields, optional=marks)


def _tensor_schema(output: Output) -> Schema:
    kinds = {"BYTES": "string", "FP64": "number", "BOOL": "boolean"}
    shape = {"type": "array", "items": {"type": "integer", "minimum": 1}}
    return _object(
        {"name": {"const": output.name}, "datatype": {"const": output.datatype}, "shape": shape},
        optional={
            "data": {"type": "array", "items": {"type": kinds[output.datatype]}},
            "parameters": {"type": "object"},
        },
    )


def _model_schema() -> Schema:
    keys = ("product", "hash", "variant", "problem", "labels", "pairs", "quality", "latency_ms")
    return {"type": "object", "required": [*keys]}


def _error_schema() -> Schema:
    parts = dict.fromkeys(("got", "expected", "next_step"), _TEXT)
    return _object({"error": _object(parts)})


def _object(fields: Mapping[str, Any], *, optional: Mapping[str, Any] | None = None) -> Schema:
    """An object with these keys and no others."""
    return {
        "type": "object",
        "properties": {**fields, **(optional or {})},
        "required": [*fields],
        "additionalProperties": False,
    }


def _any_of(schemas: Iterable[Schema]) -> Schema:
    found = [*schemas]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _answer(description: str, content: Mapping[str, Schema]) -> Schema:
    """A response with the headers that every answer has."""
    return {
        "description": description,
        "headers": {
            name: {"description": words, "schema": _TEXT} for name, words in _HEADERS.items()
        },
        "content": {kind: {"schema": schema} for kind, schema in content.items()},
    }
