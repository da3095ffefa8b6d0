"""What compression keeps and what it saves: the release beside its teacher, peers and simple models, in one run.

    python -m benchmarks.compression                       # after a build
    python -m benchmarks.compression --peers none --seeds 1
    python -m benchmarks.compression --folds 5             # quality by cross-fitting over all rows: two hours

One table: the teacher in torch, ONNX float32 and int8; the released variant in float32 and int8; the student
as `distill` leaves it; a student of its shape trained on gold rows alone (`benchmarks/support/hard_labels.py`);
NB-LR; optimum-onnx's int8 of the same teacher, run by our runtime; Model2Vec distilled from the teacher's
checkpoint and fine-tuned on the same rows, run by its own. Peers have environments of their own
(`benchmarks/support/peers.py`); one that cannot be had stands in the table with the reason, and its figures
are null.

Quality is accuracy on the test rows, or with `--folds` on all rows, each text answered alone by one thread;
nothing is decided here. Sizes are of the file with the weights (the teacher's: `model.safetensors`). Latency is
of one request, tokenizer included: texts cut from test sentences to hold exactly 8, 32 and 128 of the
teacher's tokens are given to all (`tokens_read` says how many the release makes of them), who have each a
process of its own and take turns in rounds. The teacher in torch has the runtime's tokenizer and our classifier,
whose last layer is computed for the first token alone: ratios against it are not flattered.

Intervals are 95 % bootstrap intervals: of quality paired over rows (of the hard labels over the mean of
their seeds), of speed over rounds. `times_faster` and `times_faster_same_runtime` are of medians at
`measure.tokens` and `measure.threads` of params.yaml.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from transformers.utils import logging

from benchmarks.support.comparison import (
    Figure,
    Measured,
    Place,
    Right,
    Times,
    figures,
    table,
)
from benchmarks.support.engines import exact_texts
from benchmarks.support.field import PEERS, Contender, Field
from benchmarks.support.folds import built_folds
from benchmarks.support.turns import Turn
from flows.machine import describe_machine
from pipeline.core.errors import DataError
from pipeline.core.files import read_json
from pipeline.core.params import load_params
from pipeline.core.paths import Paths
from pipeline.core.product import CLASSIFICATION
from pipeline.core.progress import Progress, say
from pipeline.core.variants import TOKENIZER_FILE, Variant
from pipeline.metrics.latency import summarise
from pipeline.runtime.reader import Reader
from pipeline.training.splits import read_split

ROOT = Path(__file__).resolve().parents[1]
THREADS, TOKENS = (1, 2), (8, 32, 128)
_TEXTS = 32
_WARM_UP = 5
RATIOS = (
    "quality_kept",
    "gap_closed",
    "times_smaller",
    "times_faster",
    "times_smaller_same_precision",
    "times_faster_same_runtime",
    "int8_drop_points",
    "vs_hard_labels_points",
    "vs_model2vec_points",
)


def open_field(paths: Paths, *, seeds: Iterable[int], peers: Iterable[str]) -> Field:
    """The contenders' parameters.

    Raises:
        DataError: nothing was built yet, or the product is no classifier of single texts.
    """
    if not (paths.artifacts / "gate" / "metrics.json").is_file():
        raise DataError(
            "no artifacts/gate/metrics.json",
            expected="a build, whose release is compared",
            next_step="run `NO_DEPLOY=1 make pipeline` first",
        )
    params = load_params(paths.params)
    if params.product.problem != CLASSIFICATION or params.product.pairs:
        raise DataError(
            f"a product of {params.product.problem}{' of pairs' * params.product.pairs}",
            expected="a classifier of single texts, which all contenders can be",
            next_step="run this benchmark on such a product",
        )
    release = read_json(paths.read("gate", "metrics.json"))["released"]
    return Field(paths.root, params, release, tuple(seeds), tuple(peers))


def race(
    contenders: Mapping[str, Contender],
    texts: Mapping[int, list[str]],
    *,
    threads: Iterable[int],
    rounds: int,
    requests: int,
) -> dict[str, dict[Place, Times]]:
    """Milliseconds of each contender at each place, in interleaved rounds; who is first changes."""
    there = {name: entry.engines[0] for name, entry in contenders.items() if entry.engines}
    found: dict[str, dict[Place, list[list[float]]]] = {name: {} for name in there}
    for count in threads:
        with ExitStack() as stack:
            takes = {
                name: stack.enter_context(engine.turns(count)) for name, engine in there.items()
            }
            progress = Progress(f"latency, {count} threads", rounds * len(texts))
            for number in range(rounds * len(texts)):
                tokens = list(texts)[number % len(texts)]
                turn = Turn(texts[tokens], requests, _WARM_UP)
                for name in rotated(list(takes), number):
                    found[name].setdefault((count, tokens), []).append(takes[name](turn))
                progress.update(number + 1)
    return {
        name: {place: np.array(times) for place, times in by_place.items()}
        for name, by_place in found.items()
    }


def rotated(names: list[str], number: int) -> list[str]:
    """The same in turn, from another one on."""
    start = number % len(names)
    return names[start:] + names[:start]


def answers(contenders: Mapping[str, Contender], records: Path) -> dict[str, Right]:
    """Share of each contender's seeds that answer each test row rightly, `(rows,)`."""
    test = read_split(records, "test")
    found: dict[str, Right] = {}
    for name, contender in contenders.items():
        seeds = []
        for engine in contender.engines:
            with engine.turns(1) as take:
                seeds.append(np.array(take(Turn(test.texts))) == test.label_ids)
        if seeds:
            found[name] = np.stack(seeds).mean(axis=0)
            each = ", ".join(f"{seed.mean():.4f}" for seed in seeds)
            say(f"{name}  accuracy {each} on {len(test.ids)} rows")
    return found


