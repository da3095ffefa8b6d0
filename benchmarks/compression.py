"""The quality that compression keeps, the size and time it saves, against peers.

    python -m benchmarks.compression                       # after a build
    python -m benchmarks.compression --seeds 1 2 3         # quality over builds of three seeds
    python -m benchmarks.compression --folds 5             # quality by cross-fitting over all rows: 2¼ hours

One table compares the teacher in torch, ONNX float32 and int8; the released variant in float32 and
int8; the student as `distill` leaves it, and one of the same shape trained on gold labels only
(`benchmarks/support/hard_labels.py`); NB-LR; optimum-onnx's int8 of the same teacher, in our
runtime; and Model2Vec, distilled from the teacher's checkpoint and fine-tuned on the same rows, in
its own runtime. A peer that cannot be installed (`benchmarks/support/peers.py`) stays in the table
with the reason, and its figures are null.

Quality is accuracy on the test rows, or with `--folds` on all rows; each text is answered alone on
one thread. Nothing is selected by it. With `--seeds` the whole product is built once per seed
(`compute.seed`), every contender is trained anew for each, and figures are means. Sizes are those
of the weights file. Latency is of one request, tokenizer included: texts cut from test sentences to
exactly 8, 32 and 128 of the teacher's tokens go to every contender (`tokens_read` gives how many
tokens the release reads in them). Contenders run in processes of their own and take turns in
rounds. The teacher in torch has the runtime's tokenizer and our classifier, which computes its last
layer for the first token only: ratios against it are not flattered.

Intervals are 95 % bootstrap intervals: of quality over seeds and rows, paired in both; of speed
over rounds. `times_faster` and `times_faster_same_runtime` are ratios of medians at
`measure.tokens` and `measure.threads`; those ending in `_at_best_threads` use each side's best
number of threads. Sizes and speed are of the first seed.
"""

import argparse
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import product
from pathlib import Path

from transformers.utils import logging

from benchmarks.support.command_line import built_file, new_parser, print_result
from benchmarks.support.demonstration import demonstration
from benchmarks.support.field import PEERS, Contender, Field
from benchmarks.support.folds import built_folds
from benchmarks.support.peer_table import Figure, Measured, Place, Right, Times, figures, table
from benchmarks.support.race import answers, joined, race
from benchmarks.support.seed_runs import built_with
from benchmarks.support.texts import texts_by_tokens, tokens_read
from pipeline.core.errors import DataError
from pipeline.core.files import read_json
from pipeline.core.params import load_params
from pipeline.core.paths import Paths
from pipeline.core.variants import TOKENIZER_FILE, Variant
from pipeline.metrics.latency import summarise
from pipeline.problem.problems import CLASSIFICATION

ROOT = Path(__file__).resolve().parents[1]
THREADS, TOKENS = (1, 2), (8, 32, 128)
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


def open_field(root: Path, paths: Paths, *, peers: Iterable[str]) -> Field:
    """Checks that there is a release to compare, and describes who it is compared with.

    Args:
        root: the clone, where peers have their environments.
        paths: of the build.

    Raises:
        DataError: nothing was built yet, or the product is no classifier of single texts.
    """
    gate = built_file(paths.root, "gate/metrics.json")
    params = load_params(paths.build)
    if params.product.problem != CLASSIFICATION or params.product.pairs:
        raise DataError(
            f"a product of {params.product.problem}, pairs: {params.product.pairs}",
            expected="a classifier of single texts, which all contenders can be",
            next_step="run this benchmark on such a product",
        )
    release = read_json(gate)["released"]
    return Field(root=root, params=params, release=release, peers=tuple(peers))


def of_seeds(
    field: Field,
    paths: Paths,
    contenders: Mapping[str, Contender],
    work: Path,
    *,
    seeds: Iterable[int],
) -> dict[str, Right]:
    """The answers of this build's contenders and of those of the other seeds' builds, joined."""
    parts = [answers(contenders, paths.read("prepare", "records.parquet"))]
    for seed in seeds:
        with built_with(field.root, seed) as other:
            others = field.contenders(other, work / f"seed-{seed}", seed=seed)
            parts.append(answers(others, other.read("prepare", "records.parquet")))
    return joined(parts, axis=0)


def cross_fitted(field: Field, paths: Paths, work: Path, *, folds: int) -> dict[str, Right]:
    """The answers to all rows, each by the contenders of the fold that it is tested in."""
    parts = []
    for number, fold in enumerate(built_folds(field.params, paths, folds=folds)):
        place = work / f"fold-{number + 1}"
        contenders = field.contenders(fold, place, seed=field.params.compute.seed)
        parts.append(answers(contenders, fold.read("prepare", "records.parquet")))
    return joined(parts, axis=1)


