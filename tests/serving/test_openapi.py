"""The document of the routes: complete, and true of what the routes answer, for each kind of model."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from starlette.routing import Route
from starlette.testclient import TestClient

from pipeline.problem.decision import Decision
from pipeline.runtime.task import Task
from tests.support.server import client_of, holder_of
from tests.support.tiny_bundle import make_tiny_bundle, tiny_task

TASKS = {
    "one label": tiny_task(),
    "doubtful": tiny_task(decision=Decision(abstain_below=0.99)),
    "several labels": tiny_task("multi_label"),
    "a number": tiny_task("regression"),
    "pairs": tiny_task(pairs=True),
}
Open = Callable[..., TestClient]


@pytest.fixture(name="open_for")
def make_open(tmp_path: Path) -> Iterator[Open]:
    """Opens a client of a model of a task."""
    with ExitStack() as stack:

        def open_for(task: Task | None = None, **options: Any) -> TestClient:
            make_tiny_bundle(tmp_path / "bundle", task=task)
            return stack.enter_context(client_of(holder_of(tmp_path / "bundle"), **options))

        yield open_for


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_it_is_valid_and_what_the_routes_answer_is_what_it_says(open_for: Open, task: Task) -> None:
    client = open_for(task)
    document = client.get("/openapi.json").json()
    validate(document)
    texts = (
        {"text": "the film", "second": "warm funny"} if task.pairs else {"text": "the film " * 30}
    )
    tensors = [
        {"name": name, "shape": [1], "datatype": "BYTES", "data": [text]}
        for name, text in texts.items()
    ]
    infer = "/v2/models/{name}/infer"
    read = [
        path
        for path, item in document["paths"].items()
        if "get" in item and "{version}" not in path
    ]
    asked_with: list[tuple[str, Any]] = [
        *((path, None) for path in read),
        ("/predict", texts),
        ("/predict", {"txt": 1}),
        (infer, {"inputs": tensors}),
        (infer, {"inputs": []}),
    ]
    for path, body in asked_with:
        asked = path.replace("{name}", "tiny-sentiment")
        answer = client.get(asked) if body is None else client.post(asked, json=body)
        described = document["paths"][path]["get" if body is None else "post"]["responses"]
        content = described[str(answer.status_code)]["content"]
        media_type = answer.headers["content-type"].partition(";")[0]
        (schema,) = [
            held["schema"] for kind, held in content.items() if kind.startswith(media_type)
        ]
        value = answer.json() if media_type == "application/json" else answer.text
        whole = {"components": document["components"], **schema}
        assert [error.message for error in Draft202012Validator(whole).iter_errors(value)] == [], (
            path
        )


def test_every_route_stands_in_it_but_the_files_of_the_page(open_for: Open) -> None:
    client = open_for()
    routes = {route.path for route in client.app.routes if isinstance(route, Route)}  # type: ignore[attr-defined]
    described = {*client.get("/openapi.json").json()["paths"]}
    # This bundle has no language model, so these answer 404.
    assert {path for path in routes - described if not path.startswith("/language/")} == set()
    assert described <= routes


def test_it_says_which_routes_ask_for_the_token(open_for: Open) -> None:
    token = "a-secret-of-enough-length"
    client = open_for(token=token)
    headers = {"authorization": f"Bearer {token}"}
    document = client.get("/openapi.json", headers=headers).json()
    validate(document)
    for path, item in document["paths"].items():
        ((method, operation),) = item.items()
        asked = path.replace("{name}", "tiny-sentiment").replace("{version}", "1")
        refused = client.request(method, asked).status_code == 401
        assert refused == bool(operation["security"]) == ("401" in operation["responses"]), path


def test_it_describes_the_forms_of_the_model_that_serves_alone(open_for: Open) -> None:
    def keys(document: Any) -> list[set[str]]:
        body = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
        return [{*form["properties"]} for form in body["schema"]["anyOf"]]

    assert keys(open_for().get("/openapi.json").json()) == [{"text"}, {"texts"}]
    assert keys(open_for(TASKS["pairs"]).get("/openapi.json").json()) == [
        {"text", "second"},
        {"pairs"},
    ]
