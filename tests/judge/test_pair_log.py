"""The file of pairs: it outlives processes, is shared by several, and holds no text."""

import json
from pathlib import Path

import pytest

from pipeline.judge.pair_log import Missed, PairLog
from pipeline.judge.pairs import Pair

PAIR = Pair(failed=(False, False), milliseconds=(0.5, 0.6), same_label=True, confidence=(0.9, 0.8))
FAILED = Pair(failed=(False, True), milliseconds=(0.5, 0.1), same_label=None, confidence=None)


@pytest.fixture(name="log")
def make_log(tmp_path: Path) -> PairLog:
    return log_in(tmp_path)


def log_in(folder: Path) -> PairLog:
    return PairLog(folder / "shadow", champion="a" * 64, candidate="b" * 64)


def test_a_new_trial_has_no_lines(log: PairLog) -> None:
    assert list(log.read_new()) == []


def test_pairs_are_read_back_once_in_their_order(log: PairLog) -> None:
    for line in (PAIR, FAILED, Missed(dropped=3)):
        log.append(line)
    assert list(log.read_new()) == [PAIR, FAILED, Missed(dropped=3)]
    assert list(log.read_new()) == []
    log.append(PAIR)
    assert list(log.read_new()) == [PAIR]


def test_two_processes_read_what_either_wrote(log: PairLog, tmp_path: Path) -> None:
    other = log_in(tmp_path)
    log.append(PAIR)
    other.append(FAILED)
    assert list(log.read_new()) == list(other.read_new()) == [PAIR, FAILED]


def test_a_torn_line_is_counted_and_spoils_no_other(log: PairLog, tmp_path: Path) -> None:
    log.append(PAIR)
    with log.path.open("ab") as stream:
        stream.write(b'{"failed":[false,fal')
    assert list(log.read_new()) == [PAIR]
    again = log_in(tmp_path)
    again.append(FAILED)
    assert list(again.read_new()) == [PAIR, FAILED]
    assert again.damaged == 1


def test_another_pair_of_bundles_has_another_file(log: PairLog, tmp_path: Path) -> None:
    log.append(PAIR)
    other = PairLog(tmp_path / "shadow", champion="b" * 64, candidate="a" * 64)
    assert list(other.read_new()) == []


def test_a_line_holds_figures_alone(log: PairLog) -> None:
    log.append(PAIR)
    assert json.loads(log.path.read_text(encoding="utf-8")) == {
        "failed": [False, False],
        "milliseconds": [0.5, 0.6],
        "same_label": True,
        "confidence": [0.9, 0.8],
    }
