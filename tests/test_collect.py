"""collect, on files written here: what it takes, and each bad input with its one message."""

import gzip
import json
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.collect import run
from pipeline.core.disk import DiskFullError
from pipeline.core.errors import DataError, ParameterError
from pipeline.core.files import sha256_file, sha256_tree
from pipeline.core.params import Params, override, parse_params
from pipeline.core.paths import Paths
from pipeline.data.records import Record, read_records, record_id
from tests.support.problems import MULTI_LABEL, PAIRS, REGRESSION
from tests.support.repository import parameter_values
from tests.support.small_disk import small_disk

CSV = 'text,label\n"A fine, warm film",1\nDull.,0\n"He said ""no""\nand left",0\n'
NO_LABELS: dict[str, Any] = {"label_column": None, "label_values": {}}


def source(**changes: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(("package", "sha256", "second_text_column", "label_separator")),
        "name": "mine",
        "kind": "file",
        "path": "reviews.csv",
        "role": "labelled",
        "where": {},
        "text_column": "text",
        "label_column": "label",
        "label_values": {"0": "negative", "1": "positive"},
        "licence": "CC0-1.0",
        **changes,
    }


def params(
    *sources: dict[str, Any], max_rows: int | None = None, changes: Sequence[str] = ()
) -> Params:
    values = override(parameter_values(), changes)
    values["collect"] = {"sources": list(sources), "max_rows_per_source": max_rows}
    return parse_params(values)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = Paths(root=tmp_path, stage="collect")
    found.data.mkdir()
    (found.data / "reviews.csv").write_text(CSV, encoding="utf-8")
    return found


def collected(
    paths: Paths, *sources: dict[str, Any], max_rows: int | None = None, changes: Sequence[str] = ()
) -> list[Record]:
    run(params(*sources, max_rows=max_rows, changes=changes), paths)
    return read_records(paths.out / "records.parquet")


def refused(paths: Paths, *sources: dict[str, Any], changes: Sequence[str] = ()) -> str:
    with pytest.raises(DataError) as caught:
        run(params(*sources, changes=changes), paths)
    assert not (paths.out / "records.parquet").exists()
    return str(caught.value)


def test_rows_that_may_not_be_used_are_left_out_and_counted(paths: Paths) -> None:
    lines = ["text,label,terms,agreed", "Fine,1,MIT,yes", "Dull,0,,yes", "Slow,0,MIT,no"]
    lines += ["Warm,1,GPL-3.0-only,yes"]
    (paths.data / "reviews.csv").write_text("\n".join(lines), encoding="utf-8")
    rights = {"licence": "terms", "consent": "agreed"}
    found = collected(paths, source(rights=rights))
    assert {record.text for record in found} == {"Fine", "Dull"}
    [entry] = json.loads((paths.out / "manifest.json").read_text())["sources"]
    assert entry["rows"] == 2
    assert entry["rights"]["licences"] == {"CC0-1.0": 1, "MIT": 1}
    assert entry["rights"]["left_out"] == {
        "consent refused or withdrawn": 1,
        "licence GPL-3.0-only is not allowed": 1,
    }


def test_a_source_of_which_no_row_may_be_used_is_refused(paths: Paths) -> None:
    text = "text,label,agreed\nFine,1,no\nDull,0,\n"
    (paths.data / "reviews.csv").write_text(text, encoding="utf-8")
    message = refused(paths, source(rights={"consent": "agreed"}))
    assert "no row to read" in message
    assert "consent refused or withdrawn" in message


def test_a_csv_becomes_records_and_a_manifest(paths: Paths) -> None:
    metrics = run(params(source()), paths)
    records = read_records(paths.out / "records.parquet")
    assert {(r.text, r.label) for r in records} == {
        ("A fine, warm film", "positive"),
        ("Dull.", "negative"),
        ('He said "no"\nand left', "negative"),
    }
    assert metrics["headline"] == "3 labelled, 0 corpus rows"
    [entry] = json.loads((paths.out / "manifest.json").read_text())["sources"]
    assert entry["sha256"] == sha256_file(paths.data / "reviews.csv")
    assert (entry["origin"], entry["waiver"], entry["rows"]) == ("data/reviews.csv", None, 3)


