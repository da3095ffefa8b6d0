"""modelyard new: files as people have them become product files that a build can start from."""

import csv
import io
import json
import random
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows import cli
from flows.new import Request, make_product
from flows.planning.resolution import Variation, resolved
from pipeline import collect, label, validate
from pipeline.core.errors import DataError, ParameterError, PipelineError
from pipeline.core.files import sha256_file
from pipeline.core.params import Params, parse_yaml
from pipeline.core.paths import Paths
from pipeline.data.records import Record, read_records
from pipeline.text.korean_sentences import KIWI
from tests.support.repository import PARAMS, REPOSITORY

Rows = Sequence[Sequence[Any]]
THINGS = ["kettle", "rucksack", "lamp", "jacket", "headset", "chair", "blender", "tent", "router"]
GOOD = ["works as promised", "feels sturdy", "still looks new", "is quiet", "fits well"]
BAD = ["stopped working", "smells of plastic", "wobbles badly", "leaks a lot", "tore at once"]
KOREAN = [
    "배송이 빨라서 놀랐어요",
    "포장이 꼼꼼해서 믿음이 가요",
    "국물이 식어서 왔어요",
    "전화를 안 받아요",
]


def texts(count: int) -> list[str]:
    """Short texts, no two alike; every second one praises."""
    chance = random.Random(3)  # noqa: S311 - test data, not a secret
    found: dict[str, None] = {}
    while len(found) < count:
        said = (BAD, GOOD)[len(found) % 2]
        one, other = chance.sample(THINGS, 2)
        first, second = chance.sample(said, 2)
        number = chance.randint(10, 9999)
        found[f"Order {number}: the {one} {first}, the {other} {second} after {number} days"] = None
    return [*found]


TEXTS = texts(240)
UNMARKED = [f"{KOREAN[n % 4]} {n}번째 {THINGS[n % 9]} {KOREAN[(n * 7) % 4]}" for n in range(240)]
"""Korean texts of two sentences, the first of which ends without a mark."""
LABELS = ["bad", "good"]
ROWS = [(text, LABELS[number % 2]) for number, text in enumerate(TEXTS)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the tests' recipe and no product of its own."""
    project = tmp_path / "project"
    (project / "data").mkdir(parents=True)
    (project / "annotations").mkdir()
    (project / "params.yaml").write_bytes(PARAMS.read_bytes())
    (project / "products").mkdir()
    for file in REPOSITORY.glob("products/*.yaml"):
        (project / "products" / file.name).write_bytes(file.read_bytes())
    return project


def table(rows: Rows, header: Sequence[str] = ("text", "label"), separator: str = ",") -> str:
    """A CSV."""
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=separator).writerows([header, *rows])
    return stream.getvalue()


