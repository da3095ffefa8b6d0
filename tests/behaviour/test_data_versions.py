"""Rows get a name, are found again after a clean cache and a pull, and are compared. Real DVC and git."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows import cli
from flows.execution.dvc_cache import cache_folder
from flows.execution.dvc_garbage import lock_texts, named_hashes, unnamed_entries
from pipeline.data.versions import load
from tests.support.data_project import (
    build_rows,
    dvc,
    made_row,
    made_rows,
    make_data_project,
    write_votes,
)
from tests.support.repository import commit_all
from tests.support.s3 import running_s3

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def versioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the version v1 of 40 rows."""
    root = make_data_project(tmp_path_factory.mktemp("data") / "project", made_rows(40))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert cli.main(["data", "version", "v1"]) == 0
    return root


@pytest.fixture
def root(versioned: Path, tmp_path: Path) -> Path:
    shutil.copytree(versioned, tmp_path / "project", symlinks=True)
    return tmp_path / "project"


@pytest.fixture
def modelyard(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs a verb in the project; gives the exit code and what was printed."""
    monkeypatch.chdir(root)
    return lambda *arguments: (cli.main(arguments), *capsys.readouterr())


def test_a_version_is_listed_with_what_is_in_it_and_keeps_its_name(modelyard: Run) -> None:
    code, said, _ = modelyard("data", "list")
    assert code == 0
    assert "v1" in said
    assert "negative 20, positive 20" in said
    (told,) = json.loads(modelyard("data", "list", "--json")[1])
    assert (told["name"], told["rows"], told["sources"][0]["name"]) == ("v1", 40, "mail")
    code, _, error = modelyard("data", "version", "v1")
    assert code == 1
    assert "never changes" in error


def test_rows_that_are_older_than_their_data_get_no_name(root: Path, modelyard: Run) -> None:
    write_votes(root, [(f"{1:016x}", "ann", "negative")])
    code, _, error = modelyard("data", "version", "v2")
    assert code == 1
    assert "label would run in a build" in error
    assert not list((root / "versions").glob("v2*"))
    (root / "dvc.lock").unlink()
    assert "nothing was built here yet" in modelyard("data", "version", "v2")[2]


def test_two_versions_are_compared_row_by_row_and_with_the_last_build(
    root: Path, modelyard: Run
) -> None:
    moved = made_row(2, split="test")
    relabelled = made_row(5, label="negative"), made_row(6, label="positive")
    kept = [made_row(n) for n in range(40) if n not in (0, 2, 5, 6)]
    rows = [*kept, moved, *relabelled, made_row(90), made_row(92)]
    write_votes(root, [(f"{5:016x}", "ann", "negative"), (f"{7:016x}", "bo", "positive")])
    build_rows(root, rows)
    told = json.loads(modelyard("data", "diff", "v1", "now", "--json")[1])
    assert told["added"] == [f"{90:016x}", f"{92:016x}"]
    assert told["removed"] == [f"{0:016x}"]
    assert told["moved"] == [{"id": f"{2:016x}", "before": "validation", "after": "test"}]
    whose = {
        row["id"]: (row["before"], row["after"], row["by"], row["who"])
        for row in told["relabelled"]
    }
    assert whose == {
        f"{5:016x}": ("positive", "negative", "annotators", ["ann"]),
        f"{6:016x}": ("negative", "positive", "source", ["mail"]),
    }
    assert told["counts"] == {"added": 2, "removed": 1, "relabelled": 2, "moved": 1}
    assert told["balance"]["after"] == {"negative": 21, "positive": 20}

    assert modelyard("data", "version", "v2")[0] == 0
    later = json.loads(modelyard("data", "diff", "v1", "v2", "--json")[1])
    assert later == told | {"b": "v2"}
    said = modelyard("data", "diff", "v1", "v2")[1]
    assert "positive → negative: 1" in said
    assert "by annotator ann: 1" in said
    assert "by source mail: 1" in said


def test_rows_that_differ_are_named_by_their_own_ids_as_well(root: Path, modelyard: Run) -> None:
    assert json.loads(modelyard("data", "diff", "v1", "now", "--json")[1])["source_ids"] == {}
    rows = [made_row(n, source_id=f"T-{n}" if n != 91 else None) for n in (*range(1, 40), 90, 91)]
    rows[4] |= {"label": "negative", "target": [0.0]}
    build_rows(root, rows)
    told = json.loads(modelyard("data", "diff", "v1", "now", "--json")[1])
    assert told["counts"] == {"added": 2, "removed": 1, "relabelled": 1, "moved": 0}
    assert told["source_ids"] == {f"{5:016x}": "T-5", f"{90:016x}": "T-90"}
    assert modelyard("data", "version", "v2")[0] == 0
    assert json.loads(modelyard("data", "diff", "v1", "v2", "--json")[1]) == told | {"b": "v2"}


def test_a_row_is_found_by_its_own_id_in_the_last_build_and_in_versions(
    root: Path, modelyard: Run
) -> None:
    rows = [made_row(n, source_id=f"T-{n}") for n in range(40)]
    build_rows(root, rows)
    collected = pa.Table.from_pylist(rows).select(["id", "source", "source_id", "text", "label"])
    for name in ("records", "corpus"):
        pq.write_table(collected, root / "artifacts" / "collect" / f"{name}.parquet")
        collected = collected.slice(0, 0)
    assert modelyard("data", "version", "v2")[0] == 0
    code, said, _ = modelyard("data", "find", "T-5", f"{6:016x}", "--json")
    told = json.loads(said)
    assert code == 0
    assert [(row["version"], row["id"], row["source_id"]) for row in told["rows"]] == [
        ("now", f"{5:016x}", "T-5"),
        ("now", f"{6:016x}", "T-6"),
        ("v1", f"{6:016x}", None),
        ("v2", f"{5:016x}", "T-5"),
        ("v2", f"{6:016x}", "T-6"),
    ]
    first = told["rows"][0]
    assert (first["source"], first["place"], first["label"]) == ("mail", "train", "positive")
    assert (told["not_found"], told["versions_not_here"]) == ([], [])
    (root / "versions" / "v1.parquet").unlink()
    code, said, _ = modelyard("data", "find", "T-5", "T-77")
    assert code == 1
    assert "T-77: no row has this id" in said
    assert "not on this machine (`dvc pull`): v1" in said
    assert [line.split()[:5] for line in said.splitlines() if "T-5" in line] == [
        ["T-5", f"{5:016x}", "mail", "now", "train"],
        ["T-5", f"{5:016x}", "mail", "v2", "train"],
    ]


def test_a_search_by_own_ids_that_no_source_has_says_how_to_have_them(
    root: Path, modelyard: Run
) -> None:
    rows = pa.Table.from_pylist(made_rows(40)).select(["id", "source", "text", "label"])
    for name in ("records", "corpus"):
        pq.write_table(rows, root / "artifacts" / "collect" / f"{name}.parquet")
    code, _, error = modelyard("data", "find", "T-5")
    assert code == 1
    assert "no source of the last build has ids of its own" in error
    assert "`id_column`" in error


def test_rows_of_another_product_come_from_its_last_build(root: Path, modelyard: Run) -> None:
    other = root / "products" / "other.yaml"
    product = (root / "products" / "movie-reviews.yaml").read_text()
    other.write_text(product.replace("name: movie-review-sentiment", "name: other-reviews"))
    asked = ("--product", "products/other.yaml")
    assert "no build of other-reviews" in modelyard("data", "version", "v2", *asked)[2]
    kept = root / ".modelyard" / "builds" / "other-reviews"
    kept.mkdir(parents=True)
    shutil.copy(root / "dvc.lock", kept)
    assert modelyard("data", "version", "v2", *asked)[0] == 0
    assert load("v2", root=root).note.product == "other-reviews"
    assert set(
        json.loads(modelyard("data", "diff", "v2", "now", *asked, "--json")[1])["counts"].values()
    ) == {0}


def test_the_same_bytes_come_back_after_a_clean_cache_and_a_pull(
    root: Path, tmp_path: Path
) -> None:
    path = load("v1", root=root).path
    before = path.read_bytes()
    dvc(root, "remote", "add", "-d", "store", str(tmp_path / "store"))
    dvc(root, "push", "versions/v1.parquet.dvc")
    shutil.rmtree(cache_folder(root))
    path.unlink()
    dvc(root, "pull", "versions/v1.parquet.dvc")
    assert load("v1", root=root).path.read_bytes() == before


def test_the_same_bytes_come_back_from_s3(root: Path) -> None:
    path = load("v1", root=root).path
    before = path.read_bytes()
    with running_s3(bucket="rows") as address:
        dvc(root, "remote", "add", "-d", "store", "s3://rows/data")
        settings = {"endpointurl": address, "access_key_id": "of-a", "secret_access_key": "test"}
        for key, value in settings.items():
            dvc(root, "remote", "modify", "--local", "store", key, value)
        dvc(root, "push", "versions/v1.parquet.dvc")
        shutil.rmtree(cache_folder(root))
        path.unlink()
        dvc(root, "pull", "versions/v1.parquet.dvc")
    assert load("v1", root=root).path.read_bytes() == before


def test_tidy_keeps_the_rows_of_a_version_here_and_on_other_branches(root: Path) -> None:
    entry = _entry(root)
    commit_all(root)
    assert entry not in _unnamed(root)
    subprocess.run(["git", "checkout", "-q", "--orphan", "other"], cwd=root, check=True)
    subprocess.run(["git", "rm", "-rqf", "--cached", "versions"], cwd=root, check=True)
    (root / "versions" / "v1.parquet.dvc").unlink()
    commit_all(root)
    assert entry not in _unnamed(root)


def _unnamed(root: Path) -> list[Path]:
    cache = cache_folder(root)
    return unnamed_entries(cache, named_hashes(cache, lock_texts(root, commits=1)))


def _entry(root: Path) -> Path:
    """The file in DVC's cache that holds the rows of v1."""
    rows = (root / "versions" / "v1.parquet").read_bytes()
    (entry,) = [f for f in cache_folder(root).glob("files/md5/*/*") if f.read_bytes() == rows]
    return entry
