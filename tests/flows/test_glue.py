"""`flows.glue` on official-looking files: learns, reports, submits, and goes on after a stop."""

import importlib
import re
import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from flows.glue import data_sets_seen, official_files, present_tasks, run_glue
from flows.planning.resolution import Variation, resolved, write_build_file
from pipeline.core.errors import DataError, TrainingError
from pipeline.core.files import read_json
from pipeline.core.params import load_params, override, parse_params
from pipeline.glue.encoders import load_encoder
from pipeline.glue.submission import check_submission
from pipeline.glue.tasks import TASKS, diagnostic_file, tasks_seen
from pipeline.glue.train import Settings, run_task
from tests.support.glue_files import write_glue
from tests.support.repository import parameter_values, write_files
from tests.support.tiny_bilm import tiny_language_model
from tests.support.tiny_models import write_language_model, write_model, write_tokenizer

CHANGES = [
    *("compute.threads=1", "finetune.epochs=8", "finetune.batch_size=4"),
    *("finetune.learning_rate=5e-3", "finetune.frozen_layers=0"),
    *("prepare.max_length=32", "pretrain.sequence_length=32"),
]
Glue = Callable[..., Any]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("glue")
    values = override(parameter_values(), CHANGES)
    write_files(root, values)
    write_build_file(root, parse_params(values))
    write_model(root / "encoder")
    write_glue(root / "data")
    return root


def in_this_process(module: str, arguments: Sequence[str], root: Path, *, key: str = "") -> None:
    """As `flows.glue` runs a module, without a new interpreter for each."""
    try:
        importlib.import_module(module).main(arguments)
    except DataError as error:
        raise TrainingError(str(error), expected="0", next_step="") from error


