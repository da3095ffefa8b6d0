"""How much longer callers wait while a candidate is tried in the server's idle time.

    python -m benchmarks.shadow_delay                           # small bundles of its own
    python -m benchmarks.shadow_delay --bundle FOLDER           # the model of a build, twice
    python -m benchmarks.shadow_delay --rounds 9 --requests 2000 --rate 200

One server; in turns a candidate is named and taken away. Single texts are sent at a steady rate, from their
intended times, so that a late answer delays no request after it unseen. The last line is JSON.
"""

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.rollback_time import two_bundles
from benchmarks.support.command_line import new_parser, print_result
from pipeline.core.files import sha256_file
from pipeline.judge.candidacy import Candidacy
from pipeline.judge.judgement import Allowance, JudgeLimits
from pipeline.judge.pair_log import PairLog
from pipeline.judge.pairs import Pair
from tests.support.server import run_server

TEXTS = (
    "a warm funny film",
    "not bad at all, though the middle drags a little",
    "dull and awful: the plot goes nowhere, nobody means what they say, and it takes two hours",
)
_ENDLESS = JudgeLimits(error=Allowance(allowed=0.0, margin=1e-9))
"""Nobody is ever shown to be no worse than by so little, so the comparison goes on."""
_SETTLE_SECONDS = 1.5
Rounds = dict[str, list[list[float]]]


def main() -> int:
    """Prints each round, then one line of JSON."""
    parser = new_parser(__doc__ or "")
    parser.add_argument("--bundle", type=Path, help="of a build; else small ones")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=500, help="of a round, with and without")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundles = two_bundles(folder, options.bundle)
        times, pairs = measured(
            folder, bundles, rounds=options.rounds, requests=options.requests, rate=options.rate
        )
    figures = {
        f"{kind}_{percentile}_ms": round(value, 3)
        for kind, rounds in times.items()
        for percentile, value in percentiles(rounds).items()
    }
    ratios: dict[str, float | None] = {
        percentile: round(figures[f"shadow_{percentile}_ms"] / figures[f"alone_{percentile}_ms"], 3)
        for percentile in ("p50", "p99")
    }
    print_result("shadow_delay", ratios=ratios, figures={**figures, "pairs": pairs})
    return 0


def measured(
    folder: Path, bundles: list[Path], *, rounds: int, requests: int, rate: float
) -> tuple[Rounds, int]:
    """Milliseconds of each request, by round, with a candidate and without; and how many pairs came."""
    champion, candidate = (sha256_file(path / "manifest.json") for path in bundles)
    pointer, kept = folder / "candidate.json", folder / "shadow"
    words = ("--bundle", str(bundles[0]), "--candidate", str(pointer), "--pairs", str(kept))
    times: Rounds = {"shadow": [], "alone": []}
    with (
        run_server(folder, *words) as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        for number in range(1, rounds + 1):
            for kind, found in times.items():
                if kind == "shadow":
                    named = Candidacy(bundle=candidate, folder=bundles[1].name, limits=_ENDLESS)
                    named.save(pointer)
                else:
                    pointer.unlink()
                time.sleep(_SETTLE_SECONDS)
                found.append(steadily(client, requests=requests, rate=rate))
                shown = {name: round(value, 2) for name, value in percentiles(found[-1:]).items()}
                print(f"round {number}/{rounds}  {kind:<6}  {shown} ms", flush=True)
    lines = PairLog(kept, champion=champion, candidate=candidate).read_new()
    return times, sum(isinstance(line, Pair) for line in lines)


def steadily(client: httpx.Client, *, requests: int, rate: float) -> list[float]:
    """Milliseconds from each request's intended time to its answer, `(requests,)`."""
    begun, found = time.perf_counter(), []
    for number in range(requests):
        intended = begun + number / rate
        time.sleep(max(0.0, intended - time.perf_counter()))
        text = random.choice(TEXTS)  # noqa: S311 - a sample, no secret
        client.post("predict", json={"text": text}).raise_for_status()
        found.append(1000 * (time.perf_counter() - intended))
    return found


def percentiles(rounds: list[list[float]]) -> dict[str, float]:
    """Medians over the rounds of the 50th and the 99th percentile, milliseconds."""
    cuts = [statistics.quantiles(times, n=100) for times in rounds]
    return {f"p{p}": statistics.median(cut[p - 1] for cut in cuts) for p in (50, 99)}


if __name__ == "__main__":
    sys.exit(main())
