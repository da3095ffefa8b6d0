"""Fine-tune an encoder on one GLUE task and answer its development and test rows.

    python -m pipeline.glue.train --data DIR --task CoLA --encoder FOLDER --seed 1 --out FILE --settings JSON

`flows.glue` runs this in a process of its own for each task and seed. Writes the model's answers as JSON
(pipeline/glue/answers.py).
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.core.errors import PipelineError
from pipeline.core.params import Checkpoint, Compute, FinetuneParams
from pipeline.core.progress import say
from pipeline.core.stage import seed_everything
from pipeline.glue.answers import TaskAnswers
from pipeline.glue.encoders import load_encoder
from pipeline.glue.official_files import GlueRows, read_labelled, read_unlabelled
from pipeline.glue.tasks import DIAGNOSTIC, TASKS, GlueTask, diagnostic_file
from pipeline.models.encoder import freeze_lowest, is_bilm, reads_segments
from pipeline.models.pretrained import resolve_checkpoint
from pipeline.text.batching import epoch_batches
from pipeline.training.curve import Curve
from pipeline.training.fast.tokens_in_use import tokens_in_use
from pipeline.training.loop import Objective, Training, train
from pipeline.training.objectives.gold import label_objective, number_objective
from pipeline.training.optimizer import LayerRates
from pipeline.training.predict import predict_logits
from pipeline.training.resume import Checkpoints
from pipeline.training.token_rows import TokenRows, tokenize

_BATCH_SIZE = 64


@dataclass(frozen=True)
class Settings:
    """How a task is trained."""

    compute: Compute
    finetune: FinetuneParams
    max_length: int


@dataclass(frozen=True)
class Reader:
    """Rows to token ids for one encoder."""

    tokenizer: PreTrainedTokenizerBase
    max_length: int
    segments: bool

    def __call__(self, rows: GlueRows) -> TokenRows:
        """`rows` in tokens; two texts in one row where the task has pairs."""
        return tokenize(
            self.tokenizer,
            rows.texts,
            max_length=self.max_length,
            seconds=rows.seconds,
            segments=self.segments,
        )


def run_task(
    task: GlueTask, data: Path, encoder: Path, *, settings: Settings, work: Path
) -> TaskAnswers:
    """Train on the task's training rows; returns the answers to its development and test rows.

    Args:
        data: folder of the official files, one folder a task.
        work: folder for checkpoints and the curve.
    """
    seed_everything(settings.compute.seed)
    folder = data / task.name
    development = {
        name: read_labelled(task, folder / file) for file, name in task.development.items()
    }
    rows = read_labelled(task, folder / "train.tsv")
    test = _test_rows(task, data)  # read before training, so that no hour is lost on a broken line
    model, tokenizer = load_encoder(
        encoder, task, finetune=settings.finetune, max_length=settings.max_length
    )
    read = Reader(
        tokenizer,
        settings.max_length,
        segments=reads_segments(model),
    )
    _train(
        model,
        task,
        read(rows),
        np.array(rows.targets),
        settings=settings,
        work=work,
        encoder=encoder,
    )

    def answer(found: GlueRows) -> list[float]:
        return _answers(model, task, read(found), settings)

    return TaskAnswers(
        development={name: answer(found) for name, found in development.items()},
        test={name: answer(found) for name, found in test.items()},
        malformed=rows.malformed,
    )


def _test_rows(task: GlueTask, data: Path) -> dict[str, GlueRows]:
    """File of the submission → the rows that it answers; MNLI's include the diagnostic rows."""
    files = {data / task.name / file: name for file, name in task.submissions.items()}
    if task.name == "MNLI":
        file = diagnostic_file(data)
        files |= {} if file is None else {file: DIAGNOSTIC[1]}
    return {name: read_unlabelled(task, path) for path, name in files.items() if path.is_file()}


def _train(
    model: PreTrainedModel,
    task: GlueTask,
    rows: TokenRows,
    targets: NDArray[np.float64],
    *,
    settings: Settings,
    work: Path,
    encoder: Path,
) -> None:
    objective: Objective = (
        number_objective(rows, targets)
        if task.is_regression
        else label_objective(rows, targets.astype(np.int64))
    )
    layered = not is_bilm(encoder)
    if layered:
        freeze_lowest(model, settings.finetune.frozen_layers)
    training = Training(
        task=f"{task.name} seed {settings.compute.seed}",
        optimisation=settings.finetune,
        compute=settings.compute,
        batches=partial(epoch_batches, rows.lengths),
        checkpoints=Checkpoints(work / "checkpoints"),
        curve=Curve(work / "curve.csv"),
        average=settings.finetune.average,
        layer_rates=LayerRates(model, settings.finetune.layer_decay) if layered else None,
    )
    with tokens_in_use(model, rows):
        train(model, objective, training)


def _answers(
    model: PreTrainedModel, task: GlueTask, rows: TokenRows, settings: Settings
) -> list[float]:
    logits = predict_logits(model, rows, compute=settings.compute, batch_size=_BATCH_SIZE)
    outputs = logits[:, 0] if task.is_regression else logits.argmax(axis=1)
    found: list[float] = outputs.astype(float).tolist()
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="fine-tune an encoder on one GLUE task")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--encoder", type=Path, help="folder; the settings' checkpoint without it")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument(
        "--settings", required=True, help="compute, finetune, max_length, checkpoint as JSON"
    )
    options = parser.parse_args(arguments)
    values = json.loads(options.settings)
    settings = Settings(
        Compute.model_validate(values["compute"]),
        FinetuneParams.model_validate(values["finetune"]),
        values["max_length"],
    )
    checkpoint = Checkpoint.model_validate(values["checkpoint"])
    found = run_task(
        TASKS[options.task],
        options.data,
        options.encoder or resolve_checkpoint(checkpoint),
        settings=settings,
        work=options.out.with_suffix(""),
    )
    found.save(options.out)
    say(f"{options.task}  seed {settings.compute.seed}  done")


if __name__ == "__main__":
    try:
        main()
    except PipelineError as problem:
        sys.exit(str(problem))
