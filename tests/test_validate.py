"""validate takes out what must not be learned from, and stops where a limit is broken."""

import json
from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.core.paths import Paths
from pipeline.data.personal_kinds import KINDS
from pipeline.data.records import read_records, record_id
from pipeline.data.tables import read_table
from tests.support.problems import MULTI_LABEL, PAIRS, REGRESSION
from tests.support.small_reviews import ROWS, Reviews, validated


def test_validate_takes_out_what_must_not_be_learned_from(tmp_path: Path) -> None:
    held = "Nobody asked, yet here we are with a film."
    rows = [*ROWS, ("<br />", "negative"), ("ok", "negative"), (ROWS[0][0].upper(), "positive")]
    rows += [("This one has two labels", "positive"), ("this one has two labels!", "negative")]
    rows += [(held, "negative"), (ROWS[1][0] + " ok", "negative")]
    corpus = [
        "A review of mine. NOBODY asked, yet here we are with a film. Write me: a@b.org",
        "A clean review &amp; long enough, see www.example.org",
        "here we are with a film",
    ]
    paths = validated(tmp_path, rows, corpus=corpus)
    assert sorted(read_table(paths.out / "rejects.parquet")["reason"]) == [
        *["copies with different labels"] * 2,
        "copy of another row",
        "empty",
        "holds a labelled text",
        "is part of a labelled text",
        "too short",
    ]
    [clean] = read_records(paths.out / "corpus.parquet")
    assert clean.text == "A clean review & long enough, see www.example.org"
    records = read_records(paths.out / "records.parquet")
    near = [r for r in records if r.text.startswith(ROWS[1][0])]
    assert {r.cluster for r in near} == {min(r.id for r in near)}
    report = json.loads((paths.out / "report.json").read_text())
    counts = report["personal_data"]["corpus"]
    assert {kind: count for kind, count in counts.items() if count} == {"url": 1}
    assert set(counts) == set(KINDS)
    card = (paths.out / "data_card.md").read_text()
    # Straight after the table it would be a row of it.
    assert "|\n\n`mine` is used although" in card
    for said in ("data/mine.csv", "for a test", "positive", "near copies", "url in 1"):
        assert said in card


TABLES = ("records", "corpus", "rejects")
VALUES = ["010-1234-5678", "０２－１２３－４５６７", "hong@naver.com"]
WITH_PERSONAL_DATA = [
    (f"전화는{VALUES[0]}로 주세요, 정말 좋았어요", "positive"),
    (f"환불은 {VALUES[1]}에 물어보래요, 다시는 안 가요", "negative"),
]
CORPUS_WITH_PERSONAL_DATA = f"A long enough text of its own. Write to {VALUES[2]} for more of it."
PAIRED = [(f"Is number {n} any good?", text, name) for n, (text, name) in enumerate(ROWS)]
SEVERAL = [(text, ("a", "a|b", "c", "")[n % 4]) for n, (text, _) in enumerate(ROWS)]
NUMBERED = [(text, repr(float(n))) for n, (text, _) in enumerate(ROWS)]


