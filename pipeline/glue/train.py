"""Fine-tune an encoder on one GLUE task and answer its development and test rows.

    python -m pipeline.glue.train --data DIR --task CoLA --encoder FOLDER --out FILE --settings JSON

`flows.glue` runs this in a process of its own for each task and seed. Writes the model's answers as
JSON (`TaskAnswers`).
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.core.errors import PipelineError
from pipeline.core.files import write_json
from pipeline.core.product import Compute, Section
from pipeline.core.progress import say
from pipeline.core.sections import Checkpoint
from pipeline.core.stage import seed_everything
from pipeline.core.training_sections import FinetuneParams
from pipeline.glue.encoders import load_encoder
from pipeline.glue.official_files import GlueRows, read_labelled, read_unlabelled
from pipeline.glue.submission import TaskAnswers
from pipeline.glue.tasks import DIAGNOSTIC, TASKS, GlueTask, diagnostic_file
from pipeline.models.encoder import freeze_lowest, is_bilm, reads_segments
from pipeline.models.pretrained import resolve_checkpoint
from pipeline.text.batching import epoch_batches
from pipeline.training.curve import Curve
from pipeline.training.fast.tokens_in_use import tokens_in_use
from pipeline.training.loop import Objective, Training, train
from pipeline.training.objectives.gold import label_objective, number_objective
from pipeline.training.optimizer import LayerRates
from pipeline.training.predict import predict
from pipeline.training.resume import Checkpoints
from pipeline.training.token_rows import TokenRows, tokenize

_BATCH_SIZE = 64


class Settings(Section):
    """How the tasks are trained; `flows.glue` hands it over as JSON."""

    compute: Compute
    """As in params.yaml, with the seed of this training."""
    finetune: FinetuneParams
    """As in params.yaml."""
    max_length: int
    """Most tokens of a row: `prepare.max_length`."""
    checkpoint: Checkpoint
    """What is trained where no other encoder is named."""


@dataclass(frozen=True)
class Classifier:
    """A model over the encoder, and what it takes to train it and to read its answers."""

    task: GlueTask
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    settings: Settings

    def train(self, rows: GlueRows, *, layered: bool, work: Path) -> None:
        """Train on `rows`, with files in `work`; `layered`: the family's layers can learn apart."""
        tokens, targets = self._tokens(rows), np.array(rows.targets)
        objective: Objective = (
            number_objective(tokens, targets)
            if self.task.is_regression
            else label_objective(tokens, targets.astype(np.int64))
        )
        compute, finetune = self.settings.compute, self.settings.finetune
        if layered:
            freeze_lowest(self.model, finetune.frozen_layers)
        training = Training(
            task=f"{self.task.name} seed {compute.seed}",
            optimisation=finetune,
            compute=compute,
            batches=partial(epoch_batches, tokens.lengths),
            checkpoints=Checkpoints(work / "checkpoints"),
            curve=Curve(work / "curve.csv"),
            average=finetune.average,
            layer_rates=LayerRates(self.model, finetune.layer_decay) if layered else None,
        )
        with tokens_in_use(self.model, tokens):
            train(self.model, objective, training)

    def answers(self, rows: GlueRows) -> list[float]:
        """The number of the likeliest label of each row, or its score."""
        logits = predict(
            self.model, self._tokens(rows), compute=self.settings.compute, batch_size=_BATCH_SIZE
        ).logits
        outputs = logits[:, 0] if self.task.is_regression else logits.argmax(axis=1)
        return [float(output) for output in outputs]

    def _tokens(self, rows: GlueRows) -> TokenRows:
        return tokenize(
            self.tokenizer,
            rows.texts,
            max_length=self.settings.max_length,
            seconds=rows.seconds,
            segments=reads_segments(self.model),
        )


def run_task(
    task: GlueTask, data: Path, encoder: Path, *, settings: Settings, work: Path
) -> TaskAnswers:
    """Train on a task's rows in `data`, the folder of the official files; answer its other rows."""
    seed_everything(settings.compute.seed)
    # All files are read before training, so that no hour is lost on a broken line.
    folder = data / task.name
    development = {
        name: read_labelled(task, folder / file) for file, name in task.development.items()
    }
    rows = read_labelled(task, folder / "train.tsv")
    files = {folder / file: name for file, name in task.submissions.items()}
    if task.name == "MNLI" and (diagnostic := diagnostic_file(data)):
        files[diagnostic] = f"{DIAGNOSTIC}.tsv"
    test = {name: read_unlabelled(task, path) for path, name in files.items() if path.is_file()}
    model, tokenizer = load_encoder(
        encoder, task, finetune=settings.finetune, max_length=settings.max_length
    )
    classifier = Classifier(task=task, model=model, tokenizer=tokenizer, settings=settings)
    classifier.train(rows, layered=not is_bilm(encoder), work=work)
    return TaskAnswers(
        development={name: classifier.answers(found) for name, found in development.items()},
        test={name: classifier.answers(found) for name, found in test.items()},
        malformed=rows.malformed,
    )


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
    settings = Settings.model_validate_json(options.settings)
    found = run_task(
        TASKS[options.task],
        options.data,
        options.encoder or resolve_checkpoint(settings.checkpoint),
        settings=settings,
        work=options.out.with_suffix(""),
    )
    write_json(options.out, asdict(found))
    say(f"{options.task}  seed {settings.compute.seed}  done")


if __name__ == "__main__":
    try:
        main()
    except PipelineError as problem:
        sys.exit(str(problem))
