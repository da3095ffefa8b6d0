"""Language models: speed of masked pretraining, and honest scores of the bidirectional one.

    python -m benchmarks.pretraining                      # after a build, which leaves the corpus
    python -m benchmarks.pretraining --minutes 5 --no-speed

Speed: tokens a second of our objective (head on the masked positions alone) and of the recipe that
transformers gives as an example (`run_mlm.py`: full softmax over every position, batches of 8, float32,
its Trainer), the same 4-layer, 256-wide BERT on the same packed rows, interleaved, each in a process of
its own.

Scores: a bidirectional LSTM language model of bytes' BPE tokens, trained for `--minutes` on the IMDb
reviews, in bits a byte of held-out reviews, forward and backward, each review by itself from its first
byte to its end. Beside it, on the same bytes: unigrams and 5-grams with modified Kneser-Ney smoothing
over the same tokens, forward and backward, and xz that has seen the training text. The tokenizer is
trained on the training reviews alone, keeps case and loses nothing, so every model pays for every byte.
"""

import argparse
import dataclasses
import itertools
import json
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.support.apart import in_own_process
from benchmarks.support.pretraining_runs import (
    Corpus,
    Watched,
    counted_scores,
    mlm_engines,
    open_corpus,
    train_bilm,
)
from flows.planning.machine import describe_machine

ROOT = Path(__file__).resolve().parents[1]


def speed(corpus: Corpus, folder: Path, *, rounds: int, sequences: int) -> dict[str, float]:
    """Median tokens a second over interleaved rounds."""
    with ExitStack() as stack:
        engines = {
            name: stack.enter_context(in_own_process(train))
            for name, train in mlm_engines(ROOT, corpus, folder).items()
        }
        rates: dict[str, list[float]] = {name: [] for name in engines}
        for number in range(rounds):
            for name, train in engines.items():
                rates[name].append(train(sequences))
                print(
                    f"round {number + 1}/{rounds}  {name}  {rates[name][-1]:,.0f} tokens/s",
                    flush=True,
                )
    return {name: statistics.median(found) for name, found in rates.items()}


def scores(corpus: Corpus, folder: Path, *, minutes: float) -> dict[str, Any]:
    """Bits a byte of every model, and the curve of the neural one."""
    figures: dict[str, Any] = counted_scores(corpus)
    for name, value in figures.items():
        print(f"{name}  {value:.4f} bits a byte", flush=True)
    watched: list[Watched] = train_bilm(ROOT, corpus, folder, minutes=minutes)
    last = watched[-1]
    figures |= {"bilm_forward": last.forward, "bilm_backward": last.backward}
    figures["bilm_crosses_kneser_ney_at_seconds"] = {
        direction: crossing(
            [(point.seconds, getattr(point, direction)) for point in watched],
            figures[f"kneser_ney_5_{direction}"],
        )
        for direction in ("forward", "backward")
    }
    return figures | {"bilm_curve": [dataclasses.asdict(point) for point in watched]}


def crossing(curve: Sequence[tuple[float, float]], level: float) -> float | None:
    """Seconds at which a falling curve of `(seconds, value)` first meets `level`; None if it does not."""
    for before, after in itertools.pairwise(curve):
        if after[1] <= level < before[1]:
            share = (before[1] - level) / (before[1] - after[1])
            return before[0] + share * (after[0] - before[0])
    return curve[0][0] if curve and curve[0][1] <= level else None


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0, help="of training the biLM; 0: none")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sequences", type=int, default=320, help="packed rows of each round")
    parser.add_argument("--no-speed", action="store_true", help="leave the comparison of speed out")
    options = parser.parse_args()
    ratios: dict[str, float] = {}
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="pretraining-") as name:
        folder = Path(name)
        corpus = open_corpus(ROOT)
        if not options.no_speed:
            rates = speed(corpus, folder, rounds=options.rounds, sequences=options.sequences)
            ratios["mlm_vs_recipe"] = rates["ours"] / rates["recipe"]
            figures["mlm_tokens_per_second"] = rates
        if options.minutes:
            found = scores(corpus, folder, minutes=options.minutes)
            figures["bits_per_byte"] = found
            for direction in ("forward", "backward"):
                key = f"bilm_vs_kneser_ney_{direction}"
                ratios[key] = found[f"bilm_{direction}"] / found[f"kneser_ney_5_{direction}"]
    print(
        json.dumps(
            {
                "benchmark": "pretraining",
                "machine": describe_machine(),
                "ratios": ratios,
                "figures": figures,
            }
        )
    )


if __name__ == "__main__":
    main()