@pytest.mark.parametrize(
    ("rows", "changes", "message"),
    [
        ([r for r in ROWS if r[1] == "positive"], [], "one class only"),
        ([r for r in ROWS if r[1] == "positive"] + ROWS[1:8:2], [], "'negative' has 4 rows"),
        ([*ROWS, *(("?!" * n, "positive") for n in range(1, 20))], [], "max_reject_share"),
        ([*ROWS, *((t + "!" * 3, name) for t, name in ROWS[:20])], [], "max_duplicate_share"),
        (ROWS[::2] + ROWS[1:40:2], ["validate.max_label_share=0.7"], "max_label_share"),
        ([(t, "2.0") for t, _ in ROWS], REGRESSION, r"every row has the same number \(2\.0\)"),
        (NUMBERED[:5], REGRESSION, "5 rows with a number"),
        (SEVERAL, [*MULTI_LABEL, "product.labels=[a, b, c, d]"], "'d' has 0 rows"),
        ([(text, "a|b|c") for text, _ in ROWS], MULTI_LABEL, "max_label_share"),
    ],
)
def test_a_broken_limit_stops_the_line_in_every_problem(
    tmp_path: Path, rows: Reviews, changes: list[str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        validated(tmp_path, rows, *changes)
    assert not (tmp_path / "artifacts" / "validate" / "report.json").exists()


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        (["ok"] * 5 + ["A text of some length."], r"web (?s:.*)too short: 5(?s:.*)`text_column`"),
        (["<br />", "?!", "ok", "A text."], r"75\.0% (?s:.*)empty: 2, too short: 1"),
        (["4.50", "12,000", "2024-01-03", "A text."], "3 of 4 texts of web are numbers"),
    ],
)
def test_a_corpus_that_is_mostly_no_text_stops_the_line_too(
    tmp_path: Path, corpus: list[str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        validated(tmp_path, ROWS, corpus=corpus)
    assert not (tmp_path / "artifacts" / "validate" / "report.json").exists()


def test_copies_and_leaks_of_a_corpus_break_no_limit(tmp_path: Path) -> None:
    corpus = [text for text, _ in ROWS] + ["A text of its own.", "A text of its own!", "ok"]
    paths = validated(tmp_path, ROWS, corpus=corpus)
    assert len(read_records(paths.out / "corpus.parquet")) == 1


def test_labelled_rows_whose_texts_are_numbers_stop_the_line(tmp_path: Path) -> None:
    numbers = [(f"{n + 1000}", name) for n, (_, name) in enumerate(ROWS)]
    with pytest.raises(DataError, match=r"120 of 120 texts of mine(?s:.*)`text_column`"):
        validated(tmp_path, numbers)
    seconds = [(text, f"{n + 1000}", name) for n, (text, name) in enumerate(ROWS)]
    with pytest.raises(DataError, match="`second_text_column` of mine"):
        validated(tmp_path, seconds, *PAIRS)


def test_one_row_an_annotator_leads_to_merging_the_labels_of_a_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Crowds' files hold each text once an annotator; disputed texts would be lost entirely."""
    other = {"negative": "positive", "positive": "negative"}
    rows = [row for row in ROWS for _ in range(3)]
    rows += [(text, other[name]) for text, name in ROWS[:12]]
    with pytest.raises(DataError, match="copies with different labels: 48") as caught:
        validated(tmp_path, rows)
    assert any(text in caught.value.got for text, _ in ROWS[:12])
    assert "write it once" in caught.value.next_step
    assert "annotations/" in caught.value.next_step
    no_limits = ["validate.max_reject_share=1.0", "validate.max_duplicate_share=1.0"]
    paths = validated(tmp_path, rows, *no_limits)
    assert "48 labelled rows left out: copies with different" in capsys.readouterr().out
    assert "copies with different labels" in (paths.out / "data_card.md").read_text()


def test_rows_that_could_not_be_split_are_refused_here_and_not_after_the_corpus(
    tmp_path: Path,
) -> None:
    """Enough rows of a label, all near copies of one another: they are of one cluster."""
    same = "The same old complaint about the same old film, told at length for the"
    rows = [*ROWS[::2], *((f"{same} {n}th time", "negative") for n in range(60))]
    with pytest.raises(DataError, match="'negative' are near copies of one another: there are 1"):
        validated(tmp_path, rows, "validate.near_duplicate_similarity=0.7")


def written(paths: Paths) -> str:
    """All texts of all tables that validate wrote."""
    tables = [read_table(paths.out / f"{name}.parquet") for name in TABLES]
    columns = [table.get(name, []) for table in tables for name in ("text", "second")]
    return "\n".join(text for column in columns for text in column if text)


def test_personal_data_are_counted_and_kept_by_default(tmp_path: Path) -> None:
    paths = validated(tmp_path, [*ROWS, *WITH_PERSONAL_DATA], corpus=[CORPUS_WITH_PERSONAL_DATA])
    counts = json.loads((paths.out / "report.json").read_text())["personal_data"]
    assert counts["labelled"]["phone"] == 2
    assert counts["corpus"]["email"] == 1
    assert all(value in written(paths) for value in VALUES)
    card = (paths.out / "data_card.md").read_text()
    assert "Personal data in labelled texts, as far as patterns see it: phone in 2.\n" in card


def test_redacted_texts_have_the_kind_in_place_of_each_value_in_every_table(tmp_path: Path) -> None:
    rows = [*ROWS, *WITH_PERSONAL_DATA, ("010-9999-8888 " * 3000, "positive")]
    corpus = [CORPUS_WITH_PERSONAL_DATA, "x" * 20_001 + " hong@naver.com"]
    paths = validated(tmp_path, rows, "validate.personal_data=redact", corpus=corpus)
    texts = written(paths)
    assert "전화는[phone]로 주세요" in texts
    assert "Write to [email] for more of it." in texts
    assert not [value for value in [*VALUES, "010-9999-8888"] if value in texts]
    counts = json.loads((paths.out / "report.json").read_text())["personal_data"]
    assert (counts["labelled"]["phone"], counts["corpus"]["email"]) == (2, 1)
    assert "It was replaced by its kind." in (paths.out / "data_card.md").read_text()


def test_rows_that_differ_in_a_redacted_value_alone_are_copies(tmp_path: Path) -> None:
    rows = [*ROWS, *((f"Ask for me at 010-1234-567{n}, any day.", "positive") for n in range(2))]
    paths = validated(tmp_path, rows, "validate.personal_data=redact")
    assert read_table(paths.out / "rejects.parquet")["reason"] == ["copy of another row"]


def test_refused_personal_data_are_told_by_kind_and_row_and_never_by_value(tmp_path: Path) -> None:
    rows, corpus = [*ROWS, *WITH_PERSONAL_DATA], [CORPUS_WITH_PERSONAL_DATA]
    with pytest.raises(DataError, match="3 rows with personal data") as caught:
        validated(tmp_path, rows, "validate.personal_data=refuse", corpus=corpus)
    message = str(caught.value)
    assert "(email in 1, phone in 2)" in message
    assert record_id("mine", WITH_PERSONAL_DATA[0][0]) in message
    assert not [value for value in VALUES if value in message]
    assert not list((tmp_path / "artifacts" / "validate").glob("*.parquet"))


def test_texts_without_personal_data_are_not_refused(tmp_path: Path) -> None:
    assert (validated(tmp_path, ROWS, "validate.personal_data=refuse").out / "report.json").exists()


def test_both_texts_of_a_pair_are_searched(tmp_path: Path) -> None:
    rows = [*PAIRED, ("Who is it?", "It is 900101-1234568 again.", "positive")]
    paths = validated(tmp_path, rows, *PAIRS, "validate.personal_data=redact")
    assert "It is [resident_number] again." in written(paths)


def test_the_data_card_says_that_there_is_no_corpus(tmp_path: Path) -> None:
    card = (validated(tmp_path, ROWS).out / "data_card.md").read_text()
    assert "120 labelled texts passed its checks. There is no corpus" in card
    assert "corpus texts shared" not in card
    assert "| corpus |" not in card


def test_a_pair_is_judged_by_both_of_its_texts(tmp_path: Path) -> None:
    first, second, name = PAIRED[0]
    rows = [*PAIRED, (first, "ok", "positive"), (first.upper(), second + "!", name)]
    rows += [(first, PAIRED[1][1], name)]
    corpus = [f"Somebody asked: {PAIRED[4][0]}", f"Somebody said: {PAIRED[4][1]}", "Clean enough."]
    paths = validated(tmp_path, rows, *PAIRS, corpus=corpus)
    reasons = sorted(read_table(paths.out / "rejects.parquet")["reason"])
    held = ["holds a labelled text"] * 2
    assert reasons == ["copy of another row", *held, "too short"]
    pairs = {(r.text, r.second) for r in read_records(paths.out / "records.parquet")}
    assert {(first, second), (first, PAIRED[1][1])} <= pairs


def test_swapped_pairs_are_near_copies_of_one_cluster(tmp_path: Path) -> None:
    first, second, name = PAIRED[0]
    paths = validated(tmp_path, [*PAIRED, (second, first, name)], *PAIRS)
    records = read_records(paths.out / "records.parquet")
    assert len({r.cluster for r in records if {r.text, r.second} == {first, second}}) == 1


def test_rows_count_for_each_of_their_labels(tmp_path: Path) -> None:
    paths = validated(tmp_path, SEVERAL, *MULTI_LABEL)
    report = json.loads((paths.out / "report.json").read_text())
    assert report["labels"] == {"a": 60, "b": 30, "c": 30}
    assert "| a | 60 | 50.0% |" in (paths.out / "data_card.md").read_text()


def test_numbers_are_described_and_need_no_balance(tmp_path: Path) -> None:
    paths = validated(tmp_path, NUMBERED, *REGRESSION)
    report = json.loads((paths.out / "report.json").read_text())
    spread = {"least": 0.0, "median": 59.5, "mean": 59.5, "most": 119.0, "different": 120}
    assert report["numbers"] == spread
    assert "| stars | 120 | 0 | 59.5 |" in (paths.out / "data_card.md").read_text()
