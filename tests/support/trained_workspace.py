"""A workspace in which the real training stages run on a task so small that seconds teach it.

Texts name films with praising or blaming words. The teacher's checkpoint is a tiny random BERT; the
student's vocabulary is its own. `trained_workspace` runs pretrain, finetune, transfer and distill
once a session and hands out copies; `untrained_workspace` is what they start from.
"""

import random
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from transformers import BertModel

from pipeline.core.files import write_json
from pipeline.core.params import Params, load_params, override, parse_yaml
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, Run, seed_everything
from pipeline.core.variants import NAIVE_BAYES
from pipeline.text.tokenizer import save_for_transformers, token_array, train_wordpiece
from tests.support import tiny_models
from tests.support.repository import parameter_values
from tests.support.session_copy import session_copy
from tests.support.tiny_workspace import at, write_parquet, write_rows, write_settings

MAX_LENGTH = 20
HIDDEN_SIZE, HEADS, FEED_FORWARD_SIZE = 32, 2, 64
SPLITS = {"train": 96, "validation": 48, "test": 48}
SENTENCES, RELATED = 150, 64
PRAISE = ["good", "great", "warm", "funny", "brilliant"]
BLAME = ["bad", "dull", "slow", "awful"]
NOUNS = ["film", "story", "plot", "cast", "scene"]  # the teacher spells `scene` in pieces
SCHEDULE = {"epochs": 4, "batch_size": 8, "warmup_share": 0.1, "weight_decay": 0.01}


def runs(*stages: str) -> dict[str, Run]:
    """What each of the stages runs."""
    return {stage: import_module(f"pipeline.{stage}").run for stage in stages}


def run_in(root: Path, stage: str, run: Run, *changes: str) -> tuple[Metrics, Paths]:
    """Run a stage as `run_stage` does, with `section.key=value` changes."""
    params, paths = changed(root, *changes), at(Paths(root=root), stage)
    seed_everything(params.compute.seed)
    metrics = run(params, paths)
    write_json(paths.out / "metrics.json", metrics)
    return metrics, paths


def changed(root: Path, *changes: str) -> Params:
    """The workspace's parameters, after changes are written into its build.yaml."""
    path = root / "build.yaml"
    values = override(parse_yaml(path.read_text(encoding="utf-8")), changes)
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return load_params(path)


def untrained_workspace(factory: pytest.TempPathFactory) -> Path:
    """A copy of what prepare and baseline left, and a checkpoint to start from."""
    return session_copy(factory, "untrained", make_workspace)


def trained_workspace(factory: pytest.TempPathFactory) -> Path:
    """A copy of a workspace in which pretrain, finetune, transfer and distill have run."""

    def make(root: Path) -> None:
        make_workspace(root)
        for stage, run in runs("pretrain", "finetune", "transfer", "distill").items():
            run_in(root, stage, run)

    return session_copy(factory, "trained", make)


def make_workspace(root: Path) -> None:
    """Records, tokenizers, token arrays, sentences, a weak baseline and a checkpoint."""
    write_settings(root, _parameters(root / "checkpoint"))
    write_checkpoint(root / "checkpoint")
    prepare = Paths(root=root).output("prepare")
    rows = _write_records(prepare)
    documents = texts(80, seed=2, sentences=6)
    tokenizer = train_wordpiece(documents, vocabulary_size=120)
    for name in ("teacher", "student"):
        (prepare / f"{name}_tokenizer").mkdir()
    tiny_models.write_tokenizer(prepare / "teacher_tokenizer", max_length=MAX_LENGTH)
    save_for_transformers(tokenizer, prepare / "student_tokenizer", max_length=MAX_LENGTH)
    (prepare / "corpus").mkdir()
    np.save(prepare / "corpus" / "train.npy", token_array(tokenizer, documents[:64]))
    np.save(prepare / "corpus" / "heldout.npy", token_array(tokenizer, documents[64:]))
    numbered = [f"{number:016x}" for number in range(1000, 1000 + SENTENCES)]
    columns = {"id": numbered, "document": numbered, "text": texts(SENTENCES, seed=3)}
    write_parquet(prepare / "sentences.parquet", columns)
    related: dict[str, list[Any]] = {  # of a neighbouring task, with labels of the same names
        "id": [f"{number:016x}" for number in range(RELATED)],
        "text": texts(RELATED, seed=4),
        "target": [[float(number % 2)] for number in range(RELATED)],
    }
    write_parquet(prepare / "related.parquet", related)
    write_baseline(root, rows, {NAIVE_BAYES: 0.6})


