"""The sheet of rows to label reaches the main root, and never takes the place of one that is filled in."""

from pathlib import Path

from flows.execution.rows_to_label import bring_sheet


def written(workspace: Path, text: str) -> Path:
    (workspace / "artifacts" / "label").mkdir(parents=True, exist_ok=True)
    (workspace / "artifacts" / "label" / "to_annotate.csv").write_text(text)
    return workspace


def test_it_is_copied_once(tmp_path: Path) -> None:
    workspace = written(tmp_path / "worktree", "id,text\n1,a\n")
    assert bring_sheet(workspace, tmp_path) == tmp_path / "to_annotate.csv"
    assert bring_sheet(workspace, tmp_path) == tmp_path / "to_annotate.csv"
    assert [path.name for path in tmp_path.glob("*.csv")] == ["to_annotate.csv"]


def test_one_that_somebody_fills_in_stays(tmp_path: Path) -> None:
    (tmp_path / "to_annotate.csv").write_text("id,text,label\n1,a,good\n")
    workspace = written(tmp_path / "worktree", "id,text\n1,a\n")
    assert bring_sheet(workspace, tmp_path) == tmp_path / "to_annotate-2.csv"
    assert "good" in (tmp_path / "to_annotate.csv").read_text()


def test_without_a_sheet_nothing_is_brought(tmp_path: Path) -> None:
    assert bring_sheet(tmp_path / "worktree", tmp_path) is None
