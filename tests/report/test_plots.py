"""Pictures of evaluations that have little to show, or labels in letters that few fonts have."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from pipeline.acceptance.judge import Judged
from pipeline.report import fonts
from pipeline.report.answer_plots import PICTURES
from pipeline.report.plots import slices_figure, write_png
from tests.support.example_artifacts import slice_report


def test_slices_of_which_none_has_enough_rows_give_a_picture_that_says_so(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = slices_figure({"pruned-int8": [slice_report("rare")]}, score="accuracy")
        write_png(tmp_path / "slices.png", figure)
    assert "enough rows" in figure.axes[0].texts[0].get_text()


def own_font() -> tuple[str, str]:
    return fonts._families()[0]


def confusion(path: Path, labels: list[str]) -> None:
    """The picture of one variant's answers to two rows."""
    judged = Judged(
        gold=np.array([0, 1]),
        answers=np.array([0, 1]),
        scores=np.eye(2),
        abstained=np.zeros(2, bool),
    )
    _, draw = PICTURES["classification"]
    write_png(path, draw({"pruned-int8": judged}, labels=labels))


def test_labels_that_no_font_has_are_said_once_and_not_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = own_font()
    monkeypatch.setattr(fonts, "_families", lambda: [own])  # a machine with no other
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        confusion(tmp_path / "confusion.png", ["긍정", "부정"])
    [line] = capsys.readouterr().out.splitlines()
    assert "confusion.png shows boxes in place of 긍부정" in line
    assert "fonts-noto-cjk" in line
    confusion(tmp_path / "confusion.png", ["negative", "größer"])
    assert capsys.readouterr().out == ""


def test_another_font_of_the_machine_draws_what_the_first_has_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    confusion(tmp_path / "a.png", ["\u210a", "b"])
    confusion(tmp_path / "b.png", ["\u24ea", "b"])
    assert capsys.readouterr().out == ""
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()  # boxes are alike