def texts(count: int, *, seed: int, sentences: int = 1) -> list[str]:
    """Texts that blame and praise in turn."""
    chance = random.Random(seed)  # noqa: S311 - test data, not a secret

    def sentence(words: list[str]) -> str:
        nouns, said = chance.sample(NOUNS, 2), chance.sample(words, 2)
        return f"the {nouns[0]} is {said[0]} and this {nouns[1]} was {said[1]} ."

    return [
        " ".join(sentence((BLAME, PRAISE)[number % 2]) for _ in range(sentences))
        for number in range(count)
    ]


def write_checkpoint(
    folder: Path,
    *,
    hidden_size: int = HIDDEN_SIZE,
    layers: int = 3,
    max_length: int = MAX_LENGTH,
    **more: Any,
) -> BertModel:
    """Save a tiny random BERT, over the teacher's vocabulary unless `more` says otherwise."""
    seed_everything(11)
    shape = {"intermediate_size": FEED_FORWARD_SIZE, "max_position_embeddings": 2 * max_length}
    config = tiny_models.bert_config(
        width=hidden_size, layers=layers, initializer_range=0.1, **shape, **more
    )
    model = BertModel(config)
    model.save_pretrained(folder)
    return model


def write_baseline(root: Path, rows: dict[str, list[Any]], right_shares: dict[str, float]) -> None:
    """What baseline left: answers of each model, of which the named share is right in each split."""
    answers = []
    for model, share in right_shares.items():
        for split in ("validation", "test"):
            kept = [i for i, name in enumerate(rows["split"]) if name == split]
            for position, i in enumerate(kept):
                [gold] = rows["target"][i]
                score = 0.9 if (gold == 0) == (position < share * len(kept)) else 0.1
                answer = {"id": rows["id"][i], "split": split, "model": model, "target": [gold]}
                answers.append(answer | {"score_0": score, "score_1": 1 - score})
    write_rows(Paths(root=root).output("baseline") / "predictions.parquet", answers)


def _parameters(checkpoint: Path) -> dict[str, Any]:
    values = parameter_values()
    values["compute"] = {"seed": 1, "threads": 1, "device": "cpu", "precision": "float32"}
    values["prepare"]["max_length"] = MAX_LENGTH
    place = {"kind": "folder", "package": None, "path": str(checkpoint), "sha256": None}
    values["prepare"]["checkpoint"] |= place
    shape = {"layers": 1, "hidden_size": HIDDEN_SIZE, "heads": HEADS}
    shape |= {"feed_forward_size": FEED_FORWARD_SIZE, "sequence_length": MAX_LENGTH}
    values["pretrain"] |= {**SCHEDULE, **shape, "max_sequences": None, "learning_rate": 3e-3}
    values["finetune"] |= {**SCHEDULE, "learning_rate": 3e-3, "epochs": 8}
    values["finetune"] |= {"frozen_layers": 0, "seeds": 1}
    values["finetune"]["adapt"] |= {**SCHEDULE, "epochs": 4, "learning_rate": 1e-3}
    values["finetune"]["related"] |= {**SCHEDULE, "epochs": 1, "learning_rate": 1e-3}
    values["distill"] |= {**SCHEDULE, "learning_rate": 2e-3}
    values["distill"] |= {"embedding_rank": None, "teacher_layers": None}
    values["transfer"]["augmentations"] = 0
    values["prune"] |= {**SCHEDULE, "learning_rate": 1e-3, "epochs": 1, "keep_heads": 1.0}
    assert isinstance(values, dict)
    return values


def _write_records(prepare: Path) -> dict[str, list[Any]]:
    total = sum(SPLITS.values())
    label_ids = [number % 2 for number in range(total)]
    ids = [f"{number:016x}" for number in range(total)]
    columns: dict[str, list[Any]] = {
        "id": ids,
        "text": texts(total, seed=1),
        "label": [("negative", "positive")[i] for i in label_ids],
        "second": [None] * total,
        "target": [[float(i)] for i in label_ids],
        "cluster": ids,
        "split": [split for split, rows in SPLITS.items() for _ in range(rows)],
    }
    write_parquet(prepare / "records.parquet", columns)
    return columns