def cross_fitted(field: Field, paths: Paths, work: Path, *, folds: int) -> dict[str, Right]:
    """The same over all rows, each answered by the contenders of the fold it is tested in."""
    parts: list[dict[str, Right]] = []
    for number, fold in enumerate(built_folds(field.params, paths, folds=folds)):
        contenders = field.contenders(fold, work / f"fold-{number + 1}")
        parts.append(answers(contenders, fold.read("prepare", "records.parquet")))
    shared = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: np.concatenate([part[name] for part in parts]) for name in shared}


def test_texts(paths: Paths) -> dict[int, list[str]]:
    """Texts by the number of the teacher's tokens, special ones included."""
    tokenizer = Tokenizer.from_file(str(paths.read("finetune", "model", TOKENIZER_FILE)))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    sentences = read_split(paths.read("prepare", "records.parquet"), "test").texts
    return {
        tokens: exact_texts(
            sentences,
            tokens=tokens,
            count=_TEXTS,
            length_of=lambda text: len(tokenizer.encode(text).ids),
        )
        for tokens in TOKENS
    }


def tokens_read(field: Field, paths: Paths, texts: Mapping[int, list[str]]) -> dict[int, float]:
    """Mean tokens that the release reads of them: its vocabulary is another, and it cuts what is too long."""
    folder = Variant(*field.release.split("-")).folder(paths)
    settings = field.params.prepare
    reader = Reader(
        folder / TOKENIZER_FILE,
        max_length=settings.max_length,
        window_stride=settings.window_stride,
    )
    return {
        tokens: float(np.mean([sum(len(row.ids) for row in reader.read(text)[0]) for text in some]))
        for tokens, some in texts.items()
    }


def as_figures(measured: Mapping[str, Measured]) -> dict[str, object]:
    """Everything measured, for the line of JSON; times by `<threads>x<tokens>`."""

    def described(entry: Measured) -> dict[str, object]:
        times = {f"{place[0]}x{place[1]}": summarise(t) for place, t in entry.times.items()}
        return {
            "accuracy": None if entry.right is None else float(entry.right.mean()),
            "bytes": entry.bytes,
            "zipped_bytes": entry.zipped,
            "latency_ms": {name: {"p50": t.p50, "p95": t.p95} for name, t in times.items()},
            "note": entry.note,
        }

    return {name: described(entry) for name, entry in measured.items()}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11, help="of latency")
    parser.add_argument("--requests", type=int, default=40, help="of each model in a round")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="on hard labels")
    parser.add_argument("--peers", nargs="+", choices=["none", *PEERS], default=list(PEERS))
    parser.add_argument("--folds", type=int, default=0, help="of cross-fitting; 0: test rows alone")
    options = parser.parse_args()
    if options.folds == 1:
        parser.error("one fold leaves no rows to learn from")
    # Loading bars of libraries, here and in the processes to come.
    os.environ["TQDM_DISABLE"] = "1"
    logging.disable_progress_bar()
    paths = Paths(ROOT)
    # Under cross-fitting the seeds answer for themselves in each fold; here one is timed.
    seeds = options.seeds[:1] if options.folds else options.seeds
    peers = [name for name in options.peers if name != "none"]
    field = open_field(paths, seeds=seeds, peers=peers)
    texts = test_texts(paths)
    with tempfile.TemporaryDirectory(prefix="compression-") as name:
        work = Path(name)
        contenders = field.contenders(paths, work / "build")
        times = race(
            contenders, texts, threads=THREADS, rounds=options.rounds, requests=options.requests
        )
        if options.folds:
            every = open_field(paths, seeds=options.seeds, peers=peers)
            right = cross_fitted(every, paths, work, folds=options.folds)
        else:
            right = answers(contenders, paths.read("prepare", "records.parquet"))
    measured = {
        name: Measured(right.get(name), entry.bytes, entry.zipped, times.get(name, {}), entry.note)
        for name, entry in contenders.items()
    }
    places = [(threads, tokens) for threads in THREADS for tokens in TOKENS]
    settings = field.params.measure
    found = figures(measured, release=field.release, place=(settings.threads, settings.tokens))
    print(table(measured, places, release=field.release))
    report(found)
    print(
        json.dumps(
            {
                "benchmark": "compression",
                "machine": describe_machine(),
                "ratios": {name: value_of(found.get(name)) for name in RATIOS},
                "figures": {
                    "release": field.release,
                    "rows": len(right[field.release]),
                    "folds": options.folds,
                    "rounds": options.rounds,
                    "seeds": options.seeds,
                    "tokens_read": tokens_read(field, paths, texts),
                    "compared": {name: entry and asdict(entry) for name, entry in found.items()},
                    "models": as_figures(measured),
                },
            }
        )
    )


def report(found: Mapping[str, Figure | None]) -> None:
    """One line a ratio."""
    for name, figure in found.items():
        shown = "not measured" if figure is None else f"{figure.value:.3f}"
        if figure is not None and figure.interval is not None:
            shown += f"  [{figure.interval[0]:.3f}, {figure.interval[1]:.3f}]"
        print(f"{name.ljust(40)}{shown}")


def value_of(figure: Figure | None) -> float | None:
    """The figure alone."""
    return None if figure is None else figure.value


if __name__ == "__main__":
    main()
