"""Files and folders are written whole or not at all, and a hash tells names and contents apart."""

import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from pipeline.core import files
from pipeline.core.errors import ArtifactError


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize(
    ("writer", "file"), [(files.atomic_path, ""), (files.atomic_folder, "weights")]
)
def test_a_failed_write_leaves_what_was_there_and_nothing_beside_it(
    tmp_path: Path, writer: Callable[[Path], AbstractContextManager[Path]], file: str
) -> None:
    def write(text: str, *, fails: bool) -> None:
        with writer(tmp_path / "model") as temporary:
            (temporary / file).write_text(text)
            if fails:
                raise InterruptedError

    write("old", fails=False)
    before = names(tmp_path)
    with pytest.raises(InterruptedError):
        write("half of the n", fails=True)
    assert (tmp_path / "model" / file).read_text() == "old"
    assert names(tmp_path) == before == (["model", "model/weights"] if file else ["model"])


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    files.write_text(path, "old")
    with files.atomic_path(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == path.parent
    assert path.read_text() == "new"
    assert names(tmp_path) == ["figures.json"]


def test_others_may_read_what_was_written(tmp_path: Path) -> None:
    files.write_text(tmp_path / "new" / "a.txt", "text")
    assert (tmp_path / "new" / "a.txt").stat().st_mode & 0o777 == 0o644


def test_a_new_folder_takes_the_whole_place_of_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    for name in ("first", "second"):
        with files.atomic_folder(folder) as temporary:
            (temporary / "deep").mkdir()
            (temporary / "deep" / name).write_text(name)
    assert names(tmp_path) == ["model", "model/deep", "model/deep/second"]


def test_json_is_the_same_bytes_for_the_same_values(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a.json", {"b": 1, "a": "café"})
    files.write_json(tmp_path / "b.json", {"a": "café", "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert files.read_json(tmp_path / "a.json") == {"a": "café", "b": 1}
    assert (tmp_path / "a.json").read_text(encoding="utf-8").endswith("}\n")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_that_is_no_number_is_refused_and_the_old_file_stays(
    tmp_path: Path, value: float
) -> None:
    path = tmp_path / "metrics.json"
    files.write_json(path, {"loss": 1.0})
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(path, {"loss": value})
    assert json.loads(path.read_text()) == {"loss": 1.0}
    assert names(tmp_path) == ["metrics.json"]


@pytest.mark.parametrize("text", [None, '{"cut": ', ""])
def test_json_that_is_missing_or_cut_short_names_the_file(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "report.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ArtifactError, match=r"report\.json could not be read"):
        files.read_json(path)


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000  # more than one chunk
    (tmp_path / "a").write_bytes(content)
    assert files.sha256_file(tmp_path / "a") == hashlib.sha256(content).hexdigest()
    assert files.sha256_tree(tmp_path / "a") == files.sha256_file(tmp_path / "a")


def test_the_hash_of_a_folder_changes_with_names_contents_and_places(tmp_path: Path) -> None:
    def tree(name: str, texts: dict[str, str]) -> str:
        for file, text in texts.items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text(text)
        return files.sha256_tree(tmp_path / name)

    first = tree("first", {"a": "1", "b/c": "2"})
    assert tree("same", {"b/c": "2", "a": "1"}) == first
    others = [
        tree("content", {"a": "1", "b/c": "3"}),
        tree("name", {"a": "1", "b/d": "2"}),
        tree("place", {"a": "1", "c": "2"}),
        tree("more", {"a": "1", "b/c": "2", "d": ""}),
    ]
    assert len({first, *others}) == 5
