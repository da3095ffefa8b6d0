"""The contract of `modelyard`: its verbs, how parameters are given, and how it ends."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows import cli
from flows.cli import MAKE_VARIABLE, PRODUCT_VARIABLE, parse_arguments
from flows.planning import arithmetic
from pipeline.core.errors import DataError
from pipeline.core.params import override, parse_params
from pipeline.core.paths import Paths
from tests.support.repository import PARAMS, PRODUCT, REPOSITORY, commit_all, parameter_values

TYPED = ["finetune.epochs=1", "product.audience=The team", "product.labels=[a, b]"]
SHORT = """
product: {name: ticket-triage, labels: [complaint, question]}
sources: [{name: tickets, path: tickets.csv, text_column: text, label_column: label}]
recipe: {finetune.seeds: 3}
"""
VERBS = {
    *("build", "release", "retrain", "search", "serve", "ui", "stop"),
    *("compare", "glue", "stage", "explain", "check", "new", "why", "tidy"),
    *("rollback", "releases", "at", "verify", "data", "annotate", "labels", "guide"),
    *("batch", "adopt", "edge", "shadow"),
}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with this repository's code and DAG, and the parameters that tests are written for."""
    return made_project(tmp_path_factory.mktemp("project"))


def made_project(root: Path) -> Path:
    """Fills a folder."""
    for name in ("pipeline", "flows", "dvc.yaml"):
        (root / name).symlink_to(REPOSITORY / name)
    (root / "params.yaml").symlink_to(PARAMS)
    (root / "product.yaml").symlink_to(PRODUCT)
    commit_all(root)
    return root


