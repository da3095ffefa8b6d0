"""label keeps the sources' labels, takes the annotators' majority, refuses poor agreement, and deals rows to
splits that never move.
"""

import json
from pathlib import Path

import pytest

from pipeline import label
from pipeline.core.errors import DataError
from pipeline.core.paths import Paths
from pipeline.data.records import read_records
from pipeline.data.tables import read_table
from tests.support.problems import MULTI_LABEL, REGRESSION
from tests.support.small_reviews import ROWS, at, labelled, labelled_workspace, params


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return labelled_workspace(tmp_path_factory)


def annotate(root: Path, lines: list[tuple[str, str, str]]) -> Paths:
    paths = at(root, "label")
    (paths.annotations / ".gitkeep").touch()
    rows = ["id,annotator,label", *(",".join(line) for line in lines)]
    (paths.annotations / "mine.csv").write_text("\n".join(rows))
    return paths


def test_labels_pass_through_and_the_annotators_majority_wins(workspace: Path) -> None:
    before = read_table(workspace / "artifacts/label/records.parquet")
    numbers = [[float(("negative", "positive").index(name))] for name in before["label"]]
    assert before["target"] == numbers
    row = before["id"][0]
    other = {"negative": "positive", "positive": "negative"}[before["label"][0]]
    paths = annotate(workspace, [(row, "ann", other), (row, "bo", other), ("gone", "bo", other)])
    metrics = label.run(params(), paths)
    after = read_table(paths.out / "records.parquet")
    assert after["label"][0] == other
    assert after["label"][1:] == before["label"][1:]
    agreement = json.loads((paths.out / "agreement.json").read_text())
    del agreement["alpha"]
    counts = {"annotated_rows": 1, "unknown_rows": 1, "annotators": 2, "changed_labels": 1}
    assert agreement == counts
    assert "1 by annotators" in metrics["headline"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([("0", "ann", "positive"), ("0", "bo", "negative")], "alpha of the annotations is"),
        ([("0", "ann", "great")], "line 2: the label value 'great'"),
        ([("0", "", "positive")], "line 2: the column `annotator` is empty"),
        (
            [("nowhere", "ann", "positive")],
            "1 annotated ids, .* .nowhere., and none is in the data",
        ),
    ],
)
def test_annotations_that_cannot_be_trusted_are_refused(
    workspace: Path, labels: list[tuple[str, str, str]], message: str
) -> None:
    ids = [r.id for r in read_records(workspace / "artifacts/validate/records.parquet")]
    lines = [(ids[0] if row == "0" else row, who, what) for row, who, what in labels]
    paths = annotate(workspace, lines)
    with pytest.raises(DataError, match=message):
        label.run(params(), paths)


def annotated(root: Path, label_of_row: str, votes: list[str], changes: list[str]) -> list[str]:
    """The gold label and target of one row whose source says `label_of_row`."""
    rows = [(ROWS[0][0], label_of_row)]
    rows += [(text, ("1.0", "2.0")[n % 2]) for n, (text, _) in enumerate(ROWS[1:])]
    if changes == MULTI_LABEL:
        rows[1:] = [(text, ("a|b", "c")[n % 2]) for n, (text, _) in enumerate(ROWS[1:])]
    labelled(root, rows, *changes)
    table = read_table(root / "artifacts/label/records.parquet")
    identifier = table["id"][table["text"].index(ROWS[0][0])]
    paths = annotate(root, [(identifier, f"person {n}", vote) for n, vote in enumerate(votes)])
    label.run(params(*changes, "label.min_agreement=-1.0"), paths)
    table = read_table(paths.out / "records.parquet")
    place = table["id"].index(identifier)
    return [table["label"][place], table["target"][place]]


@pytest.mark.parametrize(
    ("source", "votes", "changes", "gold"),
    [
        ("b", ["a|b", "a", "a|c"], MULTI_LABEL, ["a", [1.0, 0.0, 0.0]]),
        ("b|c", ["a|b", "c"], MULTI_LABEL, ["b|c", [0.0, 1.0, 1.0]]),
        ("9.0", ["1", "2.5", "40"], REGRESSION, ["2.5", [2.5]]),
    ],
    ids=["label by label", "a tie keeps the source", "the median of numbers"],
)
def test_annotators_decide(tmp_path: Path, source, votes, changes, gold) -> None:
    assert annotated(tmp_path, source, votes, changes) == gold


def splits(root: Path) -> dict[str, str]:
    """Id → split of each row that label left."""
    table = read_table(root / "artifacts/label/records.parquet")
    return dict(zip(table["id"], table["split"], strict=True))


def near_copies(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """A near copy of each row, each with an id of its own, which may be smaller than the row's."""
    return [(f"{text} Once more.", name) for text, name in rows]


def test_no_row_moves_when_near_copies_of_old_rows_come(tmp_path: Path) -> None:
    before = splits(labelled(tmp_path, ROWS))
    after = splits(labelled(tmp_path, [*near_copies(ROWS[:60]), *ROWS]))
    assert len(after) > len(before) + 50
    assert {row: after[row] for row in before} == before


def test_a_ledger_is_needed_for_that_and_nothing_else(tmp_path: Path) -> None:
    before = splits(labelled(tmp_path, ROWS))
    for file in (tmp_path / "splits").glob("*.csv"):
        file.unlink()
    after = splits(labelled(tmp_path, [*near_copies(ROWS[:60]), *ROWS]))
    assert any(after[row] != split for row, split in before.items())


def test_the_same_rows_make_the_same_ledger_to_the_byte(tmp_path: Path) -> None:
    labelled(tmp_path, ROWS)
    [ledger] = (tmp_path / "splits").glob("*.csv")
    first = ledger.read_bytes()
    labelled(tmp_path, ROWS[::-1])
    assert ledger.read_bytes() == first
    [other] = (labelled(tmp_path / "another clone", ROWS) / "splits").glob("*.csv")
    assert other.read_bytes() == first


def test_another_salt_deals_all_rows_anew_and_the_former_one_finds_them_as_they_were(
    tmp_path: Path,
) -> None:
    before = splits(labelled(tmp_path, ROWS))
    assert splits(labelled(tmp_path, ROWS, "prepare.salt=another")) != before
    assert splits(labelled(tmp_path, ROWS)) == before


def test_a_split_that_cannot_be_judged_on_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="validation split is empty"):
        labelled(tmp_path, ROWS, "prepare.shares={train: 1.0, validation: 0.0, test: 0.0}")
    assert not [*(tmp_path / "splits").glob("*.csv")]
