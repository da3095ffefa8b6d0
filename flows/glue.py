"""GLUE, task by task: fine-tune an encoder on the official files, print a table, pack a submission.

    modelyard glue --data DIR                                # every task whose folder is there
    modelyard glue --data DIR --tasks CoLA,MRPC --seeds 1,2,3
    modelyard glue --data DIR --encoder artifacts/pretrain/model finetune.frozen_layers=0
    modelyard glue --datasets NAME_OR_FOLDER                 # what the `datasets` library reads

DIR holds one folder a task (CoLA, SST-2, MRPC, STS-B, QQP, MNLI, QNLI, RTE, WNLI, and AX or
diagnostic for the diagnostic rows), as the benchmark's own script leaves them. NAME_OR_FOLDER is a
folder of data sets or a hub name (`pipeline/glue/from_datasets.py`); its rows are first written as
official files. The encoder is `prepare.checkpoint` unless a folder is named: any checkpoint that
transformers knows, or what our own pretraining wrote, BERT or biLM.

Each task and seed is trained in a process of its own. It is not trained again while data, encoder,
parameters and training code are the same, so a killed run continues. Results are in
artifacts/glue/.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.planning.codelock import CodeLock
from pipeline.core.errors import DataError, ParameterError, TrainingError
from pipeline.core.files import sha256_file, sha256_tree
from pipeline.core.params import Params, override, parse_params, parse_yaml
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.stage import INPUT_KEY_VARIABLE
from pipeline.glue.seen import data_sets_of, data_sets_seen
from pipeline.glue.tasks import TASKS, diagnostic_file

_UNUSED = ("seeds", "keep", "class_weights", "patience", "related", "adapt")
"""Parameters of `finetune` that are the product's alone."""
_KEY_LENGTH = 16
_CODE = Path(__file__).resolve().parents[1]


def run_glue(
    root: Path,
    params: Params,
    *,
    data: Path,
    encoder: Path | None,
    tasks: Sequence[str],
    seeds: Sequence[int],
    seen: Sequence[str] | None = None,
) -> None:
    """Trains what is not trained yet, then reports on every task that was trained.

    Args:
        encoder: a checkpoint's folder; None is `prepare.checkpoint`.
        seen: data sets that the encoder was trained on, where the user says so.

    Raises:
        TrainingError: a task failed; the others are trained and reported.
    """
    answers: list[str] = []
    failed: dict[str, TrainingError] = {}
    fixed = f"{CodeLock(_CODE).stage_hash('glue.train')} {_encoder_hash(params, encoder)}"
    for task in tasks:
        rows = _rows_hash(data, task)
        runs = [
            _planned(root, params, task=task, seed=seed, key=f"{fixed} {rows}") for seed in seeds
        ]
        try:
            for run in runs:
                _train(run, root, data=data, encoder=encoder)
        except TrainingError as error:
            failed[task] = error
        else:
            answers += [f"{run.task}={run.seed}={run.answers}" for run in runs]
    if answers:
        known = data_sets_seen(params, encoder, artifacts=Paths(root).artifacts, given=seen)
        _report(root, data=data, answers=answers, seen=known)
    if failed:
        raise TrainingError(
            f"{', '.join(failed)}: {next(iter(failed.values())).got}",
            expected="every task to go through; what each says is above",
            next_step="mend what it says and run the same command again: finished tasks are kept",
        )


@dataclass(frozen=True, kw_only=True)
class _TaskRun:
    """One task, trained with one seed.

    Attributes:
        settings: what the training process needs of the parameters, as JSON.
        key: hash of code, encoder, rows and settings; of the same key nothing is trained again.
        answers: the file that the training writes.
    """

    task: str
    seed: int
    settings: str
    key: str
    answers: Path


def _planned(root: Path, params: Params, *, task: str, seed: int, key: str) -> _TaskRun:
    settings = _settings(params, seed)
    key = hashlib.sha256(f"{key} {settings}".encode()).hexdigest()[:_KEY_LENGTH]
    answers = Paths(root).state / "glue" / f"{task}-{seed}-{key}.json"
    return _TaskRun(task=task, seed=seed, settings=settings, key=key, answers=answers)


def _train(run: _TaskRun, root: Path, *, data: Path, encoder: Path | None) -> None:
    if run.answers.is_file():
        say(f"{run.task}  seed {run.seed}  trained before")
        return
    arguments = ["--data", str(data.resolve()), "--task", run.task, "--out", str(run.answers)]
    arguments += [] if encoder is None else ["--encoder", str(encoder.resolve())]
    try:
        _run("pipeline.glue.train", [*arguments, "--settings", run.settings], root, key=run.key)
    except TrainingError:
        say(f"{run.task}  seed {run.seed}  failed")
        raise


def _rows_hash(data: Path, task: str) -> str:
    diagnostic = diagnostic_file(data) if task == "MNLI" else None
    return sha256_tree(data / task) + ("" if diagnostic is None else sha256_file(diagnostic))


def _report(root: Path, *, data: Path, answers: Sequence[str], seen: Sequence[str] | None) -> None:
    out = Paths(root).artifacts / "glue"
    out.mkdir(parents=True, exist_ok=True)
    known = [] if seen is None else ["--seen", ",".join(seen)]
    places = ["--data", str(data.resolve()), "--out", str(out)]
    _run("pipeline.glue.task_report", [*places, *known, *answers], root, key="")
    say(f"\nReport: {out / 'report.json'}\nSubmission: {out / 'submission.zip'}")


