"""`modelyard shadow`: the command line of a candidate."""

import json
from pathlib import Path

import pytest

from flows.cli import main, make_parser
from pipeline.judge.candidacy import Candidacy
from pipeline.judge.pair_log import PairLog
from pipeline.judge.pairs import Pair
from pipeline.release.state import ReleaseState

PRODUCT = "tiny-sentiment"
NAMED = ["--product", PRODUCT]
SAME = Pair(failed=(False, False), milliseconds=(1.0, 1.0), same_label=True, confidence=(0.9, 0.9))


@pytest.fixture(name="state")
def make_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReleaseState:
    """A product with a champion and a candidate of which ten requests were compared."""
    monkeypatch.chdir(tmp_path)
    state = ReleaseState(tmp_path, PRODUCT)
    state.point_to("a" * 64)
    Candidacy(bundle="b" * 64, folder="releases/b").save(state.candidate)
    log = PairLog(state.pairs, champion="a" * 64, candidate="b" * 64)
    for _ in range(10):
        log.append(SAME)
    return state


@pytest.mark.parametrize("words", [["shadow", *NAMED], ["shadow", "status", *NAMED]])
def test_it_says_how_the_candidate_stands(
    state: ReleaseState, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "candidate bbbbbbbbbbbb, in shadow, beside aaaaaaaaaaaa" in said
    assert "10 requests compared, 0 were not" in said
    assert "undecided, more requests are needed" in said


def test_a_program_gets_json(state: ReleaseState, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shadow", "status", "--json", *NAMED]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["judgement"]["outcome"], found["judgement"]["pairs"]) == ("undecided", 10)


def test_an_undecided_candidate_is_not_promoted(
    state: ReleaseState, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shadow", "promote", *NAMED]) == 1
    assert "expected: the verdict promote" in capsys.readouterr().err
    assert state.candidate.exists()


def test_an_end_keeps_what_was_found(
    state: ReleaseState, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shadow", "stop", *NAMED]) == 0
    assert "not tried any more" in capsys.readouterr().out
    assert not state.candidate.exists()
    assert len(list(state.pairs.iterdir())) == 1
    assert main(["shadow", *NAMED]) == 1


@pytest.mark.parametrize(("text", "share"), [("5%", 0.05), ("0.05", 0.05), ("100%", 1.0)])
def test_a_share_is_percent_or_a_number(text: str, share: float) -> None:
    options = make_parser().parse_args(["shadow", "start", "folder", "--canary", text])
    assert options.canary == pytest.approx(share)
    assert options.other_labels is None


@pytest.mark.parametrize("text", ["5", "101%", "all", "nan"])
def test_another_share_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        make_parser().parse_args(["shadow", "start", "folder", "--canary", text])
    assert "expected a share" in capsys.readouterr().err
