"""Pictures of evaluations that have little to show."""

import warnings
from pathlib import Path

from pipeline.report.plots import slices_figure, write_png
from tests.support.example_artifacts import slice_report


def test_slices_of_which_none_has_enough_rows_give_a_picture_that_says_so(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = slices_figure({"pruned-int8": [slice_report("rare")]}, score="accuracy")
        write_png(tmp_path / "slices.png", figure)
    assert "enough rows" in figure.axes[0].texts[0].get_text()