@pytest.fixture
def glue(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Glue:
    """Runs GLUE on the workspace and gives the report."""
    monkeypatch.setattr("flows.glue._run", in_this_process)

    def run(*tasks: str, data: Path = workspace / "data", **options: Any) -> Any:
        given = {"encoder": workspace / "encoder", "seeds": [1], **options}
        params = load_params(workspace / "build.yaml")
        run_glue(workspace, params, data=data, tasks=present_tasks(data, tasks), **given)
        return read_json(workspace / "artifacts/glue/report.json")

    return run


@pytest.mark.soak
def test_tasks_of_every_kind_go_through_to_a_valid_submission(
    workspace: Path, glue: Glue, capsys: pytest.CaptureFixture[str]
) -> None:
    report = glue("CoLA", "STS-B", "MNLI", seeds=(1, 2))
    cola = report["tasks"]["CoLA"]["matthews"]
    assert cola["mean"] > 0.5  # word order tells the two apart
    assert set(cola["seeds"]) == {"1", "2"}
    assert cola["interval"][0] <= cola["mean"] <= cola["interval"][1]
    assert set(report["tasks"]) == {"CoLA", "STS-B", "MNLI-m", "MNLI-mm"}
    assert {"pearson", "spearman"} <= set(report["tasks"]["STS-B"])
    assert report["missing_tasks"] == ["SST-2", "MRPC", "QQP", "QNLI", "RTE", "WNLI"]
    lacking = {f"{name}.tsv" for name in report["missing_tasks"]}
    assert set(report["missing_submissions"]) == lacking
    path = workspace / "artifacts/glue/submission.zip"
    rows = {"CoLA.tsv": 5, "STS-B.tsv": 6, "MNLI-m.tsv": 3, "MNLI-mm.tsv": 3, "AX.tsv": 2}
    with zipfile.ZipFile(path) as archive:
        assert set(archive.namelist()) == set(rows)
    check_submission(path, rows)
    printed = capsys.readouterr().out
    for part in ("CoLA", "matthews", "BERT-base", "Left out, no data: SST-2, MRPC", "QNLI.tsv"):
        assert part in printed


def test_what_is_finished_is_not_trained_again_but_with_other_code_or_rows(
    workspace: Path, glue: Glue, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def trains() -> bool:
        glue("RTE")
        printed = capsys.readouterr().out
        found = "RTE seed 1  0/" in printed
        assert found != ("RTE  seed 1  trained before" in printed)
        return found

    assert trains()
    assert not trains()
    monkeypatch.setattr("flows.planning.codelock.CodeModule.digest", "other code")
    assert trains()
    train = workspace / "data/RTE/train.tsv"
    train.write_text(train.read_text() + "99\tOne more.\tOne more.\tentailment\n")
    assert trains()


def pretrained_bilm(folder: Path) -> None:
    tiny_language_model(vocab_size=200).save_pretrained(folder)
    write_tokenizer(folder)


@pytest.mark.parametrize(
    "write", [write_language_model, pytest.param(pretrained_bilm, marks=pytest.mark.soak)]
)
def test_what_our_own_pretraining_leaves_is_an_encoder_too(
    glue: Glue, write: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    report = glue("MRPC", encoder=tmp_path)
    warned = "frozen_layers and finetune.layer_decay are ignored" in capsys.readouterr().out
    assert warned == (write is pretrained_bilm)
    assert set(report["tasks"]["MRPC"]) >= {"f1", "accuracy"}
    assert report["tasks"]["MRPC"]["seen_by_checkpoint"] is None  # nobody says


def test_one_task_that_fails_leaves_the_others_their_report(
    workspace: Path, glue: Glue, tmp_path: Path
) -> None:
    for name in ("RTE", "MRPC"):
        shutil.copytree(workspace / "data" / name, tmp_path / name)
    train = tmp_path / "MRPC/train.tsv"
    train.write_text(train.read_text(encoding="utf-8").replace("Quality", "Kind"), encoding="utf-8")
    with pytest.raises(TrainingError, match="got: MRPC"):
        glue("MRPC", "RTE", data=tmp_path)
    report = read_json(workspace / "artifacts/glue/report.json")
    assert set(report["tasks"]) == {"RTE"}
    assert "MRPC" in report["missing_tasks"]


def test_the_diagnostic_rows_are_found_where_the_official_script_puts_them(
    workspace: Path, tmp_path: Path
) -> None:
    assert diagnostic_file(tmp_path) is None
    (tmp_path / "diagnostic").mkdir()
    shutil.copy(workspace / "data/AX/test.tsv", tmp_path / "diagnostic/diagnostic.tsv")
    assert diagnostic_file(tmp_path) == tmp_path / "diagnostic/diagnostic.tsv"


def test_a_score_is_answered_in_full_precision_and_a_label_is_not_a_number(workspace: Path) -> None:
    options = {"finetune": load_params(workspace / "build.yaml").finetune, "max_length": 32}
    for name, problem in (("STS-B", "regression"), ("CoLA", "single_label_classification")):
        model, _ = load_encoder(workspace / "encoder", TASKS[name], **options)
        assert model.config.problem_type == problem


def test_data_sets_and_official_files_lead_to_the_same_figures_and_answers(
    workspace: Path, glue: Glue, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("datasets", reason="`datasets` is not installed: `make install` brings it")
    from tests.support.glue_datasets import hub_splits

    hub_splits(workspace / "data", "STS-B").save_to_disk(workspace / "hub/stsb")
    submission = workspace / "artifacts/glue/submission.zip"
    first, zipped = glue("STS-B"), submission.read_bytes()
    data = official_files(workspace, str(workspace / "hub"), [])
    capsys.readouterr()
    assert glue(data=data) == first
    assert submission.read_bytes() == zipped
    assert "STS-B seed 1  0/" in capsys.readouterr().out  # trained on those rows, not found


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        ("train.tsv", "99\ta\tb\tmaybe", "RTE/train.tsv, row 2: label 'maybe'"),
        ("dev.tsv", "99\ta\tb\t4.5", "RTE/dev.tsv, row 2: label '4.5'"),
        ("test.tsv", "one\ttab\ttoo\tmany", "RTE/test.tsv, row 2: 4 columns"),
    ],
)
def test_a_broken_row_in_any_file_stops_the_task_and_leaves_no_answers(
    workspace: Path, tmp_path: Path, file: str, line: str, message: str
) -> None:
    shutil.copytree(workspace / "data/RTE", tmp_path / "RTE")
    path = tmp_path / "RTE" / file
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:2], line]) + "\n", encoding="utf-8")
    params, work = load_params(workspace / "build.yaml"), tmp_path / "work"
    settings = Settings(
        compute=params.compute,
        finetune=params.finetune,
        max_length=32,
        checkpoint=params.prepare.checkpoint,
    )
    with pytest.raises(DataError, match=re.escape(message)):
        run_task(TASKS["RTE"], tmp_path, workspace / "encoder", settings=settings, work=work)
    assert not work.exists()  # not even a first step was made


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--tasks SNLI", "--tasks 'SNLI'"),
        ("--tasks QQP", "no folder QQP"),
        ("--data nowhere", "no task's folder in nowhere"),
        ("--tasks CoLA --seeds 1,two", "--seeds '1,two'"),
        ("--tasks CoLA --set finetune.epoch=1", "did you mean `epochs`?"),
        ("--tasks CoLA --encoder data", "no config.json in data"),
        ("--tasks CoLA --seen SNLi", "--seen 'SNLi'"),
        ("--tasks CoLA finetune.patience=2", "got: finetune.patience=2"),
    ],
)
def test_bad_input_gets_one_message_and_leaves_earlier_results(
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: str,
    message: str,
) -> None:
    report = workspace / "artifacts/glue/report.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text("earlier")
    monkeypatch.chdir(workspace)
    assert main(["glue", "--data", "data", *arguments.split()]) == 1
    assert message in capsys.readouterr().err
    assert report.read_text() == "earlier"


def test_a_data_set_flatters_the_tasks_that_hold_its_rows() -> None:
    assert tasks_seen(["SNLI"]) == {"MNLI"}
    assert tasks_seen(["SQuAD", "QQP"]) == {"QNLI", "QQP"}
    assert tasks_seen(["RTE", "some corpus"]) == {"RTE"}
    assert all(name in tasks_seen([name]) for name in TASKS)


@pytest.mark.parametrize(
    ("encoder", "start", "given", "expected"),
    [
        (None, "checkpoint", None, ["of the checkpoint"]),
        ("artifacts/pretrain/model", "checkpoint", None, ["of the checkpoint"]),
        ("artifacts/pretrain/model", "random", None, []),
        ("artifacts/finetune/model", "random", None, ["of the checkpoint"]),
        ("downloads/bert", "checkpoint", None, None),
        ("downloads/bert", "checkpoint", ["QQP"], ["QQP"]),
        ("downloads/bert", "checkpoint", [], []),
    ],
)
def test_what_began_with_the_checkpoint_has_seen_what_it_has_seen(
    workspace: Path,
    encoder: str | None,
    start: str,
    given: list[str] | None,
    expected: list[str] | None,
) -> None:
    changes = ["prepare.checkpoint.seen=[of the checkpoint]", f"pretrain.start={start}"]
    params = resolved(workspace, Variation(changes=changes))
    folder = None if encoder is None else workspace / encoder
    artifacts = workspace / "artifacts"
    assert data_sets_seen(params, folder, artifacts=artifacts, given=given) == expected
