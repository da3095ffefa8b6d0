"""label keeps the sources' labels, takes the annotators' majority, and refuses poor agreement."""

import json
from pathlib import Path

import pytest

from pipeline import label
from pipeline.core.errors import DataError
from pipeline.core.paths import Paths
from pipeline.data.records import read_records
from pipeline.data.tables import read_table
from tests.support.problems import MULTI_LABEL, PAIRS, REGRESSION
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
    counts = {"annotated_rows": 1, "unknown_rows": 1, "annotators": 2, "changed_labels": 1}
    nothing_differs = {"alpha": None, "interval": None, "judgement": "not measured"}
    assert agreement == counts | nothing_differs | {"double_rows": 1, "newly_labelled": 0}
    assert "1 by annotators" in metrics["headline"]


def test_labels_of_no_row_are_told_on_the_screen(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = read_table(workspace / "artifacts/label/records.parquet")["id"][0]
    gone = [(f"gone{number}", "bo", "positive") for number in range(7)]
    label.run(params(), annotate(workspace, [(row, "ann", "positive"), *gone]))
    said = capsys.readouterr().out
    assert "7 of 8 annotated ids are of no row" in said
    assert "gone0, gone1, gone2, gone3, gone4, …" in said


def votes_of_two(root: Path, *, agreed: int, disputed: int) -> Paths:
    """Annotations of `ann` alone on all rows, and of `bo` on so many of them."""
    table = read_table(root / "artifacts/label/records.parquet")
    other = {"negative": "positive", "positive": "negative"}
    lines = []
    for number, (row, name) in enumerate(zip(table["id"], table["label"], strict=True)):
        lines.append((row, "ann", name))
        if number < agreed + disputed:
            lines.append((row, "bo", name if number < agreed else other[name]))
    return annotate(root, lines)


def test_one_disputed_row_among_many_single_labels_stops_nothing(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = votes_of_two(workspace, agreed=0, disputed=1)
    label.run(params(), paths)
    written = json.loads((paths.out / "agreement.json").read_text())
    assert written["alpha"] == 0
    assert (written["double_rows"], written["judgement"]) == (1, "inconclusive")
    assert "inconclusive, for at least 0.6 is wanted" in capsys.readouterr().out


def test_people_who_surely_disagree_stop_the_line(workspace: Path) -> None:
    paths = votes_of_two(workspace, agreed=20, disputed=30)
    with pytest.raises(DataError, match=r"alpha of the annotations is .*50 rows that several"):
        label.run(params(), paths)
    label.run(params("label.min_double_rows=51"), paths)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([("0", "ann", "great")], "line 2: the label value 'great'"),
        ([("0", "", "positive")], "line 2: the column `annotator` is empty"),
        ([("", "ann", "positive")], "line 2: the column `id` is empty"),
        (
            [("0", "ann", "positive"), ("5.2E+19", "ann", "positive")],
            "line 3: '5.2E.19' is a number that a spreadsheet made of an id",
        ),
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


def corpus_of(root: Path, stage: str) -> list[str]:
    return [row.text for row in read_records(root / f"artifacts/{stage}/corpus.parquet")]


def test_without_labels_on_it_the_corpus_is_as_validate_left_it(workspace: Path) -> None:
    assert corpus_of(workspace, "validate")
    written = [workspace / f"artifacts/{stage}/corpus.parquet" for stage in ("validate", "label")]
    assert written[0].read_bytes() == written[1].read_bytes()


def test_a_row_of_the_corpus_that_people_labelled_becomes_a_labelled_row(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, tied, *_ = read_records(workspace / "artifacts/validate/corpus.parquet")
    before = read_records(workspace / "artifacts/label/records.parquet")
    lines = [(first.id, who, "positive") for who in ("ann", "bo")]
    lines += [(second.id, "ann", "negative")]
    lines += [(tied.id, "ann", "positive"), (tied.id, "bo", "negative")]
    paths = annotate(workspace, lines)
    metrics = label.run(params(), paths)
    after = {row.id: row for row in read_records(paths.out / "records.parquet")}
    assert [*after] == sorted(after)
    assert (after[first.id].label, after[first.id].target) == ("positive", [1.0])
    assert (after[second.id].label, after[second.id].target) == ("negative", [0.0])
    new = {first.id, second.id}
    assert [row for key, row in after.items() if key not in new] == before
    assert tied.text in corpus_of(workspace, "label")
    assert metrics["newly_labelled"] == 2
    said = capsys.readouterr().out
    assert "2 rows of the corpus got labels" in said
    assert "1 annotated rows stay in the corpus" in said


def test_what_holds_a_newly_labelled_text_leaves_the_corpus(tmp_path: Path) -> None:
    short = "The harbour was quiet and the film was slow."
    holds = f"Somebody wrote this at length: {short} Nobody answered."
    root = labelled(tmp_path, ROWS, corpus=[short, holds, "Nothing of the kind was said here."])
    [identifier] = [
        row.id
        for row in read_records(root / "artifacts/validate/corpus.parquet")
        if row.text == short
    ]
    label.run(params(), annotate(root, [(identifier, "ann", "negative")]))
    assert corpus_of(root, "label") == ["Nothing of the kind was said here."]


def test_labels_on_the_corpus_of_a_product_of_pairs_are_labels_of_no_row(tmp_path: Path) -> None:
    rows = [(f"Is number {n} any good?", text, name) for n, (text, name) in enumerate(ROWS)]
    root = labelled(tmp_path, rows, *PAIRS)
    [row, *_] = read_records(root / "artifacts/validate/corpus.parquet")
    with pytest.raises(DataError, match="none is in the data"):
        label.run(params(*PAIRS), annotate(root, [(row.id, "ann", "positive")]))
