"""The form for a build has every parameter with its words and limits, and sends only what was filled in."""

from typing import Any

import pytest
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import ValidationError, validate

from flows.orchestration.build_flow import build
from flows.orchestration.form import ParametersForm
from flows.planning.schema import all_parameters
from pipeline.core.params import as_values, override, parse_params
from tests.support.repository import parameter_values

SCHEMA = parameter_schema(build).model_dump_for_openapi()


def described(dotted: str) -> dict[str, Any]:
    """A field of the form as the UI gets it, by its dotted key."""
    node: dict[str, Any] = SCHEMA["properties"]["parameters"]
    for part in dotted.split("."):
        options = [node, *node.get("anyOf", [])]
        (found,) = [option["$ref"] for option in options if "$ref" in option]
        node = SCHEMA["definitions"][found.removeprefix("#/definitions/")]["properties"][part]
    return node


def test_every_parameter_is_there_with_its_words() -> None:
    for parameter in all_parameters():
        if "[]" in parameter.path:  # of a source: as the list that it stands in
            continue
        field = described(parameter.path)
        assert field["title"] == parameter.path.split(".")[-1]
        assert "default" not in field
        if parameter.kind != "section" and parameter.meaning:
            assert field["description"].startswith(parameter.meaning)


def test_the_limits_are_told_in_words() -> None:
    assert described("finetune.epochs")["description"].endswith("(more than 0)")
    assert described("evaluate.confidence")["description"].endswith("(more than 0.5, less than 1)")
    assert described("prune.layers")["description"].endswith("(more than 0)")


def submitted(**values: Any) -> None:
    """What the server does with a form."""
    validate({"parameters": values}, SCHEMA, raise_on_error=True, ignore_required=True)


@pytest.mark.parametrize(
    "values",
    [
        {"finetune": {"epochs": 0}},
        {"prune": {"keep_share": 1.5}},
        {"prune": {"method": "random"}},
        {"finetune": {"epoch": 1}},
        {"evaluate": {"confidence": 0.5}},
    ],
)
def test_values_outside_their_limits_are_refused_before_a_run_exists(values: Any) -> None:
    with pytest.raises(ValidationError):
        submitted(**values)


def test_the_given_values_become_changes_and_the_empty_ones_nothing() -> None:
    assert ParametersForm().lines() == []
    given = {
        "validate": {"min_characters": 3},
        "finetune": {"epochs": 2, "related": {"max_rows": 10}},
        "prune": {"layers": None},
        "product": {"requirements": {"licence_waivers": {"reviews": "ours"}}},
        "compress": {"space": {"prune.keep_share": [0.5]}},
    }
    submitted(**given)
    form = ParametersForm.model_validate(given)
    assert form.model_dump() == {key: given[key] for key in form.model_dump()}
    lines = form.lines()
    assert "validate.min_characters=3" in lines
    assert "prune.layers=null" in lines
    changed = as_values(parse_params(override(parameter_values(), lines)))
    assert changed["finetune"]["related"]["max_rows"] == 10
    assert changed["product"]["requirements"]["licence_waivers"] == {"reviews": "ours"}
    assert changed["compress"]["space"] == {"prune.keep_share": [0.5]}
