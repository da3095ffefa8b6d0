"""GLUE, task by task: fine-tune an encoder on the official files, print a table, pack a submission.

    modelyard glue --data DIR                                # every task whose folder is there
    modelyard glue --data DIR --tasks CoLA,MRPC --seeds 1,2,3
    modelyard glue --data DIR --encoder artifacts/pretrain/model finetune.frozen_layers=0
    modelyard glue --datasets NAME_OR_FOLDER                 # what the `datasets` library reads

DIR holds one folder a task (CoLA, SST-2, …; AX or diagnostic for the diagnostic rows), as the
benchmark's own script leaves them. NAME_OR_FOLDER is a folder of data sets or a hub name; its rows
are first written as official files. The encoder is `prepare.checkpoint` unless a folder is named:
any checkpoint that transformers knows, or what our own pretraining wrote, BERT or biLM.

Each task and seed is trained in a process of its own. It is not trained again while data, encoder,
parameters and training code are the same, so a killed run continues. Results: artifacts/glue/.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from flows.planning.arithmetic import decided
from flows.planning.codelock import CodeLock
from flows.planning.resolution import Variation, resolved
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import DataError, ParameterError, TrainingError
from pipeline.core.files import sha256_file, sha256_tree
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.stage import INPUT_KEY_VARIABLE
from pipeline.glue.tasks import SEEN, TASKS, diagnostic_file

_UNUSED = tuple(
    f"finetune.{name}{end}"
    for name in ("seeds", "keep", "class_weights", "patience", "related", "adapt")
    for end in "=."
)
"""Beginnings of changes of the parameters of `finetune` that are the product's alone."""
_KEY_LENGTH = 16
_NEXT_STEP = "mend what it says and run the same command again: finished tasks are kept"
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
        diagnostic = diagnostic_file(data) if task == "MNLI" else None
        rows = sha256_tree(data / task) + ("" if diagnostic is None else sha256_file(diagnostic))
        places = ["--data", str(data.resolve()), "--task", task]
        places += [] if encoder is None else ["--encoder", str(encoder.resolve())]
        try:
            answers += [
                _train(root, params, places, task=task, seed=seed, inputs=f"{fixed} {rows}")
                for seed in seeds
            ]
        except TrainingError as error:
            failed[task] = error
    if answers:
        known = data_sets_seen(params, encoder, artifacts=Paths(root).artifacts, given=seen)
        _report(root, data, answers, seen=known)
    if failed:
        raise TrainingError(
            f"{', '.join(failed)}: {next(iter(failed.values())).got}",
            expected="every task to go through; what each says is above",
            next_step=_NEXT_STEP,
        )


def _report(root: Path, data: Path, answers: Sequence[str], *, seen: Sequence[str] | None) -> None:
    out = Paths(root).artifacts / "glue"
    out.mkdir(parents=True, exist_ok=True)
    places = ["--data", str(data.resolve()), "--out", str(out)]
    places += [] if seen is None else ["--seen", ",".join(seen)]
    _run("pipeline.glue.task_report", [*places, *answers], root)
    say(f"\nReport: {out / 'report.json'}\nSubmission: {out / 'submission.zip'}")


def _train(
    root: Path, params: Params, places: Sequence[str], *, task: str, seed: int, inputs: str
) -> str:
    """Trains with one seed, unless that was done before; returns TASK=SEED=FILE of the answers.

    Args:
        places: arguments that name the rows and the encoder.
        inputs: hashes of code, encoder and rows.
    """
    needed = {
        "compute": params.compute.model_copy(update={"seed": seed}).model_dump(),
        "finetune": params.finetune.model_dump(),
        "max_length": params.prepare.max_length,
        "checkpoint": params.prepare.checkpoint.model_dump(),
    }
    settings = json.dumps(needed, sort_keys=True)
    key = hashlib.sha256(f"{inputs} {settings}".encode()).hexdigest()[:_KEY_LENGTH]
    answers = Paths(root).state / "glue" / f"{task}-{seed}-{key}.json"
    if answers.is_file():
        say(f"{task}  seed {seed}  trained before")
    else:
        arguments = [*places, "--out", str(answers), "--settings", settings]
        try:
            _run("pipeline.glue.train", arguments, root, key=key)
        except TrainingError:
            say(f"{task}  seed {seed}  failed")
            raise
    return f"{task}={seed}={answers}"


