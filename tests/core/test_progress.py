"""What a person sees of long work: the share done, the figures, the time left, and the end."""

import pytest

from pipeline.core.progress import Progress, say, track


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_work_is_announced_reported_and_ended(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress("finetune", 4, interval=0)
    progress.update(1, loss=0.41234, **{"tokens/s": 1210.4})
    progress.update(4, loss=0.3)
    begun, half, ended = lines(capsys)
    assert begun == "finetune  0/4"
    assert half.startswith("finetune  1/4  25%  loss 0.4123  tokens/s 1,210  ")
    assert half.endswith(" left")
    assert ended.startswith("finetune  4/4  100%  loss 0.3  in ")


def test_a_stage_of_several_trainings_says_how_long_all_of_it_takes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress = Progress("finetune related", 2, later=6.0, interval=0)
    progress._started -= 10.0
    progress.update(1)
    progress.update(2)
    _, half, ended = lines(capsys)
    assert half.endswith("10s left, 1m10s of the stage")
    assert ended.endswith("in 10s, 30s of the stage")


def test_between_two_reports_it_is_silent_but_the_end_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress = Progress("distill", 1000, interval=3600)
    for done in range(1, 1001):
        progress.update(done)
    assert [line.split("  ")[1] for line in lines(capsys)] == ["0/1000", "1000/1000"]


def test_resumed_work_begins_where_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    Progress("pretrain", 10, done=6).update(10)
    assert [line.split("  ")[1] for line in lines(capsys)] == ["6/10", "10/10"]


def test_tracked_items_come_unchanged_and_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track("abc", "prepare", 3)) == ["a", "b", "c"]
    assert lines(capsys)[-1].startswith("prepare  3/3  100%")
    assert list(track([], "prepare", 0)) == []
    assert lines(capsys) == []


def test_words_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    say("a line")
    Progress("transfer", 2).update(2, unit="tokens")
    assert lines(capsys)[0] == "a line"
