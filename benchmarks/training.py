"""Fine-tuning speed: our engine against the transformers Trainer, at its defaults and tuned.

    python -m benchmarks.training                   # after a build, which writes the rows
    python -m benchmarks.training --epochs 0        # throughput only
    python -m benchmarks.training --rounds 1 --beside tuned --seeds 1 2 3
    python -m benchmarks.training --epochs 0 --beside other     # bfloat16 against float32

All engines train all parameters of the same checkpoint (`prepare.checkpoint`) on the same rows with
the same number of threads, each in a process of its own. The Trainer trains transformers' own
class, as its users do. `default` is the Trainer as it comes: batches of 8 in random order, float32,
three epochs. `tuned` has the options of its documentation: texts grouped by length, the arithmetic
that is faster on this machine, the fused optimizer; and our optimisation (`OPTIMISATION`, warm-up and
weight decay of `finetune`). Part of our engine is what the Trainer does not offer: learning rates
by layer, the moving average of the weights, an embedding table reduced to the tokens in use, and a
last layer for the first token only (`pipeline/models/first_token.py`). `other` is our engine in the
arithmetic that `compute.precision: auto` did not choose; it takes part in throughput alone.

Throughput: rounds are interleaved, ratios are of medians, and tokens are counted without padding. A
round has a third of the rows, because the first step with a new batch length costs a fifth more
(oneDNN prepares for it), and a short round would consist of such steps.

The race: each engine is trained to its end (the Trainer at its defaults, which takes longest, only
until it reaches the goal). The goal is the tuned Trainer's final validation accuracy less half a
point, and the time to it does not include validation. As one race depends on chance (accuracy on
837 rows moves by a point from one evaluation to the next), the ratio is of medians over seeds. The
race needs `tuned` in `--beside`. The Trainer needs the package `accelerate`.
"""

import argparse
import math
import statistics
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.support.apart import in_own_process
from benchmarks.support.command_line import median_rates, new_parser, print_result
from benchmarks.support.demonstration import demonstration
from benchmarks.support.finetuning import (
    Bench,
    Engine,
    open_bench,
    peak_flops,
    train_ours,
    train_ours_otherwise,
    train_with_trainer,
    tuned,
)

ROOT = Path(__file__).resolve().parents[1]
_LEEWAY = 0.005
_RATIOS = {
    "default": "vs_trainer_default",
    "tuned": "vs_trainer_tuned",
    "other": "vs_other_arithmetic",
}
_DEFAULT_EPOCHS = 3
"""The Trainer's default."""


def race(
    engines: dict[str, Engine], bench: Bench, *, epochs: int, evaluations: int
) -> tuple[dict[str, float], dict[str, list[tuple[float, float]]]]:
    """The seconds until each engine reached the goal, infinite if it never did, and its curve."""
    curves: dict[str, list[tuple[float, float]]] = {}

    def run(name: str, *, passes: int, **until: float) -> None:
        curves[name] = engines[name](bench, epochs=passes, evaluations=evaluations, **until).curve
        shown = "  ".join(f"{seconds:.0f} s {accuracy:.4f}" for seconds, accuracy in curves[name])
        print(f"seed {bench.seed}  {name}  {shown}", flush=True)

    run("tuned", passes=epochs)
    run("ours", passes=epochs)
    target = curves["tuned"][-1][1] - _LEEWAY
    if "default" in engines:
        run("default", passes=_DEFAULT_EPOCHS, until=target)
    reached = {
        name: next((seconds for seconds, accuracy in curve if accuracy >= target), math.inf)
        for name, curve in curves.items()
    }
    shown = "  ".join(f"{name} {seconds:.0f} s" for name, seconds in reached.items())
    print(f"seed {bench.seed}  {target:.4f} reached  {shown}", flush=True)
    return reached, curves


def times_faster(ours: float, theirs: float) -> float | None:
    """Their seconds to the goal / ours: 0 if we never reach it, None if only they never do."""
    if math.isinf(ours):
        return 0.0
    return None if math.isinf(theirs) else theirs / ours


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = new_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sentences", type=int, default=2048, help="per round")
    parser.add_argument(
        "--epochs", type=int, help="of the race, in place of those of OPTIMISATION; 0 skips it"
    )
    parser.add_argument("--evaluations", type=int, default=8, help="per epoch")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="of the race")
    parser.add_argument(
        "--beside", nargs="+", choices=["default", "tuned", "other"], default=["default", "tuned"]
    )
    options = parser.parse_args()
    if options.epochs != 0 and "tuned" not in options.beside:
        parser.error("the race needs `tuned`, whose accuracy is its goal; or --epochs 0")
    return options


def engines_of(stack: ExitStack, bench: Bench, *, beside: Iterable[str]) -> dict[str, Engine]:
    """Our engine and the peers named in `beside`, each in a process that ends with `stack`."""
    engines: dict[str, Engine] = {
        "ours": train_ours,
        "other": train_ours_otherwise,
        "default": partial(train_with_trainer, settings={}),
        "tuned": partial(
            train_with_trainer, settings=tuned(bench.params.finetune, bench.params.compute)
        ),
    }
    engines = {name: engines[name] for name in ("ours", *beside)}
    return {name: stack.enter_context(in_own_process(engine)) for name, engine in engines.items()}


def speed(
    engines: Mapping[str, Engine], bench: Bench, *, rounds: int, sentences: int
) -> dict[str, float]:
    """Median tokens a second of each engine over interleaved rounds."""

    def rate(engine: Engine) -> float:
        return engine(bench.part(sentences), epochs=1, evaluations=0).tokens_per_second

    turns = {name: partial(rate, engine) for name, engine in engines.items()}
    return median_rates(turns, rounds=rounds)


def main() -> None:
    """Command line."""
    options = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="training-") as name, ExitStack() as stack:
        built = stack.enter_context(demonstration(ROOT))
        bench = open_bench(ROOT, Path(name), built=built)
        epochs = bench.params.finetune.epochs if options.epochs is None else options.epochs
        engines = engines_of(stack, bench, beside=options.beside)
        rates = speed(engines, bench, rounds=options.rounds, sentences=options.sentences)
        ratios: dict[str, float | None] = {
            _RATIOS[peer]: rates["ours"] / rates[peer] for peer in options.beside
        }
        peak = peak_flops(bench.params.compute)
        ratios["share_of_peak"] = rates["ours"] * bench.flops_per_token() / peak
        size = {"rows": len(bench.rows.ids), "mean_length": float(bench.rows.lengths.mean())}
        figures: dict[str, object] = {"tokens_per_second": rates, **size}
        if epochs:
            seeds, looks = options.seeds, options.evaluations
            runs = [
                race(engines, bench.with_seed(seed), epochs=epochs, evaluations=looks)
                for seed in seeds
            ]
            seconds = {
                name: statistics.median(reached[name] for reached, _ in runs) for name in runs[0][0]
            }
            shown = {
                name: value if math.isfinite(value) else None for name, value in seconds.items()
            }
            figures |= {"seconds_to_accuracy": shown, "curves": [curves for _, curves in runs]}
            ratios |= {
                f"seconds_vs_trainer_{peer}": times_faster(seconds["ours"], seconds[peer])
                for peer in options.beside
                if peer in seconds
            }
    print_result("training", ratios=ratios, figures=figures)


if __name__ == "__main__":
    main()