def official_files(root: Path, source: str, tasks: Sequence[str]) -> Path:
    """Writes the rows of data sets in the layout of the official files; returns the folder.

    Raises:
        TrainingError: the data sets could not be read; earlier files stay.
    """
    name = hashlib.sha256(source.encode()).hexdigest()[:_KEY_LENGTH]
    out = Paths(root).state / "glue" / "data" / name
    arguments = ["--source", source, "--out", str(out), "--tasks", ",".join(tasks)]
    _run("pipeline.glue.from_datasets", arguments, root, key="")
    return out


def known_tasks(given: str) -> list[str]:
    """The task names in a list with commas.

    Raises:
        ParameterError: one of them is no task.
    """
    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in TASKS:
            raise ParameterError(
                f"task {name!r}",
                expected=f"one of: {', '.join(TASKS)}",
                next_step="correct --tasks",
            )
    return names


def seeds_of(given: str) -> list[int]:
    """The seeds in a list with commas, without repetitions.

    Raises:
        ParameterError: one of them is no whole number, or there is none.
    """
    parts = [part.strip() for part in given.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise ParameterError(
            f"--seeds {given!r}", expected="whole numbers, as 1,2,3", next_step="correct --seeds"
        )
    return list(dict.fromkeys(map(int, parts)))


def present_tasks(data: Path, wanted: Sequence[str]) -> list[str]:
    """The tasks to train: the named ones, or all whose folder is there.

    Raises:
        DataError: a named task has no folder, or no task has one.
    """
    for name in wanted:
        if not (data / name).is_dir():
            raise DataError(
                f"no folder {name} in {data}",
                expected="the official files of each task in a folder of its name",
                next_step="download it, or leave it out of --tasks",
            )
    found = [name for name in TASKS if (data / name).is_dir()]
    if not found:
        raise DataError(
            f"no task's folder in {data}",
            expected=f"at least one of: {', '.join(TASKS)}",
            next_step="give --data the folder that holds them",
        )
    if absent := [name for name in TASKS if name not in found]:
        say(f"Left out, no data: {', '.join(absent)}")
    return [name for name in found if not wanted or name in wanted]


def _encoder_hash(params: Params, encoder: Path | None) -> str:
    if encoder is None:
        checkpoint = params.prepare.checkpoint
        # Packages and hub checkpoints are pinned by version or revision; a folder may change.
        folder = Path(checkpoint.path).expanduser()
        return sha256_tree(folder) if checkpoint.kind == "folder" and folder.is_dir() else ""
    if not (encoder / "config.json").is_file():
        raise DataError(
            f"no config.json in {encoder}",
            expected="the folder of a checkpoint, as artifacts/pretrain/model after `make pipeline`",
            next_step="correct --encoder",
        )
    return sha256_tree(encoder)


def _settings(params: Params, seed: int) -> str:
    """The parameters that a training process needs, as JSON."""
    return json.dumps(
        {
            "compute": params.compute.model_copy(update={"seed": seed}).model_dump(),
            "finetune": params.finetune.model_dump(),
            "max_length": params.prepare.max_length,
            "checkpoint": params.prepare.checkpoint.model_dump(),
        },
        sort_keys=True,
    )


def _run(module: str, arguments: Sequence[str], root: Path, *, key: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=root,
        env=os.environ | {INPUT_KEY_VARIABLE: key},
        check=False,
    )
    if done.returncode:
        raise TrainingError(
            f"{module} ended with {done.returncode}",
            expected="0; its own message is above",
            next_step="mend what it says and run the same command again: finished tasks are kept",
        )


def evaluate_on_glue(
    root: Path,
    *,
    rows: Path | str,
    encoder: Path | None,
    tasks: str,
    seeds: str,
    seen: str | None,
    profile: Sequence[str],
    changes: Sequence[str],
) -> None:
    """Reads the arguments of the verb as they were typed, then runs `run_glue`.

    Args:
        rows: a folder of official files, or (as text) what the `datasets` library reads.
        tasks, seeds, seen: lists with commas.
        profile: changes of a profile, which may name parameters that GLUE does not read.
        changes: changes that were typed; there such a parameter is refused.
    """
    values = parse_yaml(Paths(root).params.read_text(encoding="utf-8"))
    _refuse_unused(changes)
    params = parse_params(override(values, [*profile, *changes]))
    known = None if seen is None else data_sets_of(seen)
    wanted, numbers = known_tasks(tasks), seeds_of(seeds)
    data = rows if isinstance(rows, Path) else official_files(root, rows, wanted)
    run_glue(
        root,
        params,
        data=data,
        encoder=encoder,
        tasks=present_tasks(data, wanted),
        seeds=numbers,
        seen=known,
    )


def _refuse_unused(changes: Sequence[str]) -> None:
    for change in changes:
        for name in _UNUSED:
            if change.startswith((f"finetune.{name}=", f"finetune.{name}.")):
                raise ParameterError(
                    change,
                    expected="a parameter that GLUE reads: the schedule of finetune, frozen_layers, "
                    "layer_decay, average and dropout; prepare.max_length; compute",
                    next_step="leave it out; seeds are given with --seeds",
                )
