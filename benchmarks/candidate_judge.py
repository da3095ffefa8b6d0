"""How often the judge of a candidate errs, and after how many requests it finds a planted fault.

    python -m benchmarks.candidate_judge                                  # the table of docs/guide/shadow.md
    python -m benchmarks.candidate_judge --simulations 200 --requests 2000
    python -m benchmarks.candidate_judge --other-labels 0.05 --seed 7

Each simulation is a stream of requests that both models answer; the judge looks at it every 50. Equal
candidates stand at the edge of what is allowed: as many failures, the same distribution of times with
spikes, as many other labels as allowed, the same confidence. The last line is JSON.
"""

import sys
from collections.abc import Mapping

from benchmarks.support.command_line import new_parser, print_result
from benchmarks.support.judged_streams import KINDS, Kind, Tally, World, simulate
from pipeline.judge.judgement import LOOK_EVERY, Allowance, JudgeLimits, Outcome

_FOUND_SHARE = 0.95
_HEAD = f"{'candidate':<31} {'rolled back':>11} {'promoted':>9} {'undecided':>10}  in 95 of 100"


def main() -> int:
    """Prints the table, then one line of JSON."""
    parser = new_parser(__doc__ or "")
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--requests", type=int, default=10_000, help="of each simulation")
    parser.add_argument("--other-labels", type=float, default=0.02, help="share that is allowed")
    parser.add_argument("--failures", type=float, default=0.01, help="share that champions fail")
    parser.add_argument("--noise", type=float, default=0.15, help="of times, as a logarithm")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    limits = JudgeLimits(other_label=Allowance(allowed=options.other_labels, margin=0.01))
    world = World(failures=options.failures, noise=options.noise, other_labels=options.other_labels)
    print(f"a look every {LOOK_EVERY} requests, {options.simulations:,} simulations of each line")
    print(_HEAD)
    tallies = {}
    for number, (name, kind) in enumerate(KINDS.items()):
        wrong: Outcome = "promote" if kind.right == "roll back" else "roll back"
        tallies[name] = simulate(
            kind.make(world),
            limits=limits,
            simulations=options.simulations,
            requests=options.requests,
            seed=1000 * options.seed + number,
            verdicts=[wrong] if kind.alone else ["roll back", "promote"],
        )
        print(as_line(name, tallies[name], kind), flush=True)
    print_result("candidate_judge", ratios=ratios_of(tallies), figures=figures_of(tallies))
    return 0


def as_line(name: str, tally: Tally, kind: Kind) -> str:
    """The table's line of one kind of candidate."""
    by = tally.within(kind.right, _FOUND_SHARE)
    return (
        f"{name:<31} {tally.share('roll back'):>11.1%} {tally.share('promote'):>9.1%} "
        f"{tally.share('undecided'):>10.1%}  {'-' if by is None else f'{kind.right} by {by:,}'}"
    )


def ratios_of(tallies: Mapping[str, Tally]) -> dict[str, float | None]:
    """The shares of each kind of candidate that were rolled back."""
    return {name: round(tally.share("roll back"), 4) for name, tally in tallies.items()}


def figures_of(tallies: Mapping[str, Tally]) -> dict[str, object]:
    """The requests within which 95 % of the simulations had their right verdict, and the promotions."""
    return {
        name: {
            "right_by": tally.within(KINDS[name].right, _FOUND_SHARE),
            "promoted": round(tally.share("promote"), 4),
        }
        for name, tally in tallies.items()
    }


if __name__ == "__main__":
    sys.exit(main())