def official_files(root: Path, source: str, tasks: Sequence[str]) -> Path:
    """Writes the rows of data sets in the layout of the official files; returns the folder.

    Raises:
        TrainingError: the data sets could not be read; earlier files stay.
    """
    name = hashlib.sha256(source.encode()).hexdigest()[:_KEY_LENGTH]
    out = Paths(root).state / "glue" / "data" / name
    arguments = ["--source", source, "--out", str(out), "--tasks", ",".join(tasks)]
    _run("pipeline.glue.from_datasets", arguments, root)
    return out


def names_in(given: str, *, option: str, known: Collection[str]) -> list[str]:
    """The names in a list with commas; raises ParameterError where one is not in `known`."""
    names = [name.strip() for name in given.split(",") if name.strip()]
    if unknown := [name for name in names if name not in known]:
        raise ParameterError(
            f"{option} {unknown[0]!r}",
            expected=f"names among: {', '.join(known)}",
            next_step=f"correct {option}",
        )
    return names


def data_sets_seen(
    params: Params, encoder: Path | None, *, artifacts: Path, given: Sequence[str] | None
) -> Sequence[str] | None:
    """The data sets that the encoder was trained on; None where that is unknown.

    Args:
        encoder: its folder, perhaps in `artifacts` of this product; None is `prepare.checkpoint`.
        given: the data sets that the user named with `--seen`; None without it.
    """
    if given is not None:
        return given
    if encoder is None:
        return params.prepare.checkpoint.seen
    artifacts = artifacts.resolve()
    if not encoder.resolve().is_relative_to(artifacts):
        return None
    # Our own pretraining reads the corpus alone, unless it starts from the checkpoint.
    own = encoder.resolve() == artifacts / "pretrain" / "model"
    return [] if own and params.pretrain.start == "random" else params.prepare.checkpoint.seen


def seeds_of(given: str) -> list[int]:
    """The seeds in a list with commas, once each; raises ParameterError where one is no number."""
    parts = [part.strip() for part in given.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise ParameterError(
            f"--seeds {given!r}", expected="whole numbers, as 1,2,3", next_step="correct --seeds"
        )
    return list(dict.fromkeys(map(int, parts)))


def present_tasks(data: Path, wanted: Sequence[str]) -> list[str]:
    """The tasks to train: the named ones, or all whose folder is there; raises DataError for none."""
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


def _run(module: str, arguments: Sequence[str], root: Path, *, key: str = "") -> None:
    command, own = [sys.executable, "-m", module, *arguments], {INPUT_KEY_VARIABLE: key}
    done = subprocess.run(command, cwd=root, env=chosen_environment(os.environ) | own, check=False)
    if done.returncode:
        raise TrainingError(
            f"{module} ended with {done.returncode}",
            expected="0; its own message is above",
            next_step=_NEXT_STEP,
        )


def evaluate_on_glue(root: Path, options: argparse.Namespace, variation: Variation) -> None:
    """Reads the arguments of the verb as they were typed, then runs `run_glue`.

    A profile or a product may change parameters that GLUE does not read; a change that was typed
    may not.
    """
    if refused := [change for change in variation.changes if change.startswith(_UNUSED)]:
        raise ParameterError(
            refused[0],
            expected="a parameter that GLUE reads: the schedule of finetune, frozen_layers, "
            "layer_decay, average and dropout; prepare.max_length; compute",
            next_step="leave it out; seeds are given with --seeds",
        )
    params = decided(root, resolved(root, variation))
    known = dict.fromkeys((*SEEN, *TASKS))
    seen = None if options.seen is None else names_in(options.seen, option="--seen", known=known)
    wanted = names_in(options.tasks, option="--tasks", known=TASKS)
    seeds = seeds_of(options.seeds)
    data = options.data or official_files(root, options.datasets, wanted)
    run_glue(
        root,
        params,
        data=data,
        encoder=options.encoder,
        tasks=present_tasks(data, wanted),
        seeds=seeds,
        seen=seen,
    )
