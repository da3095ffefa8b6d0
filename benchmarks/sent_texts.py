"""Requests as real clients send them: the answers of dirty texts, and what texts of a megabyte cost.

    python -m benchmarks.sent_texts                        # the bundle and the records of this clone's build
    python -m benchmarks.sent_texts --bundle FOLDER --records FILE.parquet --seconds 20

First every test text is sent in each form of the web, and as training cleaned it: how many labels differ, with
the bundle's cleaning and without. Then one client sends legal texts of a megabyte in a loop, while
/health/live is asked: its 99th percentile, and the most memory of a worker. The last line is JSON.
"""

import argparse
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
import psutil

from benchmarks.support.command_line import built_file, new_parser, print_result
from pipeline.core.cleaning import CLEANING, clean
from pipeline.core.errors import PipelineError
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.text_model import TextModel
from pipeline.training.labelled_rows import read_split
from tests.support.server import run_server
from tests.support.web_forms import FORMS

ROOT = Path(__file__).resolve().parents[1]
MEGABYTE = 999_900
LONG: Mapping[str, str] = {
    "words": "a fine film, not bad at all. ",
    "no spaces": "x",
    "markup": "<br />",
    "open tags": "<",
    "entities": "&amp;",
    "an open tag": "<b a",
    "hangul, decomposed": "\u1107\u1162\u110b\u116e",
    "marks": "\u0301\u0316",
}


def differing_labels(bundle: Path, records: Path) -> dict[str, dict[str, int]]:
    """Form → how many test texts get another label than their clean form, cleaned and as they come."""
    opened, test = open_bundle(bundle), read_split(records, "test")
    cleans, as_they_come = (
        TextModel(
            opened.model,
            opened.tokenizer,
            task=replace(opened.task, cleaning=cleaning),
            threads=opened.threads,
        )
        for cleaning in (CLEANING, 0)
    )
    found: dict[str, dict[str, int]] = {}
    for form, change in FORMS.items():
        raw = [change(text) for text in test.texts]
        wanted = as_they_come.predict([clean(text) for text in raw])
        served, before = cleans.predict(raw), as_they_come.predict(raw)
        found[form] = {
            "texts": len(raw),
            "answers_differ": sum(a != b for a, b in zip(served, wanted, strict=True)),
            "labels_differ_without_cleaning": sum(
                a.label != b.label for a, b in zip(before, wanted, strict=True)
            ),
        }
        print(f"{form:28s} {found[form]}", flush=True)
    return found


def long_texts(bundle: Path, *, seconds: float) -> dict[str, dict[str, float]]:
    """Kind of text → milliseconds of /health/live beside it and of its own answers, and megabytes."""
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        options = ("--bundle", str(bundle), "--workers", "1")
        with run_server(Path(name), *options) as server:
            found["no other request"] = probed(server.url, None, seconds=seconds)
            for kind, piece in LONG.items():
                size = len(piece.encode())
                body = json.dumps({"text": piece * (MEGABYTE // size)}, ensure_ascii=False)
                found[kind] = probed(server.url, body.encode(), seconds=seconds)
                found[kind]["peak_rss_mb"] = peak_memory(server.process.pid)
                print(f"{kind:28s} {found[kind]}", flush=True)
    return found


def probed(url: str, body: bytes | None, *, seconds: float) -> dict[str, float]:
    """Milliseconds of /health/live while a client sends `body` in a loop, and of its answers.

    The client is a process of its own: its work is not the server's.
    """
    answers, live = list[float](), list[float]()
    with sending(f"{url}predict", body) as told:
        end = time.monotonic() + seconds
        with httpx.Client(timeout=60) as client:
            while time.monotonic() < end:
                started = time.perf_counter()
                client.get(f"{url}health/live").raise_for_status()
                live.append(1000 * (time.perf_counter() - started))
                time.sleep(0.01)
        answers += told()
    figures = {
        "live_p50_ms": statistics.median(live),
        "live_p99_ms": statistics.quantiles(live, n=100)[98],
        "live_most_ms": max(live),
        "probes": float(len(live)),
    }
    if answers:
        figures |= {"answer_p50_ms": statistics.median(answers), "answers": float(len(answers))}
    return {name: round(value, 2) for name, value in figures.items()}


@contextmanager
def sending(url: str, body: bytes | None) -> Iterator[Callable[[], list[float]]]:
    """A client that sends `body` in a loop; yields what stops it and returns its answers' times.

    Raises:
        ConnectionError: the client ended before it was told to: a request failed.
    """
    if body is None:
        yield list
        return
    spawn = multiprocessing.get_context("spawn")
    own, theirs = spawn.Pipe()
    client = spawn.Process(target=send, args=(theirs, url, body), daemon=True)
    client.start()
    theirs.close()
    try:
        own.recv()  # its first answer has come

        def stop() -> list[float]:
            own.send("stop")
            return list(own.recv())

        yield stop
    except (EOFError, BrokenPipeError) as error:
        raise ConnectionError(f"a request to {url} failed; its traceback stands above") from error
    finally:
        client.terminate()
        client.join()


def send(told: Connection, url: str, body: bytes) -> None:
    """Posts `body` until told to stop; tells when the first answer came, and how long each took."""
    times: list[float] = []
    with httpx.Client(timeout=60) as client:
        while not told.poll():
            started = time.perf_counter()
            answer = client.post(url, content=body, headers={"content-type": "application/json"})
            if answer.status_code != httpx.codes.UNPROCESSABLE_ENTITY:  # nothing but markup
                answer.raise_for_status()
            times.append(1000 * (time.perf_counter() - started))
            if len(times) == 1:
                told.send("started")
    told.send(times)


def peak_memory(supervisor: int) -> float:
    """The most resident memory of a worker so far, megabytes of a million bytes."""
    peaks = []
    for process in psutil.Process(supervisor).children():
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        peaks += [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
    return round(1024 * max(peaks) / 1e6, 1)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = new_parser(__doc__ or "")
    parser.add_argument("--bundle", type=Path, help="else that of this clone's build")
    parser.add_argument("--records", type=Path, help="else those of this clone's build")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each kind of long text")
    return parser.parse_args(arguments)


def main() -> None:
    """Sends the dirty texts, then the long ones, and prints the figures."""
    options = parse()
    try:
        bundle = options.bundle or built_file(ROOT, "gate/bundle/manifest.json").parent
        records = options.records or built_file(ROOT, "prepare/records.parquet")
    except PipelineError as error:
        sys.exit(str(error))
    figures = {
        "differing": differing_labels(bundle, records),
        "long_texts": long_texts(bundle, seconds=options.seconds),
    }
    print_result("sent_texts", ratios={}, figures=figures)


if __name__ == "__main__":
    main()
