"""What was fetched belongs to the data: DVC sees it before the first stage, and no stage needs the server again."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import cli
from flows.build import find_stale, finish_without_work
from flows.check import check_sources, checked
from flows.execution.git import git
from flows.execution.locks import build_lock
from flows.execution.runner import open_runner
from flows.execution.workspace import workspace_for
from flows.planning.resolution import Variation, refresh_build_file, resolved
from flows.planning.snapshot import take_snapshot
from flows.retrain import NOTHING_CHANGED
from pipeline.collect import run
from pipeline.core.artifacts.data_reports import Manifest
from pipeline.core.errors import DataError
from pipeline.core.files import sha256_file, sha256_tree
from pipeline.core.paths import Paths
from tests.support.file_server import Answer, FileServer, running_files
from tests.support.mini_repo import make_mini_repo, mini_environment
from tests.support.repository import PARAMS
from tests.support.retraining import Made, make_project, retrained

CSV = b"text,label\nFine.,positive\nDull.,negative\n"
PRODUCT = {"name": "shop", "labels": ["negative", "positive"]}


@pytest.fixture
def files() -> Iterator[FileServer]:
    with running_files() as served:
        yield served


def write_product(root: Path, *sources: dict[str, Any]) -> None:
    usual = {"name": "t", "text_column": "text", "label_column": "label", "licence": "own"}
    product = {"product": PRODUCT, "sources": [usual | source for source in sources]}
    (root / "product.yaml").write_text(yaml.safe_dump(product), encoding="utf-8")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder with a recipe, for what needs neither git nor DVC."""
    (tmp_path / "data").mkdir()
    (tmp_path / "params.yaml").write_bytes(PARAMS.read_bytes())
    return tmp_path


def test_a_build_fetches_first_and_is_up_to_date_when_the_server_is_gone(tmp_path: Path) -> None:
    root = make_mini_repo(tmp_path)
    with running_files() as served:
        write_product(root, {"url": served.will("/tickets.csv", Answer(CSV))})
        assert not finish_without_work(root, Variation(), release=False)
    (fetched,) = (root / "data" / "fetched").rglob("tickets.csv")
    assert fetched.read_bytes() == CSV
    command = [sys.executable, "-m", "dvc", "repro", "-q"]
    subprocess.run(command, cwd=root, env=mini_environment(root), check=True)
    data = sha256_tree(root / "data")
    with build_lock(root) as lock:
        assert find_stale(open_runner(root, root=root, lock=lock), root=root) == []
    assert sha256_tree(root / "data") == data
    assert git(root, "status", "--porcelain", "data") == ""
    # A build in a worktree sees the same file.
    with workspace_for(root, Variation(changes=["finetune.epochs=1"])) as workspace:
        assert (workspace / fetched.relative_to(root)).read_bytes() == CSV


def test_collect_reads_what_was_fetched_and_names_where_it_came_from(
    files: FileServer, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret")
    with sqlite3.connect(small / "crm.db") as database:
        database.execute("create table tickets (text, label)")
        database.execute("insert into tickets values ('Warm.', 'positive')")
    database.close()
    web = {"url": files.will("/tickets.csv", Answer(CSV)) + "?token=${SHOP_TOKEN}"}
    rows = {"url": "sqlite:///crm.db", "query": "select *\nfrom tickets", "name": "crm"}
    write_product(small, web, rows)
    params, paths = resolved(small), Paths(small, "collect")
    with pytest.raises(DataError, match="was not fetched yet") as error:
        run(params, paths)
    assert "modelyard data fetch" in error.value.next_step
    with pytest.raises(DataError, match="is not there"):
        take_snapshot(small, params)
    check_sources(small, params)  # a build would fetch them first

    monkeypatch.chdir(small)
    assert cli.main(["data", "fetch"]) == 0
    assert run(params, paths)["labelled_rows"] == 3
    first, second = Manifest.read(paths).sources
    assert (first.kind, first.origin) == ("url", f"{files.address}/tickets.csv")
    assert (second.kind, second.origin) == ("sql", "sqlite:///crm.db: select * from tickets")
    assert first.sha256 == sha256_file(small / "data" / params.collect.sources[0].path)
    refresh_build_file(small)
    written = [paths.build, *(file for file in paths.out.iterdir() if file.suffix == ".json")]
    assert "s3cret" not in "".join(file.read_text() for file in written)


def test_check_says_how_many_sources_a_build_fetches(files: FileServer, tmp_path: Path) -> None:
    root = make_mini_repo(tmp_path)
    write_product(
        root,
        {"path": "text.txt", "label_column": None},
        {"url": f"{files.address}/a.csv", "name": "u"},
    )
    *_, last = checked(root, Variation())
    assert "2 sources, of which a build fetches 1 first" in last


def test_a_retraining_takes_the_newest_state_of_what_has_no_pin(
    files: FileServer, tmp_path: Path
) -> None:
    root = make_project(tmp_path)
    url = files.will("/t.csv", Answer(CSV), Answer(CSV), Answer(CSV + b"Warm.,positive\n"))
    product = yaml.safe_load((root / "product.yaml").read_text())
    source = {
        "name": "shop",
        "url": url,
        "text_column": "text",
        "label_column": "label",
        "licence": "own",
    }
    product["sources"].append(
        source | {"label_values": {"positive": "positive", "negative": "negative"}}
    )
    (root / "product.yaml").write_text(yaml.safe_dump(product))
    made = Made(root)
    assert retrained(made).released  # another source is a change
    assert retrained(made).reason == NOTHING_CHANGED
    made.seed = 6
    assert "Changed: sources" in retrained(made).reason


def test_a_name_that_is_no_remote_source_is_refused(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_product(small, {"path": "text.csv"})
    monkeypatch.chdir(small)
    assert cli.main(["data", "fetch", "t"]) == 1
    assert "t is no source at an address or in a database" in capsys.readouterr().err
    assert cli.main(["data", "fetch"]) == 0
    assert "nothing to fetch" in capsys.readouterr().out
