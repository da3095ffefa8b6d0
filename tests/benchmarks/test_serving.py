"""The benchmark of serving: its options, its last line, and what its parts make of what they measured."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.serving import PARTS, RATIOS, last_line, parse, read_conditions, table
from benchmarks.support import serving_mixed, serving_overhead, serving_peers
from benchmarks.support.load_figures import Answers, Bar, Outcome
from benchmarks.support.serving_overload import seconds_until, under_overload
from benchmarks.support.serving_peers import first_named
from benchmarks.support.serving_swaps import versions
from benchmarks.support.serving_vanish import METRIC, counter_in
from pipeline.core.errors import DataError
from tests.support.tiny_bundle import make_tiny_bundle


def answered(milliseconds: list[float], status: list[int], **more: object) -> Answers:
    """Answers of requests that were due each second and sent in time."""
    due = np.arange(float(len(status)))
    times = {"due": due, "sent": due, "done": due + np.array(milliseconds) / 1000}
    return Answers(**times, status=np.array(status), **more)


def test_the_last_line_has_every_ratio_and_null_for_those_that_no_part_filled() -> None:
    bar = Bar(name="share_of_raw", value=0.85, limit=0.8, at_least=True)
    outcome = Outcome(figures={"rate": 10.0}, ratios={"share_of_raw": 0.85}, bars=[bar])
    ratios, figures = last_line({"overhead": outcome})
    assert tuple(ratios) == RATIOS
    assert {name for name, value in ratios.items() if value is not None} == {"share_of_raw"}
    assert json.loads(json.dumps(figures)) == {"overhead": outcome.as_dict()}


def test_the_table_names_figures_bars_and_what_was_left_out() -> None:
    bar = Bar(name="p99_ms", value=7.0, limit=5.0)
    lines = table(Outcome(figures={"p99_ms": 7.0}, bars=[bar], left_out={"x": "no such option"}))
    assert ["p99_ms" in lines[0], "MISSED" in lines[1]] == [True, True]
    assert lines[2].endswith("x  left out: no such option")


def test_without_options_every_part_runs_in_five_rounds() -> None:
    options = parse([])
    assert (options.part, options.rounds, options.cores) == (None, 5, None)
    assert parse(["--part", "mixed", "--part", "start"]).part == ["mixed", "start"]
    assert set(PARTS) == {
        *("overhead", "peers", "mixed", "overload", "start", "shadow"),
        *("swaps", "vanish", "sockets"),
    }


def test_a_bundle_that_peers_could_not_serve_is_refused(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    options = parse(["--bundle", str(tmp_path / "bundle"), "--cores", "0", "0"])
    with pytest.raises(DataError, match="16 tokens"):
        read_conditions(options)


def test_overhead_is_the_difference_of_two_times_a_request() -> None:
    rates = {"raw": 2000.0, "ours": 1600.0, "ours_at_one": 1500.0, "generator_ceiling": 32_000.0}
    found = serving_overhead.judged(rates)
    assert found.ratios == pytest.approx({"overhead_us": 125.0, "share_of_raw": 0.8})
    assert {bar.name: bar.reached for bar in found.bars} == {
        "overhead_us": False,
        "share_of_raw": True,
        "share_of_raw_at_one": True,
        "ceiling_over_ours": True,
    }


def test_the_best_peer_is_the_quickest_but_plain_fastapi() -> None:
    rates = {"ours": 1200.0, "litserve": 300.0, "mlflow": 400.0, "fastapi": 800.0}
    half = {f"{name}_p99_at_half_ms": 4.0 for name in rates}
    half |= {f"ours_p99_at_half_of_{name}_ms": 2.0 for name in ("litserve", "mlflow")}
    half |= {"ours_p99_at_half_of_fastapi_ms": 6.0}
    found = serving_peers.judged(rates, half, {"bentoml": "no network"})
    assert found.ratios == pytest.approx({"vs_best_peer": 3.0, "vs_fastapi": 1.5})
    missed = [bar.name for bar in found.bars if not bar.reached]
    assert missed == ["p99_over_fastapi"]
    assert found.left_out == {"bentoml": "no network"}


def test_without_peers_there_is_no_ratio_to_them() -> None:
    found = serving_peers.judged({"ours": 1200.0}, {}, {"fastapi": "no network"})
    assert (found.ratios, found.bars) == ({}, [])


def test_the_first_label_that_a_body_names_is_its_answer() -> None:
    labels = ("negative", "positive")
    body = b'[[{"label":"positive","score":0.9},{"label":"negative","score":0.1}]]'
    assert first_named(body, labels) == "positive"
    assert first_named(b'{"error":"busy"}', labels) is None


def test_mixed_load_is_compared_with_first_come_first_served_or_says_why_not() -> None:
    ours = {"single_p99_ms": 4.0, "longest_wait_ms": 900.0, "large_per_s": 9.0}
    fifo = {"single_p99_ms": 40.0, "longest_wait_ms": 900.0, "large_per_s": 10.0}
    found = serving_mixed.judged(ours, fifo)
    assert found.ratios == pytest.approx({"p99_vs_fifo": 0.1})
    assert all(bar.reached for bar in found.bars)
    alone = serving_mixed.judged(ours, None, why="no such option")
    assert (alone.ratios, alone.left_out["p99_vs_fifo"]) == ({}, "no such option")


def test_goodput_counts_answers_within_the_deadline_over_the_capacity() -> None:
    times = [50.0, 99.0, 130.0, 5.0, 8.0, math.nan, 101.0]
    found = under_overload(
        answered(times, [200, 200, 200, 503, 503, 0, 504]), capacity=1.0, seconds=4.0
    )
    assert found["goodput_share"] == 0.5
    assert found["late_share"] == 0.5
    assert found["refusal_p99_ms"] == pytest.approx(8.0)
    assert found["otherwise_failed"] == 1


def test_a_server_is_normal_once_all_but_one_in_a_hundred_are_quick() -> None:
    quick = [1.0] * 200
    assert seconds_until(answered(quick, [200] * 200), limit=2.0) == 0
    slow = [9.0, 9.0, 9.0, 9.0, *quick[4:]]
    assert seconds_until(answered(slow, [200] * 200), limit=2.0) == 1
    refused = [503] * 5 + [200] * 195
    assert seconds_until(answered(quick, refused), limit=2.0) == 2


def test_the_counter_of_metrics_is_the_sum_of_its_series() -> None:
    text = f'# HELP {METRIC} Texts.\n{METRIC}{{worker="1"}} 3\n{METRIC}{{worker="2"}} 4.0\n'
    assert counter_in(text, METRIC) == 7
    assert counter_in(f"{METRIC} 5\n{METRIC}_created 9\n", METRIC) == 5
    assert counter_in("other_total 1\n", METRIC) is None


def answer(body_hash: str, label: str, header: str | None = None) -> bytes:
    head = "HTTP/1.1 200 OK" + (f"\r\nBundle-Hash: {header}" if header else "")
    body = {"predictions": [{"label": label}], "model": {"hash": body_hash}}
    return f"{head}\r\n\r\n{json.dumps(body)}".encode()


def test_an_answer_of_another_model_than_it_names_is_found() -> None:
    expected = {"aa": ["negative", "positive"], "bb": ["positive", "negative"]}
    kept = {
        0: answer("aa", "negative", "aa"),
        1: answer("bb", "negative", "bb"),
        2: answer("bb", "negative", "bb"),  # what "aa" says of this text
        3: answer("bb", "negative", "aa"),  # two names
        4: answer("cc", "negative"),  # nobody's
        5: answer("aa", "positive"),
    }
    found = versions(answered([1.0] * 6, [200] * 6, kept=kept), expected)
    assert found == {"wrong_versions": 3, "without_header": 2, "swaps_seen": 3}
