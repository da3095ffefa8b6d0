"""Language models: the speed of masked pretraining, and the bits per byte of the bidirectional one.

    python -m benchmarks.pretraining                      # after a build, which leaves the corpus
    python -m benchmarks.pretraining --minutes 5 --no-speed

Speed: tokens a second of our objective (the head runs on masked positions only) and of
transformers' example recipe (`run_mlm.py`: full softmax over every position, batches of 8, float32,
its Trainer). Both train the same 4-layer, 256-wide BERT on the same packed rows, in interleaved
rounds, each in its own process.

Scores: a bidirectional LSTM language model over byte-level BPE tokens is trained for `--minutes` on
the IMDb reviews and scored in bits per byte of held-out reviews, forward and backward, each review
by itself from its first byte to its end. Baselines on the same bytes: unigrams and 5-grams with
modified Kneser-Ney smoothing over the same tokens, forward and backward, and xz primed with the
training text. The tokenizer is trained on the training reviews only, keeps case and loses nothing,
so that every byte is charged for in every model.
"""

import dataclasses
import itertools
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.support import pretraining_runs as runs
from benchmarks.support.apart import in_own_process
from benchmarks.support.command_line import median_rates, new_parser, print_result
from benchmarks.support.demonstration import demonstration

ROOT = Path(__file__).resolve().parents[1]


def speed(corpus: runs.Corpus, folder: Path, *, rounds: int, sequences: int) -> dict[str, float]:
    """Median tokens a second over interleaved rounds."""
    with ExitStack() as stack:
        engines = {
            name: partial(stack.enter_context(in_own_process(train)), sequences)
            for name, train in runs.mlm_engines(ROOT, corpus, folder).items()
        }
        return median_rates(engines, rounds=rounds)


def scores(corpus: runs.Corpus, folder: Path, *, minutes: float) -> dict[str, Any]:
    """The bits per byte of every model, and the curve of the neural one."""
    figures: dict[str, Any] = runs.counted_scores(corpus)
    for name, value in figures.items():
        print(f"{name}  {value:.4f} bits per byte", flush=True)
    watched: list[runs.Watched] = runs.train_bilm(ROOT, corpus, folder, minutes=minutes)
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
    """Seconds at which a falling curve of `(seconds, value)` reaches `level`; None if never."""
    for before, after in itertools.pairwise(curve):
        if after[1] <= level < before[1]:
            share = (before[1] - level) / (before[1] - after[1])
            return before[0] + share * (after[0] - before[0])
    return curve[0][0] if curve and curve[0][1] <= level else None


def main() -> None:
    """Command line."""
    parser = new_parser(__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="of training the biLM; 0: none")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sequences", type=int, default=320, help="packed rows per round")
    parser.add_argument("--no-speed", action="store_true", help="skip the comparison of speed")
    options = parser.parse_args()
    ratios: dict[str, float] = {}
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="pretraining-") as name:
        folder = Path(name)
        with demonstration(ROOT) as built:
            corpus = runs.open_corpus(built)
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
    print_result("pretraining", ratios=ratios, figures=figures)


if __name__ == "__main__":
    main()
