"""A batch answers as the server does, loses no row, survives a kill, and mixes nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.batch.batch_run import BatchRequest, run_batch
from pipeline.core.errors import ArtifactError, BusyError, DataError
from pipeline.core.file_lock import try_lock
from pipeline.core.files import sha256_file
from pipeline.problem.decision import Decision
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.text_model import TextModel
from tests.support.repository import REPOSITORY
from tests.support.tiny_bundle import make_tiny_bundle, tiny_task

TEXTS = (
    "a warm funny film",
    "the awful dull film",
    "not  bad<br />&amp; good",
    "the film " * 20,
    "bad good awful",
)
ROWS = 9_000


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    make_tiny_bundle(folder, task=tiny_task(decision=Decision(None, 0.7)))
    return folder


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of several parts."""
    path = tmp_path_factory.mktemp("many") / "many.csv"
    lines = [f"{number},{TEXTS[number % 5]} {number % 7}" for number in range(ROWS)]
    path.write_text("\n".join(["id,text", *lines]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(many: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> BatchRequest:
    """A batch of that file that ran without a stop."""
    output = tmp_path_factory.mktemp("whole") / "out.parquet"
    request = requested(many, output, bundle)
    assert run_batch(request).answered == ROWS
    return request


def requested(source: Path, output: Path, bundle: Path, **options: Any) -> BatchRequest:
    options = {"texts": [("text",), ("text", "second")], **options}
    return BatchRequest(source=source, output=output, bundle=bundle, **options)


def written(path: Path, rows: Iterable[object]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def model_of(bundle: Path) -> TextModel:
    return TextModel.from_bundle(open_bundle(bundle))


def test_every_answer_is_the_one_that_the_server_gives_to_the_text(
    whole: BatchRequest, bundle: Path
) -> None:
    table = pq.read_table(whole.output)
    some = table.slice(4_000, 300).to_pylist()
    expected = model_of(bundle).predict([row["text"] for row in some])
    for row, answer in zip(some, expected, strict=True):
        assert row["label"] == answer.label
        assert row["probability"] == answer.probability
        assert row["probabilities"] == answer.probabilities
        assert row["abstained"] == answer.abstained
        assert row["truncated"] == answer.truncated
        assert row["error"] is None


def test_every_row_stands_once_and_in_its_place_with_the_columns_it_had(
    whole: BatchRequest,
) -> None:
    table = pq.read_table(whole.output, columns=["id"])
    assert table["id"].to_pylist() == [str(number) for number in range(ROWS)]
    assert pq.read_schema(whole.output).names[:2] == ["id", "text"]
    assert not whole.parts.exists()


def test_the_receipt_says_by_which_bundle_and_of_which_file(whole: BatchRequest) -> None:
    receipt = json.loads(whole.receipt.read_text(encoding="utf-8"))
    assert receipt["bundle"] == open_bundle(whole.bundle).hash
    assert receipt["input_sha256"] == sha256_file(whole.source)
    assert receipt["output_sha256"] == sha256_file(whole.output)
    assert (receipt["rows"], receipt["errors"]) == (ROWS, 0)


def test_the_same_command_again_answers_nothing_again(whole: BatchRequest) -> None:
    before = whole.output.stat().st_ino
    assert run_batch(whole).answered == 0
    assert whole.output.stat().st_ino == before


@pytest.mark.parametrize("problem", ["multi_label", "regression"])
def test_each_kind_of_problem_answers_as_the_server_does(problem: str, tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle", task=tiny_task(problem))
    source = written(tmp_path / "in.jsonl", [{"text": text} for text in TEXTS])
    run_batch(requested(source, tmp_path / "out.jsonl", tmp_path / "bundle"))
    for row, answer in zip(
        lines(tmp_path / "out.jsonl"), model_of(tmp_path / "bundle").predict(TEXTS), strict=True
    ):
        for column in ("labels", "value", "probabilities"):
            assert row.get(column) == getattr(answer, column)


def test_pairs_are_read_from_two_columns(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle", task=tiny_task(pairs=True))
    source = written(tmp_path / "in.jsonl", [{"text": "the film", "second": t} for t in TEXTS])
    run_batch(requested(source, tmp_path / "out.jsonl", tmp_path / "bundle"))
    expected = model_of(tmp_path / "bundle").predict([("the film", text) for text in TEXTS])
    assert [row["label"] for row in lines(tmp_path / "out.jsonl")] == [a.label for a in expected]


def test_a_row_without_an_answer_says_why_and_is_not_lost(bundle: Path, tmp_path: Path) -> None:
    texts = ["good", "", " \n", None, "<br />", "\ud800", "x" * 1_000_001, ["good"], 7, "bad"]
    source = written(
        tmp_path / "in.jsonl", [*({"n": n, "text": t} for n, t in enumerate(texts)), {}]
    )
    result = run_batch(requested(source, tmp_path / "out.jsonl", bundle))
    rows = lines(tmp_path / "out.jsonl")
    assert [row.get("n") for row in rows] == [*range(len(texts)), None]
    assert [row["label"] is None for row in rows] == [row["error"] is not None for row in rows]
    told = [row["error"] for row in rows]
    assert [told[0], told[8], told[9]] == [None, None, None]
    assert told[1] == told[2] == told[3] == told[10] == "an empty text in 'text'"
    assert told[4] == "a text of which nothing is left without its markup and white space"
    assert "half of a character" in told[5]
    assert "1,000,001 bytes" in told[6]
    assert "a list" in told[7]
    assert (result.rows, result.errors) == (11, 8)


def test_a_killed_batch_goes_on_and_gives_the_bytes_of_one_that_ran_through(
    whole: BatchRequest, tmp_path: Path
) -> None:
    request = replace(whole, output=tmp_path / "out.parquet")
    killed(request, after_parts=1)
    assert not request.output.exists()
    result = run_batch(request)
    assert 0 < result.answered < ROWS
    assert sha256_file(request.output) == sha256_file(whole.output)


@pytest.mark.soak
@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_killed_at_ten_random_moments_the_output_is_that_of_a_clean_run(
    whole: BatchRequest, tmp_path: Path, suffix: str
) -> None:
    clean = replace(whole, output=tmp_path / f"clean{suffix}")
    started = time.monotonic()
    run_batch(clean)
    seconds = time.monotonic() - started
    request, chance = replace(clean, output=tmp_path / f"out{suffix}"), Random(7)  # noqa: S311
    for _ in range(10):
        process = begun(request)
        time.sleep(1.5 * seconds * chance.random())
        process.kill()
        process.wait()
    run_batch(request)
    assert sha256_file(request.output) == sha256_file(clean.output)
    assert not request.parts.exists()


def test_processes_that_answer_end_with_the_one_that_was_killed(
    whole: BatchRequest, tmp_path: Path
) -> None:
    killed(replace(whole, output=tmp_path / "out.parquet"), after_parts=1)
    deadline = time.monotonic() + 20
    while (left := answering(str(whole.bundle))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def test_a_file_that_changed_is_not_gone_on_with(whole: BatchRequest, tmp_path: Path) -> None:
    source = Path(shutil.copy(whole.source, tmp_path / "in.csv"))
    request = replace(whole, source=source, output=tmp_path / "out.csv")
    killed(request, after_parts=1)
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("0,a warm", "0,a cold", 1), encoding="utf-8")
    with pytest.raises(DataError, match="has changed since the batch began"):
        run_batch(request)
    source.write_text(text, encoding="utf-8")
    assert run_batch(request).rows == ROWS


def test_another_bundle_goes_on_with_nothing_and_starts_over_only_where_asked(
    whole: BatchRequest, tmp_path: Path
) -> None:
    make_tiny_bundle(tmp_path / "other", seed=5)
    request = replace(whole, output=tmp_path / "out.csv")
    killed(request, after_parts=1)
    other = replace(request, bundle=tmp_path / "other")
    with pytest.raises(DataError, match=r"where out\.csv\.parts was begun with"):
        run_batch(other)
    with pytest.raises(DataError, match="other options: columns"):
        run_batch(replace(request, columns=["id"]))
    assert run_batch(replace(other, again=True)).answered == ROWS


def test_a_file_that_is_there_is_replaced_only_where_asked(bundle: Path, tmp_path: Path) -> None:
    source = written(tmp_path / "in.jsonl", [{"text": "good"}])
    output = written(tmp_path / "out.jsonl", ["mine"])
    request = requested(source, output, bundle)
    with pytest.raises(DataError, match="is there already"):
        run_batch(request)
    assert lines(output) == ["mine"]
    run_batch(replace(request, again=True))
    assert lines(output)[0]["label"] == "positive"
    with pytest.raises(DataError, match="neither a folder nor the one with the texts"):
        run_batch(requested(source, source, bundle))


def test_an_altered_bundle_is_refused_and_nothing_is_left(bundle: Path, tmp_path: Path) -> None:
    altered = Path(shutil.copytree(bundle, tmp_path / "altered"))
    with (altered / "model.onnx").open("ab") as model:
        model.write(b"\0")
    source = written(tmp_path / "in.jsonl", [{"text": "good"}])
    with pytest.raises(ArtifactError, match="SHA-256 is not the manifest's"):
        run_batch(requested(source, tmp_path / "out.jsonl", altered))
    assert {path.name for path in tmp_path.iterdir()} == {"altered", "in.jsonl"}


def test_two_batches_do_not_write_one_output(bundle: Path, tmp_path: Path) -> None:
    source = written(tmp_path / "in.jsonl", [{"text": "good"}])
    request = requested(source, tmp_path / "out.jsonl", bundle)
    lock = try_lock(request.parts / "lock", what="a batch")
    assert lock is not None
    try:
        with pytest.raises(BusyError, match="is being worked on"):
            run_batch(request)
    finally:
        os.close(lock)


def test_a_file_without_rows_gives_an_output_without_rows(bundle: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "in.parquet")
    run_batch(requested(tmp_path / "in.parquet", tmp_path / "out.csv", bundle))
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").startswith("text,label,")


def begun(request: BatchRequest) -> "subprocess.Popen[bytes]":
    """A batch in a process of its own."""
    command = [sys.executable, "-m", "flows", "batch", str(request.source), str(request.output)]
    command += ["--bundle", str(request.bundle), "--text", "text"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(command, cwd=request.output.parent, env=environment)


def killed(request: BatchRequest, *, after_parts: int) -> None:
    """Begins a batch and kills it as soon as so many parts are done."""
    process = begun(request)
    while process.poll() is None and len([*request.parts.glob("*.rows")]) < after_parts:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert [*request.parts.glob("*.rows")], "it ended before it was killed"


def answering(bundle: str) -> list[str]:
    """The processes that answer with this bundle."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "pipeline.batch.answering" in words and bundle in words:
            found.append(path.parent.name)
    return found
