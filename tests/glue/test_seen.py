"""Tasks that a checkpoint was trained on are known from its entry or from the user."""

from pathlib import Path

import pytest

from pipeline.core.errors import ParameterError
from pipeline.core.params import Params, load_params
from pipeline.glue.seen import data_sets_of, data_sets_seen, tasks_seen
from pipeline.glue.tasks import TASKS
from tests.support.repository import PARAMS


@pytest.fixture(name="params", scope="module")
def read_params() -> Params:
    return load_params(PARAMS)


def test_a_data_set_flatters_the_tasks_that_hold_its_rows() -> None:
    assert tasks_seen(["SNLI"]) == {"MNLI", "AX"}
    assert tasks_seen(["SQuAD", "QQP"]) == {"QNLI", "QQP"}
    assert tasks_seen(["RTE", "some corpus"]) == {"RTE"}
    assert all(name in tasks_seen([name]) for name in TASKS)


def test_what_began_with_the_checkpoint_has_seen_what_it_has_seen(
    params: Params, tmp_path: Path
) -> None:
    def seen(
        encoder: str | None, start: str = "checkpoint", given: list[str] | None = None
    ) -> object:
        pretrain = params.pretrain.model_copy(update={"start": start})
        folder = None if encoder is None else tmp_path / encoder
        return data_sets_seen(
            params.model_copy(update={"pretrain": pretrain}),
            folder,
            artifacts=tmp_path / "artifacts",
            given=given,
        )

    checkpoint = params.prepare.checkpoint.seen
    assert checkpoint
    assert seen(None) == checkpoint
    assert seen("artifacts/pretrain/model") == checkpoint
    assert seen("artifacts/pretrain/model", start="random") == []
    assert seen("artifacts/finetune/model", start="random") == checkpoint
    assert seen("downloads/bert") is None
    assert seen("downloads/bert", given=["QQP"]) == ["QQP"]


def test_a_name_that_flatters_nothing_is_refused_and_none_is_an_answer() -> None:
    assert data_sets_of("MultiNLI, STS-B") == ["MultiNLI", "STS-B"]
    assert data_sets_of("") == []
    with pytest.raises(ParameterError, match="'MultiNLi'"):
        data_sets_of("QQP,MultiNLi")
