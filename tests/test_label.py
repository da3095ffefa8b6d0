"""label keeps the sources' labels, takes the annotators' majority, refuses poor agreement, and deals rows to
splits that never move.
"""

import csv
import io
import json
from pathlib import Path

import pytest

from pipeline import label
from pipeline.core.artifacts.data_reports import AgreementReport
from pipeline.core.errors import DataError, LabelsNeededError, ParameterError
from pipeline.core.paths import Paths
from pipeline.data.adjudications import Adjudication, Cause, write_adjudications
from pipeline.data.records import read_records
from pipeline.data.tables import read_table
from tests.support.problems import MULTI_LABEL, PAIRS, REGRESSION
from tests.support.small_reviews import (
    ROWS,
    at,
    labelled,
    labelled_workspace,
    params,
    texts,
    validated,
)


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
    counts |= {"double_rows": 1, "newly_labelled": 0}
    assert {key: agreement[key] for key in counts | nothing_differs} == counts | nothing_differs
    assert (agreement["merge"], agreement["pairs"]) == ("majority", [])
    assert [(who["name"], who["votes"]) for who in agreement["people"]] == [("ann", 1), ("bo", 1)]
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


def votes_with_spammers(root: Path) -> tuple[Paths, list[str]]:
    """Votes on all rows of two people who are right and three who say `positive`; ids of negative rows."""
    table = read_table(root / "artifacts/label/records.parquet")
    lines = []
    for row, name in zip(table["id"], table["label"], strict=True):
        lines += [(row, who, name) for who in ("ann", "bo")]
        lines += [(row, who, "positive") for who in ("lazy", "lax", "slack")]
    negative = [
        row for row, name in zip(table["id"], table["label"], strict=True) if name == "negative"
    ]
    return annotate(root, lines), negative


