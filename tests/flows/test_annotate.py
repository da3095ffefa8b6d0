"""`modelyard annotate` and `modelyard labels`, from the command line."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.annotate import Request, annotate, as_text
from flows.cli import parse_arguments
from flows.execution.rows_to_label import annotation_folder, keep_rows, rows_of
from pipeline.annotation.row_file import RowFile
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import DataError, PipelineError
from tests.support.labelling import PRODUCT, make_project, post, row_id, vote
from tests.support.repository import REPOSITORY


def _run(root: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "flows", *arguments],
        cwd=root,
        env=chosen_environment(os.environ) | {"PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def _annotate(root: Path, *arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A running verb, and its first line."""
    process = _run(root, "annotate", "--port", "0", *arguments)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def test_links_are_printed_labels_are_saved_and_published(tmp_path: Path) -> None:
    make_project(tmp_path, [f"text {number}" for number in range(30)])
    with _annotate(tmp_path, "--people", "ann,bob", "--order", "random", "--json") as (
        process,
        line,
    ):
        told: dict[str, Any] = json.loads(line)
        assert (told["queue"], [person["name"] for person in told["people"]]) == (
            30,
            ["ann", "bob"],
        )
        url, _, token = told["people"][0]["link"].partition("#")
        with httpx.Client(base_url=url, trust_env=False) as client:
            client.headers["authorization"] = f"Bearer {token}"
            post(client, *(vote(f"u{n}", row_id(n), "complaint") for n in range(3)))
            second = _run(tmp_path, "annotate", "--port", "0", "--order", "random")
            published = _run(tmp_path, "labels", "--json")
            said = second.communicate(timeout=60)[1]
            assert second.returncode == 1
            assert (
                f"the annotation server at {url.removesuffix('/')}, process {process.pid}" in said
            )
            manifest = json.loads(published.communicate(timeout=60)[0])
            assert (manifest["rows"], manifest["people"]) == (3, {"p1": 3})
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 130
    assert (tmp_path / "annotations" / "votes.parquet").exists()
    assert "3 rows with 3 labels (p1 3)" in as_text(manifest)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"people": "ann,ann"}, "'ann' twice"),
        ({"people": "ann:boss"}, "the role 'boss' of ann"),
        ({"product": "another"}, "no product 'another'"),
        ({"host": "192.0.2.1"}, "192.0.2.1:8300"),
    ],
    ids=["a name twice", "an unknown role", "an unknown product", "an address of another machine"],
)
def test_what_cannot_be_is_refused(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    make_project(tmp_path, ["text"])
    usual: dict[str, Any] = {"product": "", "people": "", "port": 8300, "host": "127.0.0.1"}
    usual |= {"double": 0.2, "new_links": False, "json": True}
    with pytest.raises(PipelineError) as error:
        annotate(tmp_path, Request(**usual | given))
    assert said in error.value.got


def test_the_share_that_two_people_label_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse_arguments(["annotate", "--double", "0.5"]).double == 0.5
    with pytest.raises(SystemExit):
        parse_arguments(["annotate", "--double", "2"])
    assert "a number from 0 to 1" in capsys.readouterr().err


def test_without_rows_the_build_is_named(tmp_path: Path) -> None:
    make_project(tmp_path, ["text"])
    shutil.rmtree(tmp_path / "artifacts")
    with pytest.raises(DataError) as error:
        rows_of(tmp_path, PRODUCT, said="")
    assert error.value.next_step == "run `make pipeline`"
    with pytest.raises(DataError) as error:
        rows_of(tmp_path, "tickets", said="products/tickets.yaml")
    assert error.value.next_step == "run `make pipeline PRODUCT=products/tickets.yaml`"


def test_the_rows_of_another_product_outlive_the_worktree_of_its_build(tmp_path: Path) -> None:
    root = make_project(tmp_path / "main", ["text of the main product"])
    workspace = make_project(tmp_path / "worktrees" / PRODUCT, ["kept text", "another"])
    (root / "build.yaml").write_text("product: {name: other}")
    keep_rows(workspace, root)
    shutil.rmtree(workspace)
    rows = RowFile(rows_of(root, PRODUCT, said=PRODUCT))
    assert [rows.row(place).text for place in range(len(rows))] == ["kept text", "another"]


@pytest.mark.parametrize("name", ["an-experiment", "main"])
def test_the_rows_of_an_experiment_are_not_kept(tmp_path: Path, name: str) -> None:
    root = make_project(tmp_path / "main", ["text of the main product"])
    keep_rows(make_project(tmp_path / name, ["text"]), root)
    assert not annotation_folder(root, PRODUCT).exists()


def test_the_agreement_under_each_version_of_the_guide_is_said() -> None:
    by_guide = [
        {"guide": None, "votes": 4, "double_rows": 0, "alpha": None, "interval": None},
        {"guide": "ab" * 32, "votes": 60, "double_rows": 30, "alpha": 0.8, "interval": [0.7, 0.9]},
    ]
    manifest = {
        "rows": 34,
        "votes": 64,
        "skips": 0,
        "people": {"p1": 34, "p2": 30},
        "left_out": {},
        "alpha": 0.8,
        "interval": [0.7, 0.9],
        **dict.fromkeys(("ac1", "ac1_interval", "kappa", "kappa_interval")),
        **dict.fromkeys(("adjudicated", "disputed"), 0),
        "double_rows": 30,
        "by_guide": by_guide,
        "guide": {"hash": "ab" * 32, "versions": 1, "edited_by_hand": True},
    }
    text = as_text(manifest)
    assert "  without a guide: 4 labels, not measured, 0 rows" in text
    assert "  guide abababababab: 60 labels, alpha 0.800 (0.700 to 0.900), 30 rows" in text
    assert "guide.md was edited by hand and stays as it is" in text
    assert "guide ab" not in as_text(manifest | {"by_guide": by_guide[1:], "guide": None})
