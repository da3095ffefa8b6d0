"""Checks of serving: what HTTP costs beside the model, peers, load of every kind, restarts and swaps.

    python -m benchmarks.serving --bundle FOLDER                 # every part; else the bundle of this clone's build
    python -m benchmarks.serving --part overhead --seconds 5     # one; --part may be given several times

    overhead  tokenizer and ONNX Runtime in process against our server at 1 and 16 connections, 32 tokens; and what
              the generator of load reaches against a server that does nothing
    peers     LitServe, BentoML, MLflow's scoring server, infinity-emb and plain FastAPI (installed at first use): their
              rates, and times at half of each one's capacity
    mixed     single texts at 20 % load beside two clients of 64 texts of 128 tokens; against first come, first served
    overload  five times the capacity with a deadline of 100 ms: answers in time, refusals, probes, the time after
    start     seconds until it is ready; memory after 10,000 requests, and after those of the language model
    shadow    what a candidate that answers a copy of the traffic costs real answers
    swaps     20 bundles one after the other at 70 % load; memory from swap 10 to 100
    vanish    200 large requests whose clients leave after 5 ms: how many of their texts are computed
    sockets   900 silent connections and 200 of a byte a second, while others are to be served

The server runs on one core, the generator of load on another. Figures are medians of rounds that take turns;
open loops time each request from when it was due. The last line is JSON. What cannot be measured here is left
out, and the reason said. docs/guide/serving-benchmark.md explains each figure and its bar.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from benchmarks.support import (
    serving_mixed,
    serving_overhead,
    serving_overload,
    serving_peers,
    serving_shadow,
    serving_sockets,
    serving_start,
    serving_swaps,
    serving_vanish,
)
from benchmarks.support.command_line import built_file, new_parser, print_result
from benchmarks.support.load_figures import Outcome, finite
from benchmarks.support.peers import PeerError
from benchmarks.support.serving_field import Conditions
from benchmarks.support.traffic import read_traffic
from pipeline.core.errors import DataError, PipelineError

ROOT = Path(__file__).resolve().parents[1]
RATIOS = (
    *("overhead_us", "share_of_raw", "vs_best_peer", "vs_fastapi"),
    *("p99_vs_fifo", "goodput_share"),
)
"""The keys of the last line's `ratios`; null where the part was not run, or could not be."""
PARTS: Mapping[str, Callable[[Conditions], Outcome]] = MappingProxyType(
    {
        "overhead": serving_overhead.measure,
        "peers": serving_peers.measure,
        "mixed": serving_mixed.measure,
        "overload": serving_overload.measure,
        "start": serving_start.measure,
        "shadow": serving_shadow.measure,
        "swaps": serving_swaps.measure,
        "vanish": serving_vanish.measure,
        "sockets": serving_sockets.measure,
    }
)
"""Name of a part → the function that measures it."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures the parts that are asked for and prints their figures."""
    options = parse(arguments)
    try:
        conditions = read_conditions(options)
    except PipelineError as error:
        sys.exit(str(error))
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {conditions.generator_core})
    outcomes: dict[str, Outcome] = {}
    for name in options.part or PARTS:
        print(f"part {name}", flush=True)
        try:
            outcomes[name] = PARTS[name](conditions)
        except (PipelineError, PeerError) as error:
            outcomes[name] = Outcome(figures={}, left_out={name: str(error)})
        for line in table(outcomes[name]):
            print(line, flush=True)
    os.sched_setaffinity(0, cores)  # the last line tells how many the machine has
    ratios, figures = last_line(outcomes)
    used = {"server": conditions.server_core, "generator": conditions.generator_core}
    print_result("serving", ratios=ratios, figures={"cores": used, **figures})


def table(outcome: Outcome) -> list[str]:
    """Lines for people: each figure, each bar and whether it is reached, and what was left out."""
    return [
        *(f"  {name:<38} {value:>10.4g}" for name, value in outcome.figures.items()),
        *(f"  {bar}" for bar in outcome.bars),
        *(f"  {name}  left out: {why}" for name, why in outcome.left_out.items()),
    ]


def last_line(outcomes: Mapping[str, Outcome]) -> tuple[dict[str, float | None], dict[str, object]]:
    """The ratios and the figures of the last line."""
    found = {name: value for each in outcomes.values() for name, value in each.ratios.items()}
    ratios = {name: finite(found[name]) if name in found else None for name in RATIOS}
    return ratios, {name: outcome.as_dict() for name, outcome in outcomes.items()}


def read_conditions(options: argparse.Namespace) -> Conditions:
    """The conditions that the options give; without them the bundle of this clone and the first two cores.

    Raises:
        DataError: nothing was built, or there is only one core.
    """
    cores = options.cores or sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        raise DataError(
            f"{len(cores)} core for server and generator together",
            expected="a core for each",
            next_step="give both with --cores, the same twice if the figures are not to be believed",
        )
    bundle = options.bundle or built_file(ROOT, "gate/bundle/manifest.json").parent
    return Conditions(
        root=ROOT,
        bundle=bundle.resolve(),
        traffic=read_traffic(bundle, options.texts),
        rounds=options.rounds,
        seconds=options.seconds,
        server_core=cores[0],
        generator_core=cores[1],
    )


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = new_parser(__doc__ or "")
    parser.add_argument("--bundle", type=Path, help="else that of this clone's build")
    parser.add_argument("--part", action="append", choices=[*PARTS], help="else all of them")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of one turn")
    parser.add_argument("--texts", type=Path, help="a text a line; else film reviews")
    cores = "numbers of the system's; else the first two"
    parser.add_argument("--cores", type=int, nargs=2, metavar=("SERVER", "GENERATOR"), help=cores)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