def as_figures(measured: Mapping[str, Measured]) -> dict[str, object]:
    """Everything measured, for the JSON line: accuracy by seed, times by `<threads>x<tokens>`."""
    found: dict[str, object] = {}
    for name, entry in measured.items():
        times = {f"{place[0]}x{place[1]}": summarise(t) for place, t in entry.times.items()}
        found[name] = {
            "accuracy": None if entry.right is None else entry.right.mean(axis=1).tolist(),
            "bytes": entry.bytes,
            "zipped_bytes": entry.zipped,
            "latency_ms": {place: {"p50": t.p50, "p95": t.p95} for place, t in times.items()},
            "note": entry.note,
        }
    return found


def measured_field(
    contenders: Mapping[str, Contender],
    right: Mapping[str, Right],
    times: Mapping[str, Mapping[Place, Times]],
) -> dict[str, Measured]:
    """The table's entry of each contender."""
    ended = "left out: its process ended"
    return {
        name: Measured(
            right=right.get(name),
            bytes=entry.bytes,
            zipped=entry.zipped,
            times=times.get(name, {}),
            note=entry.note or ("" if name in right and name in times else ended),
        )
        for name, entry in contenders.items()
    }


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = new_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="of latency")
    parser.add_argument("--requests", type=int, default=40, help="per model and round")
    parser.add_argument(
        "--seeds", type=int, nargs="+", help="of builds, beside that of params.yaml"
    )
    parser.add_argument("--peers", nargs="+", choices=["none", *PEERS], default=list(PEERS))
    parser.add_argument("--folds", type=int, default=0, help="of cross-fitting; 0: test rows only")
    options = parser.parse_args()
    if options.folds == 1:
        parser.error("one fold leaves no rows to learn from")
    if options.folds and options.seeds:
        parser.error("either folds or seeds: the folds are built with the seed of params.yaml")
    return options


def main() -> None:
    """Command line."""
    options = parse_arguments()
    os.environ["TQDM_DISABLE"] = "1"  # in child processes, too
    logging.disable_progress_bar()
    with demonstration(ROOT) as folder:
        compare(Paths(folder), options)


def compare(paths: Paths, options: argparse.Namespace) -> None:
    """Measures the contenders of a build, and prints table, ratios and JSON."""
    field = open_field(ROOT, paths, peers=[name for name in options.peers if name != "none"])
    own, texts = field.params.compute.seed, texts_by_tokens(paths, TOKENS)
    seeds = [own, *(seed for seed in options.seeds or [] if seed != own)]
    with tempfile.TemporaryDirectory(prefix="compression-") as name:
        work = Path(name)
        contenders = field.contenders(paths, work / "build", seed=own)
        length = {"rounds": options.rounds, "requests": options.requests}
        times = race(contenders, texts, threads=THREADS, **length)
        if options.folds:
            right = cross_fitted(field, paths, work, folds=options.folds)
        else:
            right = of_seeds(field, paths, contenders, work, seeds=seeds[1:])
    measured, settings = measured_field(contenders, right, times), field.params.measure
    compared = figures(measured, release=field.release, place=(settings.threads, settings.tokens))
    print(table(measured, list(product(THREADS, TOKENS)), release=field.release))
    report(compared)
    tokenizer = Variant(*field.release.split("-")).folder(paths) / TOKENIZER_FILE
    shown = {
        "release": field.release,
        "rows": right[field.release].shape[1],
        "folds": options.folds,
        "rounds": options.rounds,
        "seeds": seeds,
        "tokens_read": tokens_read(tokenizer, field.params.prepare, texts),
        "compared": {name: figure and asdict(figure) for name, figure in compared.items()},
        "models": as_figures(measured),
    }
    values = {name: None if found is None else found.value for name, found in compared.items()}
    ratios = {name: value for name, value in values.items() if name in RATIOS}
    print_result("compression", ratios=ratios, figures=shown)


def report(found: Mapping[str, Figure | None]) -> None:
    """Prints one line per ratio."""
    for name, figure in found.items():
        shown = "not measured" if figure is None else f"{figure.value:.3f}"
        if figure is not None and figure.interval is not None:
            shown += f"  [{figure.interval[0]:.3f}, {figure.interval[1]:.3f}]"
        print(f"{name.ljust(44)}{shown}")


if __name__ == "__main__":
    main()