@pytest.fixture
def modelyard(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs a verb in the project; gives the exit code and what was printed."""
    monkeypatch.chdir(project)
    return lambda *arguments: (cli.main(arguments), *capsys.readouterr())


def changes(*arguments: str) -> list[str]:
    parsed: list[str] = parse_arguments(arguments).changes
    return parsed


def test_help_lists_every_verb_with_what_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    lines = [line.split() for line in cli.make_parser().format_help().splitlines()]
    told = {words[0]: words[1:] for words in lines if words}
    assert all(len(told[verb]) > 2 for verb in VERBS)


def test_the_files_of_flows_are_verbs_and_all_else_is_in_folders() -> None:
    files = {path.stem for path in (REPOSITORY / "flows").glob("*.py")}
    verbs = {name.partition("_")[0] for name in files - {"__init__", "__main__", "cli"}}
    assert verbs <= VERBS


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "deploy",
        "build nonsense",
        "build --no-such-option",
        "serve a.b=1",
        "glue",
        "explain",
        "data",
        "data diff v1",
    ],
)
def test_a_wrong_call_ends_with_2_and_says_how_it_is_called(
    arguments: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments.split())
    assert ended.value.code == 2
    assert "usage: modelyard" in capsys.readouterr().err


def test_parameters_stand_anywhere_and_keep_blanks_and_lists() -> None:
    typed = changes(
        *("build", "--profile", "quickstart", "product.audience=The team"),
        *("--no-release", "product.labels=[a, b]", "--set", "finetune.epochs=1"),
    )
    assert sorted(typed) == TYPED
    values = parameter_values()
    changed = override(values, typed)
    assert changed["product"]["audience"] == "The team"
    assert changed["product"]["labels"] == ["a", "b"]
    parse_params(override(values, typed[:1]))


@pytest.mark.parametrize("verb", ["build", "retrain", "search", "check", "glue"])
def test_every_verb_that_builds_takes_parameters_and_profiles_alike(verb: str) -> None:
    rows = ["--data", "x"] if verb == "glue" else []
    named = ["--profile", "p", "--product", "f.yaml"]
    options = parse_arguments([verb, *rows, *named, "a.b=1", "--set", "c.d=2"])
    assert sorted(options.changes) == ["a.b=1", "c.d=2"]
    assert (options.profile, options.product) == ("p", "f.yaml")


def test_makes_set_is_read_with_quotes_as_a_shell_does(monkeypatch: pytest.MonkeyPatch) -> None:
    line = 'finetune.epochs=1 product.audience="The team" product.labels="[a, b]"'
    monkeypatch.setenv(MAKE_VARIABLE, line)
    assert changes("build", "prune.keep_share=0.5") == [*TYPED, "prune.keep_share=0.5"]
    assert MAKE_VARIABLE not in os.environ


def test_a_quote_that_is_left_open_is_a_wrong_call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(MAKE_VARIABLE, 'product.audience="The team')
    with pytest.raises(SystemExit):
        cli.main(["check"])
    assert "No closing quotation" in capsys.readouterr().err


def test_make_passes_set_through_untouched(tmp_path: Path) -> None:
    tool = tmp_path / ".venv" / "bin" / "modelyard"
    tool.parent.mkdir(parents=True)
    tool.write_text('#!/bin/sh\necho "$1|$MODELYARD_SET|$NO_DEPLOY|$2|$MODELYARD_PRODUCT"\n')
    tool.chmod(0o755)
    for name in ("pyproject.toml", "constraints.txt", ".venv/bin/python", ".venv/.complete"):
        (tmp_path / name).touch()
    (tmp_path / "Makefile").write_bytes((REPOSITORY / "Makefile").read_bytes())
    command = ["make", "--no-print-directory", "pipeline", "NO_DEPLOY=1", "ARGS=--release"]
    made = subprocess.run(
        [
            *command,
            'SET=product.audience="The team" product.labels="[a, b]"',
            "PRODUCT=products/our tickets.yaml",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    expected = 'build|product.audience="The team" product.labels="[a, b]"|1|--release|products/our tickets.yaml'
    assert made.stdout.strip() == expected


@pytest.mark.parametrize(
    ("arguments", "environment", "released"),
    [
        ("", {}, True),
        ("--no-release", {}, False),
        ("--no-deploy", {}, False),
        ("", {"NO_RELEASE": "1"}, False),
        ("", {"NO_DEPLOY": "1"}, False),
        ("", {"NO_DEPLOY": "0"}, True),
        ("finetune.epochs=1", {}, False),
        ("finetune.epochs=1 --release", {}, True),
        ("finetune.epochs=1 --deploy", {}, True),
        ("--profile quickstart", {}, True),
        ("--product other.yaml", {}, True),
        ("--product other.yaml finetune.epochs=1", {}, False),
    ],
)
def test_an_experiment_is_released_only_where_that_is_asked_for(
    arguments: str, environment: dict[str, str], released: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ({"NO_RELEASE": "", "NO_DEPLOY": ""} | environment).items():
        monkeypatch.setenv(name, value)
    assert cli.wants_release(parse_arguments(["build", *arguments.split()])) is released


def test_an_error_is_one_message_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise DataError("4 rows", expected="50 rows", next_step="collect more")

    monkeypatch.setattr("flows.ui.stop", fail)
    assert cli.main(["stop"]) == 1
    message = "stop failed\n  got: 4 rows\n  expected: 50 rows\n  next: collect more\n"
    assert capsys.readouterr().err == message


def test_ctrl_c_and_a_request_to_end_give_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*_: Any) -> None:
        os.kill(os.getpid(), 15)

    monkeypatch.setattr("flows.ui.stop", end)
    assert cli.main(["stop"]) == 130


def test_an_unknown_parameter_is_refused_with_the_nearest(modelyard: Run) -> None:
    code, _, error = modelyard("build", "finetune.epoch=1")
    assert code == 1
    assert error.startswith("build failed\n  got: unknown parameter finetune.epoch\n")
    assert "did you mean `epochs`?" in error


def test_explain_says_what_a_parameter_is_its_value_where_it_is_read_and_what_reruns(
    modelyard: Run,
) -> None:
    code, printed, _ = modelyard("explain", "prune.keep_share", "--json")
    assert code == 0
    found = json.loads(printed)
    assert found["value"] == parameter_values()["prune"]["keep_share"]
    assert found["kind"] == "number"
    assert found["meaning"]
    assert found["declared_by"] == ["prune"]
    assert found["reruns"] == ["prune", "export", "quantize", "evaluate", "measure", "gate"]
    assert found["read"]
    for place in found["read"]:
        path, line = place.split(":")
        assert "keep_share" in (REPOSITORY / path).read_text().splitlines()[int(line) - 1]


def test_explain_in_words_names_the_same(modelyard: Run) -> None:
    code, printed, _ = modelyard("explain", "finetune.epochs")
    assert code == 0
    assert printed.startswith("finetune.epochs = ")
    assert "pipeline/training/" in printed
    assert "reruns: finetune, transfer" in printed


@pytest.mark.parametrize(
    ("call", "value", "file"),
    [
        ("product.name", "movie-review-sentiment", "product.yaml"),
        ("sources.name", ["rotten-tomatoes", "imdb"], "product.yaml"),
        ("product.requirements.size_mb --product short.yaml", 20, "no file, so the default holds"),
        ("product.name --product short.yaml", "ticket-triage", "short.yaml"),
        ("finetune.seeds --product short.yaml", 3, "short.yaml"),
    ],
)
def test_explain_names_the_file_in_which_a_value_stands(
    modelyard: Run, project: Path, call: str, value: object, file: str
) -> None:
    (project / "short.yaml").write_text(SHORT)
    code, printed, _ = modelyard("explain", *call.split(), "--json")
    assert code == 0
    found = json.loads(printed)
    assert (found["value"], found["file"]) == (value, file)


def test_check_reads_the_product_that_make_names(
    modelyard: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "short.yaml").write_text(SHORT)
    monkeypatch.setenv(PRODUCT_VARIABLE, "short.yaml")
    code, printed, error = modelyard("check")
    assert code == 1
    assert "product ticket-triage of short.yaml" in printed
    assert "source tickets" in error
    assert PRODUCT_VARIABLE not in os.environ
    assert "product movie-review-sentiment of product.yaml" in modelyard("check")[1]


def test_explain_names_the_arithmetic_that_won_on_this_machine(
    tmp_path: Path, modelyard: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Paths(made_project(tmp_path)).recipe
    text = recipe.read_text(encoding="utf-8").replace("precision: float32", "precision: auto", 1)
    recipe.unlink()
    recipe.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(arithmetic, "_may_multiply_bfloat16", lambda _: True)
    monkeypatch.setattr(arithmetic, "_run", lambda _: {"float32": 0.1, "bfloat16": 0.16})
    code, printed, error = modelyard("explain", "compute.precision")
    assert (code, error) == (0, "")
    assert "here: Training uses float32: a step takes 0.100 s in float32" in printed


def test_check_says_that_a_build_can_start(modelyard: Run) -> None:
    assert modelyard("check")[1].endswith("A build can start.\n")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("explain finetune.epoch", "did you mean `finetune.epochs`?"),
        ("check finetune.epochs=many", "finetune.epochs"),
        ("stage prunes", "one of: collect, validate"),
    ],
)
def test_what_there_is_not_is_refused_with_1(modelyard: Run, call: str, message: str) -> None:
    code, _, error = modelyard(*call.split())
    assert code == 1
    assert message in error


def test_data_check_says_what_is_in_files_and_ends_with_1_where_one_would_be_refused(
    modelyard: Run, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("text;label\nThe kettle leaks, badly;no\nThe lamp is fine;yes\n")
    bad.write_text("text,label\nshort\n")
    code, told, _ = modelyard("data", "check", str(good), "--json")
    assert code == 0
    [facts] = json.loads(told)["files"]
    assert facts["separator"] == ";"
    assert facts["labels"] == {"no": 1, "yes": 1}
    code, told, _ = modelyard("data", "check", str(good), str(bad), "--json")
    assert code == 1
    assert len(json.loads(told)["files"]) == 2
    assert json.loads(told)["refused"].keys() == {"got", "expected", "next"}
    code, told, _ = modelyard("data", "check", str(good), str(bad))
    assert code == 1
    assert "would be refused" in told
    assert "2, of which 2 have a label" in told