def test_people_who_guess_outvote_nobody_where_votes_are_weighed(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths, negative = votes_with_spammers(workspace)
    metrics = label.run(params("label.min_agreement=-1.0", "label.merge=dawid_skene"), paths)
    after = read_table(paths.out / "records.parquet")
    found = {
        row for row, name in zip(after["id"], after["label"], strict=True) if name == "negative"
    }
    assert found == {*negative}
    assert metrics["spammers"] == 3
    assert "3 of 5 people answer no better than chance: lax, lazy, slack" in capsys.readouterr().out


def test_the_report_tells_who_agrees_and_on_what(workspace: Path) -> None:
    paths, negative = votes_with_spammers(workspace)
    with pytest.raises(LabelsNeededError, match="negative: 0, positive: 120"):
        label.run(params("label.min_agreement=-1.0"), paths)
    label.run(params("label.min_agreement=-1.0", "label.merge=dawid_skene"), paths)
    found = AgreementReport.load(paths.out / "agreement.json")
    assert [person.name for person in found.people if not person.is_spammer] == ["ann", "bo"]
    assert found.coefficients is not None
    assert found.coefficients.alpha is not None
    assert found.coefficients.alpha.value == pytest.approx(found.alpha, abs=1e-12)
    assert [*found.by_label] == ["negative", "positive"]
    [confusion] = found.confusions
    assert (confusion.first, confusion.second, confusion.share) == ("negative", "positive", 1.0)
    assert confusion.rows == len(negative)
    assert {pair.first for pair in found.pairs} == {"ann", "bo", "lax", "lazy"}


def test_votes_on_numbers_are_told_by_alpha_alone(tmp_path: Path) -> None:
    annotated(tmp_path, "9.0", ["1", "2.5", "40"], REGRESSION)
    found = AgreementReport.load(tmp_path / "artifacts/label/agreement.json")
    assert (found.coefficients, found.by_label, found.people) == (None, {}, [])
    with pytest.raises(ParameterError, match=r"label\.merge: majority, for regression"):
        params(*REGRESSION, "label.merge=dawid_skene")


def adjudicate(paths: Paths, *decisions: tuple[str, str, Cause]) -> Paths:
    """Decisions on rows, which one in three people had given the label `negative`."""
    shares = {"negative": 1 / 3, "positive": 2 / 3}
    time = "2026-12-01T09:00:00.000Z"
    made = [
        Adjudication(id=row, label=name, why=why, shares=shares, time=time, person="p3")
        for row, name, why in decisions
    ]
    write_adjudications(paths.annotations, made)
    return paths


def test_an_adjudicated_label_wins_over_the_votes_and_no_other_figure_moves(
    workspace: Path,
) -> None:
    other = {"negative": "positive", "positive": "negative"}
    paths = votes_of_two(workspace, agreed=40, disputed=3)
    label.run(params(), paths)
    before = AgreementReport.load(paths.out / "agreement.json")
    assert (before.adjudicated_rows, before.disputed_rows) == (0, 3)
    rows = read_table(paths.out / "records.parquet")
    decided = list(zip(rows["id"], rows["label"], strict=True))[40:42]
    adjudicate(paths, *((row, other[name], "slip") for row, name in decided))
    label.run(params(), paths)
    after = AgreementReport.load(paths.out / "agreement.json")
    gold = read_table(paths.out / "records.parquet")
    assert gold["label"][40:42] == [other[name] for _, name in decided]
    assert gold["label"][:40] + gold["label"][42:] == rows["label"][:40] + rows["label"][42:]
    assert (after.adjudicated_rows, after.disputed_rows, after.soft_rows) == (2, 1, 0)
    assert {row for row, _ in decided}.isdisjoint(row.id for row in after.uncertain_rows)
    figures = {"alpha", "interval", "double_rows", "judgement", "annotated_rows", "people"}
    assert after.model_dump(include=figures) == before.model_dump(include=figures)


@pytest.mark.parametrize("merge", ["majority", "dawid_skene"])
def test_a_row_that_people_dispute_stays_in_the_corpus_until_it_is_adjudicated(
    workspace: Path, merge: str
) -> None:
    tied, alone, *_ = read_records(workspace / "artifacts/validate/corpus.parquet")
    lines = [(tied.id, "ann", "positive"), (tied.id, "bo", "negative")]
    paths = annotate(workspace, lines)
    asked = params(f"label.merge={merge}", "label.min_agreement=-1.0")
    label.run(asked, paths)
    assert tied.text in corpus_of(workspace, "label")
    adjudicate(paths, (tied.id, "negative", "guide"), (alone.id, "positive", "slip"))
    metrics = label.run(asked, paths)
    after = {row.id: row.label for row in read_records(paths.out / "records.parquet")}
    assert (after[tied.id], after[alone.id]) == ("negative", "positive")
    assert (metrics["newly_labelled"], metrics["adjudicated_rows"]) == (2, 2)
    assert metrics["disputed_rows"] == 0


def test_decisions_alone_are_enough(workspace: Path) -> None:
    row, *_ = read_records(workspace / "artifacts/validate/corpus.parquet")
    paths = adjudicate(annotate(workspace, []), (row.id, "positive", "slip"))
    metrics = label.run(params(), paths)
    assert (metrics["annotated_rows"], metrics["newly_labelled"]) == (0, 1)


def test_truly_ambiguous_rows_keep_their_shares_only_where_it_is_asked_for(workspace: Path) -> None:
    rows = read_table(workspace / "artifacts/label/records.parquet")
    first, second, *_ = rows["id"]
    paths = annotate(workspace, [])
    plain = adjudicate(paths, (first, "positive", "ambiguous"), (second, "positive", "slip"))
    metrics = label.run(params(), plain)
    assert metrics["soft_rows"] == 0
    hard = read_table(paths.out / "records.parquet")
    assert "soft" not in hard
    metrics = label.run(params("label.soft_labels=true"), plain)
    soft = read_table(paths.out / "records.parquet")
    assert metrics["soft_rows"] == 1
    assert soft.pop("soft") == [[1 / 3, 2 / 3], *[None] * (len(rows["id"]) - 1)]
    assert soft == hard


def test_soft_labels_without_an_ambiguous_row_leave_the_same_bytes(workspace: Path) -> None:
    rows = workspace / "artifacts/label/records.parquet"
    before = rows.read_bytes()
    paths = annotate(workspace, [])
    label.run(params("label.soft_labels=true"), paths)
    assert rows.read_bytes() == before


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


def text_only(root: Path, count: int = 240) -> list[tuple[str, str]]:
    """A workspace in which no source has a label; id and right label of each row."""
    pairs = dict(texts(count))
    validated(root, [], corpus=[*pairs])
    (root / "annotations").mkdir()
    rows = read_records(root / "artifacts/validate/corpus.parquet")
    return [(row.id, pairs[row.text]) for row in rows]


def test_without_any_label_it_waits_with_a_sheet_for_people_and_keeps_nothing_else(
    tmp_path: Path,
) -> None:
    rows = text_only(tmp_path)
    paths = at(tmp_path, "label")
    with pytest.raises(LabelsNeededError, match=f"none of {len(rows)} rows has a label"):
        label.run(params(), paths)
    sheet = (paths.out / "to_annotate.csv").read_text(encoding="utf-8-sig")
    asked = [*csv.DictReader(io.StringIO(sheet))]
    assert {row["id"] for row in asked} <= {identifier for identifier, _ in rows}
    assert not (paths.out / "records.parquet").exists()
    assert not [*(tmp_path / "splits").glob("*.csv")]


def test_a_sheet_that_is_filled_in_makes_the_rows_of_the_product(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = dict(text_only(tmp_path))
    paths = at(tmp_path, "label")
    with pytest.raises(LabelsNeededError):
        label.run(params(), paths)
    sheet = (paths.out / "to_annotate.csv").read_text(encoding="utf-8-sig")
    rows = [*csv.DictReader(io.StringIO(sheet))]
    for row in rows[:200]:
        row |= {"annotator": "ann", "label": right[row["id"]]}
    with (paths.annotations / "sheet.csv").open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    metrics = label.run(params(), paths)
    found = read_records(paths.out / "records.parquet")
    assert metrics["newly_labelled"] == len(found) == 200
    assert all(row.label == right[row.id] and row.split for row in found)
    assert f"sheet.csv: {len(rows) - 200} lines have no label yet" in capsys.readouterr().out


def test_too_few_rows_of_one_label_are_counted_and_more_are_asked_for(tmp_path: Path) -> None:
    right = text_only(tmp_path)
    positive = [(row, "ann", name) for row, name in right if name == "positive"]
    negative = [(row, "ann", name) for row, name in right if name == "negative"]
    paths = annotate(tmp_path, [*positive[:50], *negative[:3]])
    with pytest.raises(LabelsNeededError, match=r"53 of \d+ rows have a label \(negative: 3, "):
        label.run(params(), paths)


def test_a_product_labelled_in_part_waits_too_and_goes_on_with_the_labels_of_people(
    tmp_path: Path,
) -> None:
    pairs = dict(texts(240))
    validated(tmp_path, [*pairs.items()][:12], corpus=[*pairs][12:])
    (tmp_path / "annotations").mkdir()
    paths = at(tmp_path, "label")
    with pytest.raises(LabelsNeededError, match=r"12 of 240 rows have a label"):
        label.run(params(), paths)
    others = read_records(tmp_path / "artifacts/validate/corpus.parquet")
    annotate(tmp_path, [(row.id, "ann", pairs[row.text]) for row in others[:100]])
    assert label.run(params(), paths)["rows"] == 112


def test_where_nothing_is_left_to_label_a_rare_label_is_refused(tmp_path: Path) -> None:
    right = text_only(tmp_path, 60)
    lines = [(row, "ann", name) for row, name in right if name == "positive"]
    rest = [row for row, name in right if name == "negative"]
    lines += [(row, "ann", "positive" if n else "negative") for n, row in enumerate(rest)]
    with pytest.raises(DataError, match="'negative' has 1 rows") as caught:
        label.run(params(), annotate(tmp_path, lines))
    assert not caught.value.is_answer