def put(folder: Path, name: str, content: str | bytes) -> Path:
    """A file of this content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def never(question: str, guess: str) -> str:
    raise AssertionError(f"asked {question} {guess}")


def made(root: Path, file: Path, **asked: Any) -> dict[str, Any]:
    """The product file that is written for `file`, with nothing asked."""
    request = Request(file=file, out=Path("product.yaml"), **asked)
    out = make_product(root, request, ask=never)
    found: dict[str, Any] = parse_yaml(out.read_text(encoding="utf-8"))
    return found


def collected(root: Path) -> list[Record]:
    """What the data stages read and accept of the product that was written."""
    params = resolved(root, Variation(product="product.yaml"))
    for stage in (collect, validate, label):
        run_stage(stage.run, params, Paths(root=root, stage=stage.__name__.rpartition(".")[2]))
    return read_records(root / "artifacts/label/records.parquet")


def run_stage(run: Any, params: Params, paths: Paths) -> None:
    paths.out.mkdir(parents=True, exist_ok=True)
    run(params, paths)


def test_a_csv_becomes_a_short_product_file_that_the_data_stages_accept(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = put(tmp_path, "My Tickets.csv", table(ROWS))
    before = sha256_file(file)
    assert made(root, file) == {
        "product": {"name": "my-tickets", "labels": ["bad", "good"]},
        "sources": [
            {
                "name": "my-tickets",
                "path": "my-tickets.csv",
                "text_column": "text",
                "label_column": "label",
            }
        ],
    }
    assert len((root / "product.yaml").read_text().splitlines()) <= 15
    assert sha256_file(file) == before == sha256_file(root / "data/my-tickets.csv")
    assert {(r.text, r.label) for r in collected(root)} == set(ROWS)
    said = capsys.readouterr().out
    for part in ("240 rows", "text ", "named like labels", "bad 120 (50%), good 120 (50%)"):
        assert part in said
    for part in ("Latin 100%", "No corpus", "Wrote product.yaml", "Copied"):
        assert part in said


def as_json(rows: Rows) -> str:
    return "\n".join(json.dumps({"text": t, "label": v}, ensure_ascii=False) for t, v in rows)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", table(ROWS, separator=";").encode(), {"separator": ";"}),
        ("a.csv", table(ROWS, separator="\t").encode("utf-16"), {"separator": "\t"}),
        ("a.csv", table(ROWS, separator="|").encode("utf-8-sig"), {"separator": "|"}),
        ("a.tsv", table(ROWS, separator="\t").encode(), {}),
        ("a.txt", table(ROWS, separator="\t").encode(), {"path": "my-product.tsv"}),
        ("a.txt", table(ROWS, separator=";").encode(), {"separator": ";"}),
        ("a.jsonl", as_json(ROWS).encode(), {}),
        ("a.json", json.dumps([{"text": t, "label": v} for t, v in ROWS]).encode(), {}),
        ("a.csv", ("sep=;\r\n" + table(ROWS, separator=";")).encode("cp1252"), {"separator": ";"}),
    ],
)
def test_the_builds_reader_can_read_what_was_found(
    root: Path, tmp_path: Path, name: str, content: bytes, said: dict[str, str]
) -> None:
    [source] = made(root, put(tmp_path, name, content))["sources"]
    assert source | said == source
    assert {(r.text, r.label) for r in collected(root)} == set(ROWS)


@pytest.mark.parametrize(("encoding", "named"), [("cp949", "cp949"), ("utf-16", None)])
def test_korean_in_any_encoding_is_read_and_gets_tokens_that_know_it(
    root: Path, tmp_path: Path, encoding: str, named: str | None
) -> None:
    rows = [(text, ["긍정", "부정"][n % 4 > 1]) for n, text in enumerate(UNMARKED)]
    content = table(rows, ("내용", "분류"), ";").encode(encoding)
    found = made(root, put(tmp_path, "후기.csv", content))
    [source] = found["sources"]
    assert source.get("encoding") == named
    assert (source["separator"], source["text_column"], source["label_column"]) == (
        ";",
        "내용",
        "분류",
    )
    assert found["recipe"] == {
        "prepare.teacher_tokenizer": "student",
        "prepare.tokenizer": "byte_bpe",
        "prepare.vocabulary_size": 4096,
    }
    assert found["product"]["labels"] == ["긍정", "부정"]
    assert {(r.text, r.label) for r in collected(root)} == set(rows)


def test_numbers_and_truth_values_are_labels_in_quotes(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": TEXTS, "label": [n % 3 for n in range(240)]}), path)
    assert made(root, path)["product"]["labels"] == ["0", "1", "2"]
    assert {r.label for r in collected(root)} == {"0", "1", "2"}
    pq.write_table(pa.table({"text": TEXTS, "is_spam": [n % 2 == 0 for n in range(240)]}), path)
    assert made(root, path, force=True)["product"]["labels"] == ["false", "true"]
    assert {r.label for r in collected(root)} == {"false", "true"}
    yes = put(tmp_path, "b.csv", table([(t, ["no", "yes"][n % 2]) for n, t in enumerate(TEXTS)]))
    assert made(root, yes, force=True)["product"]["labels"] == ["no", "yes"]


@pytest.mark.parametrize(
    ("values", "problem", "labels", "source"),
    [
        (["1.0", "2.0"], None, ["1", "2"], {"label_values": {"1.0": "1", "2.0": "2"}}),
        (["Good ", "good", "Bad"], None, ["Bad", "Good"], {}),
        (
            ["price", "price;delivery", ""],
            "multi_label",
            ["delivery", "price"],
            {"label_separator": ";"},
        ),
        ([0.5 * n for n in range(30)], "regression", ["label"], {}),
    ],
)
def test_the_values_say_the_kind_of_problem(
    root: Path,
    tmp_path: Path,
    values: Sequence[Any],
    problem: str | None,
    labels: list[str],
    source: dict[str, Any],
) -> None:
    rows = [(text, values[n % len(values)]) for n, text in enumerate(TEXTS)]
    found = made(root, put(tmp_path, "a.csv", table(rows)))
    assert found["product"].get("problem") == problem
    assert found["product"]["labels"] == labels
    assert found["sources"][0] | source == found["sources"][0]
    assert len(collected(root)) == 240


def test_rows_without_a_label_become_the_corpus(root: Path, tmp_path: Path) -> None:
    rest = [(f"{text} once more", "") for text in texts(460)[240:]]
    labelled, corpus = made(root, put(tmp_path, "a.csv", table([*ROWS, *rest])))["sources"]
    assert "label_column" not in corpus
    assert len(collected(root)) == 240
    assert len(read_records(root / "artifacts/validate/corpus.parquet")) == 220
    assert labelled["path"] != corpus["path"]


@pytest.mark.parametrize(
    ("lines", "labels"),
    [(TEXTS, "good,bad"), ([f"{k}, {n}번째" for n in range(60) for k in KOREAN], "긍정,부정")],
)
def test_texts_that_nobody_has_labelled_become_a_product_with_the_labels_that_are_named(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[str], labels: str
) -> None:
    file = put(tmp_path, "texts.csv", table([[line] for line in lines], header=["body"]))
    request = Request(file=file, out=Path("product.yaml"), labels=labels.split(","))
    make_product(root, request, ask=lambda *_: "")
    params = resolved(root, Variation())
    assert sorted(params.product.labels) == sorted(labels.split(","))
    [source] = params.collect.sources
    assert (source.role, source.text_column, source.label_column) == ("corpus", "body", None)
    assert "no row has one yet" in capsys.readouterr().out


def installed_kiwi(monkeypatch: pytest.MonkeyPatch, *, is_there: bool) -> None:
    """Has Python find the package, or not, whatever is installed."""
    module = ModuleType(KIWI)
    module.__spec__ = ModuleSpec(KIWI, loader=None)
    monkeypatch.setitem(sys.modules, KIWI, module if is_there else None)


@pytest.mark.parametrize("is_there", [True, False], ids=["installed", "not-installed"])
def test_korean_texts_without_marks_are_cut_by_morphemes_where_the_package_is(
    root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    is_there: bool,
) -> None:
    installed_kiwi(monkeypatch, is_there=is_there)
    file = put(tmp_path, "texts.csv", table([[line] for line in UNMARKED], header=["body"]))
    recipe = made(root, file, labels=["긍정", "부정"])["recipe"]
    assert recipe.get("prepare.sentence_ends") == (KIWI if is_there else None)
    said = capsys.readouterr().out
    assert "100% of the corpus texts end a sentence without a mark" in said
    assert ("pip install" in said) is not is_there


@pytest.mark.parametrize("given", ["as-a-file", "rows-without-a-label", "not"])
def test_such_texts_of_a_corpus_count_and_those_with_a_label_do_not(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    installed_kiwi(monkeypatch, is_there=True)
    others = [(f"그런데 {line}", "") for line in UNMARKED]
    more = put(tmp_path, "more.csv", table(others))
    rows = [(line, LABELS[n % 4 > 1]) for n, line in enumerate(UNMARKED)]
    rest = others if given == "rows-without-a-label" else []
    file = put(tmp_path, "a.csv", table([*rows, *rest]))
    found = made(root, file, corpus=more if given == "as-a-file" else None)
    assert ("prepare.sentence_ends" in found["recipe"]) is (given != "not")


def test_of_such_texts_personal_data_are_told_as_well(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"{text}, call 010-1234-{1000 + n}" for n, text in enumerate(TEXTS)]
    file = put(tmp_path, "texts.csv", table([[line] for line in lines], header=["body"]))
    request = Request(file=file, out=Path("product.yaml"), labels=["good", "bad"])
    make_product(root, request, ask=lambda *_: "")
    assert "phone in 240" in capsys.readouterr().out


@pytest.mark.parametrize(
    "other", [{"label": "body"}, {"second": "body"}, {"corpus": Path("c.csv")}]
)
def test_names_of_labels_are_refused_beside_what_says_that_there_are_labels_or_pairs(
    root: Path, tmp_path: Path, other: dict[str, Any]
) -> None:
    file = put(tmp_path, "texts.csv", table([[text] for text in TEXTS], header=["body"]))
    request = Request(file=file, out=Path("product.yaml"), labels=["good", "bad"], **other)
    with pytest.raises(ParameterError, match="--labels together with --"):
        make_product(root, request, ask=lambda *_: "")


def test_without_names_of_labels_such_a_file_is_refused_with_the_flag_that_gives_them(
    root: Path, tmp_path: Path
) -> None:
    file = put(tmp_path, "texts.csv", table([[text] for text in TEXTS], header=["body"]))
    with pytest.raises(DataError, match="--labels complaint,question"):
        make_product(root, Request(file=file, out=Path("product.yaml")), ask=lambda *_: "")


@pytest.mark.parametrize("labels", [["good"], ["good", "good"], ["good", ""]])
def test_names_of_labels_that_make_no_product_are_refused(
    root: Path, tmp_path: Path, labels: list[str]
) -> None:
    file = put(tmp_path, "texts.csv", table([[text] for text in TEXTS], header=["body"]))
    with pytest.raises(DataError, match="two names or more"):
        make_product(
            root, Request(file=file, out=Path("product.yaml"), labels=labels), ask=lambda *_: ""
        )
    assert not (root / "product.yaml").exists()


def test_a_second_file_is_the_corpus(root: Path, tmp_path: Path) -> None:
    more = put(
        tmp_path,
        "archive.tsv",
        "date\ttext\n" + "".join(f"1\tWords {n} of mine\n" for n in range(9)),
    )
    _, corpus = made(root, put(tmp_path, "a.csv", table(ROWS)), corpus=more)["sources"]
    assert (corpus["path"], corpus["text_column"]) == ("archive.tsv", "text")
    assert "label_column" not in corpus
    assert len(collected(root)) == 240


def test_pairs_are_made_of_two_columns_by_their_names_or_on_request(
    root: Path, tmp_path: Path
) -> None:
    rows = [(text, TEXTS[-n], LABELS[n % 2]) for n, text in enumerate(TEXTS)]
    named = put(tmp_path, "a.csv", table(rows, ("premise", "hypothesis", "label")))
    found = made(root, named)
    assert found["product"]["pairs"] is True
    assert found["sources"][0]["second_text_column"] == "hypothesis"
    assert all(record.second for record in collected(root))
    asked = put(tmp_path, "b.csv", table(rows, ("question", "answer", "label")))
    assert "pairs" not in made(root, asked, force=True)["product"]
    found = made(root, asked, force=True, second="answer")
    assert (
        found["sources"][0] | {"text_column": "question", "second_text_column": "answer"}
        == found["sources"][0]
    )


@pytest.mark.parametrize(
    ("rows", "recipe"),
    [
        ([*ROWS, *ROWS[:40]], {"validate.max_duplicate_share": 0.15}),
        ([*ROWS, *[("??", "good")] * 40], {"validate.max_reject_share": 0.15}),
        (
            [*ROWS[:200], *((t, "other") for t, _ in ROWS[200:212])],
            {"validate.min_rows_per_label": 12},
        ),
        (
            [*((t, "ok") for t, _ in ROWS[:228]), *((t, "bad") for t, _ in ROWS[228:])],
            {
                "validate.min_rows_per_label": 12,
                "validate.max_label_share": 0.96,
                "finetune.class_weights": "balanced",
            },
        ),
    ],
)
def test_what_a_limit_would_stop_is_in_the_recipe_with_its_reason(
    root: Path, tmp_path: Path, rows: Rows, recipe: dict[str, Any]
) -> None:
    found = made(root, put(tmp_path, "a.csv", table(rows)))["recipe"]
    assert found | recipe == found
    assert found.keys() - recipe.keys() <= {"prepare.salt"}
    lines = (root / "product.yaml").read_text().partition("recipe:\n")[2].splitlines()
    assert all("  # " in line for line in lines)
    assert collected(root)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", "text,label\n", "has no rows"),
        ("a.xlsx", b"PK\x03\x04", "CSV UTF-8"),
        ("a.csv", b"PK\x03\x04", "CSV UTF-8"),
        ("a.csv", table([(n, n % 2) for n in range(200)]), "no column that looks like texts"),
        ("a.csv", table([(t,) for t in TEXTS], ["text"]), "no column that looks like labels"),
        ("a.csv", table([(t, "ok") for t in TEXTS]), "every row has the same label in label: ok"),
        (
            "a.csv",
            table([(t, f"case {n}") for n, t in enumerate(TEXTS)]),
            "240 different labels in 240",
        ),
        ("a.csv", table(ROWS[:30]), "30 usable rows in all"),
        ("a.csv", table([*ROWS, ("One more", "odd")]), "label 'odd' has 1 usable rows"),
        ("a.csv", table([(t, f"{n},5") for n, t in enumerate(TEXTS)]), "a decimal comma"),
        (
            "a.csv",
            table([(TEXTS[n % 60], LABELS[n // 60 % 2]) for n in range(240)]),
            "equal texts have different labels",
        ),
    ],
)
def test_a_file_that_nothing_can_be_learned_from_is_one_message_and_leaves_nothing_behind(
    root: Path, tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        made(root, put(tmp_path, name, content))
    assert message in str(caught.value)
    assert not (root / "product.yaml").exists()
    assert list((root / "data").iterdir()) == []


def test_a_product_file_is_not_overwritten_unless_asked(root: Path, tmp_path: Path) -> None:
    file = put(tmp_path, "a.csv", table(ROWS))
    (root / "product.yaml").write_text("mine")
    with pytest.raises(ParameterError, match="--force"):
        made(root, file)
    assert (root / "product.yaml").read_text() == "mine"
    assert made(root, file, force=True, name="triage")["product"]["name"] == "triage"


def test_a_file_below_data_stays_where_it_is_and_one_of_the_same_name_gets_a_number(
    root: Path, tmp_path: Path
) -> None:
    (root / "data/old").mkdir()
    inside = put(root / "data/old", "Mine Own.csv", table(ROWS))
    assert made(root, inside)["sources"][0]["path"] == "old/Mine Own.csv"
    put(root / "data", "tickets.csv", "something else")
    outside = put(tmp_path, "tickets.csv", table(ROWS))
    for _ in range(2):  # the same file is not copied twice
        assert made(root, outside, force=True)["sources"][0]["path"] == "tickets-2.csv"


def test_flags_name_columns_and_a_wrong_one_is_told_with_the_nearest(
    root: Path, tmp_path: Path
) -> None:
    rows = [(t, LABELS[n % 2], LABELS[n % 3 == 0]) for n, t in enumerate(TEXTS)]
    file = put(tmp_path, "a.csv", table(rows, ("note", "label", "urgent")))
    [source] = made(root, file, label="urgent", text="note")["sources"]
    assert (source["text_column"], source["label_column"]) == ("note", "urgent")
    with pytest.raises(DataError, match="did you mean `--label urgent`"):
        made(root, file, label="urgnet", force=True)


def test_a_person_sees_the_columns_and_is_asked_three_questions_each_with_its_guess(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: dict[str, str] = {}
    seen: list[str] = []

    def answer(question: str, guess: str) -> str:
        asked[question] = guess
        seen.append(capsys.readouterr().out)
        return {"Name of the product": "mine"}.get(question, guess)

    request = Request(
        file=put(tmp_path, "a b.csv", table(ROWS)), out=Path("product.yaml"), asks=True
    )
    make_product(root, request, ask=answer)
    assert [*asked.values()] == ["text", "label", "a-b"]
    assert "  text " in seen[0]
    assert "  label " in seen[0]
    assert parse_yaml((root / "product.yaml").read_text())["product"]["name"] == "mine"


def test_the_verb_prints_the_next_command_and_without_a_terminal_says_which_flags_to_give(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    file = str(put(tmp_path, "a.csv", table(ROWS)))
    assert cli.main(["new", file]) == 1
    assert "--yes" in capsys.readouterr().err
    assert cli.main(["new", file, "--yes", "--out", "mine.yaml", "--name", "mine"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("make pipeline PRODUCT=mine.yaml")
    with pytest.raises(PipelineError):
        resolved(root, Variation(product="other.yaml"))
    assert resolved(root, Variation(product="mine.yaml")).product.name == "mine"