def test_one_line_says_that_there_is_no_corpus(
    paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    run(params(source()), paths)
    [line] = [line for line in capsys.readouterr().out.splitlines() if "corpus" in line]
    assert "would make it better" in line
    (paths.data / "more.csv").write_text("text\nOther words.\n")
    run(params(source(), source(name="more", path="more.csv", role="corpus", **NO_LABELS)), paths)
    assert "corpus" not in capsys.readouterr().out


def test_the_same_text_twice_has_two_ids_and_the_first_keeps_its_own(paths: Paths) -> None:
    before = {record.id for record in collected(paths, source())}
    (paths.data / "reviews.csv").write_text(CSV + "Dull.,0\n")
    after = {record.id for record in collected(paths, source())}
    assert before < after
    assert len(after) == 4


def test_rows_are_chosen_by_hash_so_a_larger_choice_holds_the_smaller(paths: Paths) -> None:
    lines = [f"text number {i},{i % 2}" for i in range(40)]
    chosen = []
    for order, most in ((lines, 5), (lines[::-1], 5), (lines, 15)):
        (paths.data / "reviews.csv").write_text("\n".join(["text,label", *order]))
        chosen.append({record.text for record in collected(paths, source(), max_rows=most)})
    assert chosen[0] == chosen[1]
    assert chosen[0] < chosen[2]
    assert [len(texts) for texts in chosen] == [5, 5, 15]


def test_where_keeps_only_the_named_rows_and_a_corpus_needs_no_label(paths: Paths) -> None:
    (paths.data / "all.tsv").write_text("text\torigin\nOne\ta\nTwo\tb\n")
    corpus = source(name="other", path="all.tsv", role="corpus", **NO_LABELS)
    run(params(source(), corpus | {"where": {"origin": "b"}}), paths)
    assert [r.text for r in read_records(paths.out / "corpus.parquet")] == ["Two"]


def test_texts_without_any_label_are_a_corpus_until_people_label_them(
    paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = run(params(source(role="corpus", **NO_LABELS)), paths)
    assert metrics["headline"] == "0 labelled, 3 corpus rows"
    assert "no row has a label yet" in capsys.readouterr().out


@pytest.mark.parametrize(("changes", "given"), [([], "1"), (REGRESSION, "4.5")])
def test_a_source_may_be_labelled_in_part(
    paths: Paths, capsys: pytest.CaptureFixture[str], changes: list[str], given: str
) -> None:
    lines = ["text,label", f"First,{given}", "Second,", "Third,  ", f"Fourth,{given}", "Fifth,nan"]
    (paths.data / "reviews.csv").write_text("\n".join(lines))
    values = {} if changes else {"0": "negative", "1": "positive"}
    rows = collected(paths, source(label_values=values), changes=changes)
    assert {row.text for row in rows} == {"First", "Fourth"}
    others = read_records(paths.out / "corpus.parquet")
    assert {(row.text, row.label) for row in others} == {
        (text, None) for text in ("Second", "Third", "Fifth")
    }
    assert "mine: 5 rows, 3 of them without a label" in capsys.readouterr().out


def test_an_empty_cell_is_a_label_where_it_stands_for_one_or_for_none_of_several(
    paths: Paths,
) -> None:
    (paths.data / "reviews.csv").write_text("text,label\nFirst,1\nSecond,\n")
    named = source(label_values={"": "negative", "1": "positive"})
    assert {row.label for row in collected(paths, named)} == {"negative", "positive"}
    (paths.data / "reviews.csv").write_text("text,label\nFirst,a\nSecond,\n")
    several = source(label_values={}, label_separator="|")
    assert {row.label for row in collected(paths, several, changes=MULTI_LABEL)} == {"a", ""}


@pytest.mark.parametrize("path", ["../secret.csv", "/etc/hostname", "sub/../../secret.csv"])
def test_a_path_out_of_data_is_refused(paths: Paths, path: str) -> None:
    (paths.root / "secret.csv").write_text(CSV)
    assert "leaves data/" in refused(paths, source(path=path))


def test_a_linked_file_is_read(paths: Paths) -> None:
    (paths.root / "archive").mkdir()
    (paths.root / "archive" / "reviews.csv").write_text(CSV)
    (paths.data / "linked.csv").symlink_to("../archive/reviews.csv")
    assert collected(paths, source(path="linked.csv"))


def test_a_linked_folder_in_data_is_refused_for_dvc_does_not_look_into_it(paths: Paths) -> None:
    (paths.root / "archive").mkdir()
    (paths.root / "archive" / "reviews.csv").write_text(CSV)
    (paths.data / "old").symlink_to("../archive")
    assert "is a link to a folder" in refused(paths, source(path="old/reviews.csv"))


NUMBER = "(?s:.*)a finite number, the stars of the row"
PACKAGE = {"kind": "package", "sha256": "0" * 64}


@pytest.mark.parametrize(
    ("mine", "changes", "message"),
    [
        (source(package="no-such-package-here", **PACKAGE), [], "pip install no-such-package-here"),
        # a file of an installed package is read without importing it
        (source(package="pyyaml", path="yaml/__init__.py", **PACKAGE), [], "has sha256"),
        (source(package="pyyaml", path="yaml/no.csv", **PACKAGE), [], "has no yaml/no.csv"),
        (source(path="revews.csv"), [], r"data/revews\.csv(?s:.*)expected(?s:.*)reviews\.csv"),
        (source(label_column="lable"), [], "text, label(?s:.*)did you mean `label`"),
        (source(label_values={"0": "negative", "1": "great"}), [], "stands for 'great'"),
        (source(licence="unknown"), [], r"licence_waivers\.mine"),
        (source(licence="MTI"), [], r"did you mean MIT\?(?s:.*)licence_waivers\.mine"),
        (source(licence="MIT AND GPL-3.0-only"), [], r"licence_waivers\.mine"),
        (source(where={"label": "9"}), [], "no row"),
        (source(second_text_column="answer"), PAIRS, "no column 'answer'"),
    ],
)
def test_a_source_that_cannot_be_used_is_refused_with_its_reason(
    paths: Paths, mine: dict[str, Any], changes: list[str], message: str
) -> None:
    assert re.search(message, refused(paths, mine, changes=changes))


@pytest.mark.parametrize(
    ("rows", "mine", "changes", "message"),
    [
        ("Good,1\nOdd,7\n", source(), [], "'7'"),
        ("A,a\nB,a|z\n", source(label_values={}, label_separator="|"), MULTI_LABEL, "'z'"),
        *(
            (f"A,3\nB,{value}\n", source(label_values={}), REGRESSION, f"{value!r}{NUMBER}")
            for value in ("many", "-inf")
        ),
    ],
)
def test_a_label_that_is_none_of_the_products_is_named_with_its_row(
    paths: Paths, rows: str, mine: dict[str, Any], changes: list[str], message: str
) -> None:
    (paths.data / "reviews.csv").write_text("text,label\n" + rows)
    pattern = f"line 3: the label value {message}"
    assert re.search(pattern, refused(paths, mine, changes=changes))


def test_another_hash_is_refused_before_the_file_is_parsed(paths: Paths) -> None:
    (paths.data / "reviews.csv").write_bytes(b"\xff not even text")
    assert "has sha256" in refused(paths, source(sha256="0" * 64))


def test_a_file_of_two_sources_has_to_have_the_hash_that_each_of_them_names(paths: Paths) -> None:
    right = sha256_file(paths.data / "reviews.csv")
    assert len(collected(paths, source(sha256=right), source(name="b", sha256=right))) == 6
    (paths.out / "records.parquet").unlink()
    assert "source b" in refused(paths, source(sha256=right), source(name="b", sha256="0" * 64))


def test_a_waiver_by_name_is_recorded(paths: Paths) -> None:
    run(params(source(name="imdb", licence="unknown")), paths)
    [entry] = json.loads((paths.out / "manifest.json").read_text())["sources"]
    assert "demonstration" in entry["waiver"]


def test_texts_of_ones_own_need_no_waiver_whatever_is_allowed(paths: Paths) -> None:
    own = {key: value for key, value in source().items() if key != "licence"}
    nothing = ["product.requirements.allowed_licences=[]"]
    assert len(collected(paths, own, changes=nothing)) == 3
    [entry] = json.loads((paths.out / "manifest.json").read_text())["sources"]
    assert (entry["licence"], entry["waiver"]) == ("own", None)
    assert "`own`" in refused_licence(paths, nothing)


def test_a_licence_of_several_is_allowed_where_each_of_them_is(paths: Paths) -> None:
    assert collected(paths, source(licence="mit AND CC-BY-4.0"))
    [entry] = json.loads((paths.out / "manifest.json").read_text())["sources"]
    assert (entry["licence"], entry["waiver"]) == ("mit AND CC-BY-4.0", None)


def refused_licence(paths: Paths, changes: Sequence[str]) -> str:
    (paths.out / "records.parquet").unlink()
    return refused(paths, source(licence="CC0-1.0"), changes=changes)


def test_two_sources_of_one_name_and_text_are_refused(paths: Paths) -> None:
    assert "occurs 2 times" in refused(paths, source(), source())


def test_two_sources_of_one_name_may_hold_different_rows(paths: Paths) -> None:
    (paths.data / "more.csv").write_text("text,label\nOther words.,1\n")
    records = collected(paths, source(), source(path="more.csv"))
    assert [record.source for record in records] == ["mine"] * 4
    assert [record.text for record in records][-1] == "Other words."


def test_a_table_has_the_rows_of_source_after_source_each_by_id(paths: Paths) -> None:
    records = collected(paths, source(name="z"), source(name="a"))
    assert [record.source for record in records] == ["z"] * 3 + ["a"] * 3
    for part in (records[:3], records[3:]):
        assert [row.id for row in part] == sorted(row.id for row in part)


def test_nothing_but_the_tables_is_left_also_of_a_stage_that_was_killed_or_refused(
    paths: Paths,
) -> None:
    (paths.out / ".unsorted.part" / "0").mkdir(parents=True)
    refused(paths, source(), source())
    assert [*paths.out.iterdir()] == []
    (paths.out / ".unsorted.part" / "0").mkdir(parents=True)
    collected(paths, source(), max_rows=1)
    names = ["corpus.parquet", "manifest.json", "records.parquet"]
    assert sorted(entry.name for entry in paths.out.iterdir()) == names


def test_a_pair_has_a_second_text_and_an_id_of_both(paths: Paths) -> None:
    (paths.data / "reviews.csv").write_text("text,answer,label\nA,B,1\nA,C,0\nA,B,1\n")
    records = collected(paths, source(second_text_column="answer"), changes=PAIRS)
    assert sorted((r.text, r.second) for r in records) == [("A", "B"), ("A", "B"), ("A", "C")]
    first = record_id("mine", "A", second="B")
    assert {r.id for r in records} > {first, record_id("mine", "A", second="B", copy=1)}
    assert len({r.id for r in records} | {record_id("mine", "A")}) == 4


def test_ids_of_single_texts_are_those_of_earlier_versions() -> None:
    assert record_id("mine", "Dull.") == "6c747d50cb40e2b4"
    assert record_id("mine", "Dull.", copy=1) == "c4fc8c354c6ad4e5"


def test_labels_of_a_row_come_in_the_order_of_the_product(paths: Paths) -> None:
    (paths.data / "reviews.csv").write_text("text,label\nA,b; a ;b\nB,\nC,c")
    mine = source(label_values={}, label_separator=";")
    found = {r.text: r.label for r in collected(paths, mine, changes=MULTI_LABEL)}
    assert found == {"A": "a|b", "B": "", "C": "c"}


def test_lists_of_labels_in_json_lines_need_no_separator_in_the_file(paths: Paths) -> None:
    (paths.data / "reviews.jsonl").write_text('{"text": "A", "label": ["c", "a"]}\n')
    mine = source(path="reviews.jsonl", label_values={}, label_separator="|")
    assert [r.label for r in collected(paths, mine, changes=MULTI_LABEL)] == ["a|c"]


def test_numbers_are_read_in_one_form(paths: Paths) -> None:
    (paths.data / "reviews.csv").write_text("text,label\nA,3\nB,-1.50\nC,2e1\n")
    mine = source(label_values={})
    found = {r.text: r.label for r in collected(paths, mine, changes=REGRESSION)}
    assert found == {"A": "3.0", "B": "-1.5", "C": "20.0"}


def test_a_list_of_one_label_is_that_label(paths: Paths) -> None:
    (paths.data / "reviews.jsonl").write_text('{"text": "A", "label": ["1"]}\n')
    assert [r.label for r in collected(paths, source(path="reviews.jsonl"))] == ["positive"]


@pytest.mark.parametrize("value", ["1|0", "1; 0", '"[""1"", ""0""]"'])
def test_several_labels_in_a_product_of_one_label_are_refused_with_the_way_out(
    paths: Paths, value: str
) -> None:
    (paths.data / "reviews.csv").write_text(f"text,label\nGood,1\nBoth,{value}\n")
    message = refused(paths, source())
    for said in (
        "line 3: several labels in one row (1, 0)",
        "problem: multi_label",
        "label_separator",
    ):
        assert said in message


@pytest.mark.parametrize(
    ("mine", "changes", "message"),
    [
        (source(), PAIRS, "`second_text_column`, for product.pairs"),
        (source(second_text_column="label"), [], "no `second_text_column`, for a product of"),
        (source(), MULTI_LABEL, "`label_separator` for multi_label"),
        (source(label_separator="|"), [], "none for other problems"),
    ],
)
def test_columns_that_do_not_fit_the_product_are_refused_before_any_file_is_read(
    mine: dict[str, Any], changes: list[str], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        params(mine, changes=changes)


def test_names_and_labels_from_a_mac_are_those_of_the_product_file(paths: Paths) -> None:
    def parts(text: str) -> str:
        return unicodedata.normalize("NFD", text)

    rows = f"좋아요,{parts('긍정')},{parts('서울')}\n나빠요,부정,서울\n멀어요,부정,부산\n"
    header = ",".join(map(parts, ("본문", "감정", "도시")))
    (paths.data / parts("후기.csv")).write_text(f"{header}\n{rows}", encoding="utf-8")
    mine = source(
        path="후기.csv",
        text_column="본문",
        label_column="감정",
        label_values={},
        where={"도시": "서울"},
    )
    records = collected(paths, mine, changes=["product.labels=[부정, 긍정]"])
    assert {(record.text, record.label) for record in records} == {
        ("좋아요", "긍정"),
        ("나빠요", "부정"),
    }


def test_a_packed_file_and_a_folder_of_parts_are_sources(paths: Paths) -> None:
    (paths.data / "reviews.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    assert len(collected(paths, source(path="reviews.csv.gz"))) == 3
    (paths.data / "parts.parquet").mkdir()
    for number, text in enumerate(("Good.", "Bad.")):
        part = pa.table({"text": [text], "label": [number]})
        pq.write_table(part, paths.data / "parts.parquet" / f"part-{number}.parquet")
    assert len(collected(paths, source(path="parts.parquet"))) == 2


def test_a_folder_that_datasets_saved_is_a_source_and_one_of_several_is_asked_for(
    paths: Paths,
) -> None:
    labels = datasets.ClassLabel(names=["negative", "positive"])
    features = datasets.Features({"text": datasets.Value("string"), "label": labels})
    made = datasets.Dataset.from_dict({"text": ["A", "B"], "label": [1, 0]}, features=features)
    datasets.DatasetDict(train=made, test=made).save_to_disk(str(paths.data / "saved"))
    records = collected(paths, source(path="saved/train", label_values={}))
    assert {(record.text, record.label) for record in records} == {
        ("A", "positive"),
        ("B", "negative"),
    }
    [entry] = json.loads((paths.out / "manifest.json").read_text())["sources"]
    assert entry["sha256"] == sha256_tree(paths.data / "saved" / "train")
    (paths.out / "records.parquet").unlink()
    assert "path: saved/train" in refused(paths, source(path="saved", label_values={}))


@pytest.mark.parametrize("value", ["1_000", "１２", "4,5"])
def test_a_number_is_written_with_digits_and_a_point(paths: Paths, value: str) -> None:
    (paths.data / "reviews.csv").write_text(f'text,label\nA,3\nB,"{value}"\n', encoding="utf-8")
    told = refused(paths, source(label_values={}), changes=REGRESSION)
    assert f"line 3: the label value {value!r}" in told


def test_an_empty_separator_of_labels_is_one_message() -> None:
    with pytest.raises(ParameterError, match="label_separator"):
        params(source(label_values={}, label_separator=""), changes=MULTI_LABEL)


def test_a_full_disk_is_one_message_that_counts_what_collect_itself_held(
    paths: Paths, tmp_path: Path
) -> None:
    lines = [f"text number {number} {'x' * 200},1" for number in range(4_000)]
    (paths.data / "reviews.csv").write_text("\n".join(["text,label", *lines]))
    with small_disk(paths.out, kilobytes=600):
        with pytest.raises(DiskFullError) as caught:
            run(params(source()), paths)
        assert [*paths.out.iterdir()] == []
        told = re.search(r"([\d,]+) bytes are free", str(caught.value))
    assert told is not None
    assert int(told[1].replace(",", "")) > 500_000
