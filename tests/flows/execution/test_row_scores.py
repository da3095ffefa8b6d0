"""Rows are scored by a process beside the server: what it says is told, and it ends with the server."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.execution.row_scores import rescoring, score_request
from flows.execution.rows_to_label import rows_of
from flows.planning.resolution import Variation, resolved
from pipeline.annotation.row_file import RowFile
from pipeline.annotation.score_file import SCORES_FILE, read_scores
from pipeline.annotation.score_request import ScoreRequest
from pipeline.core.errors import PipelineError
from tests.support.labelling import make_project
from tests.support.tiny_models import write_language_model


def _request(root: Path, texts: list[str]) -> ScoreRequest:
    """The request of a project whose checkpoint is a tiny one."""
    make_project(root, texts)
    write_language_model(root / "checkpoint")
    params = resolved(root, Variation())
    request = score_request(root, params, rows_of(root, params.product.name, said=""))
    tiny: dict[str, Any] = {
        "name": "tiny",
        "kind": "folder",
        "path": str(root / "checkpoint"),
        "package": None,
    }
    tiny |= {"revision": None, "sha256": None, "licence": "unknown", "seen": []}
    return replace(request, checkpoint=tiny, max_length=32)


@pytest.mark.soak
def test_the_process_writes_scores_of_the_rows(tmp_path: Path) -> None:
    request = _request(
        tmp_path, [f"the film is {word}" for word in ("good", "bad", "dull", "slow")]
    )
    told: list[str] = []
    scores = read_scores(rescoring(request, root=tmp_path, tell=told.append)(threading.Event()))
    rows = RowFile(Path(request.rows))
    assert sorted(scores.lanes["diverse"].tolist()) == sorted(rows.ids.tolist())
    assert told[-1].startswith("order  reads rows  4/4")


def test_a_checkpoint_that_is_not_there_is_named(tmp_path: Path) -> None:
    request = _request(tmp_path, ["text"])
    gone = replace(request, checkpoint=dict(request.checkpoint) | {"path": "nowhere"})
    with pytest.raises(PipelineError) as error:
        rescoring(gone, root=tmp_path, tell=print)(threading.Event())
    assert "nowhere" in error.value.got
    assert "--order random" in error.value.next_step


def test_it_ends_when_the_server_does(tmp_path: Path) -> None:
    request = _request(tmp_path, ["text"])
    ends = threading.Event()
    ends.set()
    with pytest.raises(PipelineError):
        rescoring(request, root=tmp_path, tell=print)(ends)
    assert not (Path(request.folder) / SCORES_FILE).exists()
