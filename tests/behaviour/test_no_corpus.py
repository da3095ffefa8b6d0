"""A file of few labelled rows and no other text goes the whole line to a bundle."""

import random
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.files import read_json
from pipeline.data.tables import read_table
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.text_model import TextModel
from pipeline.text.bare_words import bare_words
from tests.support.problems import product_of
from tests.support.whole_line import STAGES, Product, clause, rows_of, run_line

FEW = ["finetune.epochs=1", "finetune.min_steps=300", "distill.epochs=1", "distill.min_steps=400"]
FEW += ["prune.epochs=1", "prune.min_steps=150", "transfer.min_texts=2000"]


def said_of_films(chance: random.Random) -> dict[str, Any]:
    """One thing that is praised or blamed, and where it was seen."""
    said, day = clause(chance), chance.randint(1, 40)
    text = f"on day {day} : {said.text} , they say"
    return {"text": text, "label": "positive" if said.value > 0 else "negative"}


@pytest.mark.soak
def test_three_hundred_rows_and_no_corpus_become_a_bundle(tmp_path: Path) -> None:
    product = Product(rows_of(300, said_of_films), [], [*product_of(), *FEW])
    said = run_line(tmp_path, product, STAGES)
    bar = said["baseline"]["baseline-nblr"]["validation"]
    assert min(said[s]["validation_quality"] for s in ("finetune", "distill", "prune")) > bar
    assert said["prepare"]["sentences"] == said["finetune"]["related_rows"] == 0
    assert said["transfer"]["augmented_scored"] > 1500
    bundle = open_bundle(tmp_path / "artifacts/gate/bundle")
    model = TextModel.from_bundle(bundle, threads=1)
    assert bundle.description.golden_differences(model.answer) == []
    card = (tmp_path / "artifacts/gate/bundle/MODEL_CARD.md").read_text(encoding="utf-8")
    assert "There was no corpus of unlabelled texts" in card
    assert nothing_held_out_is_learned_from(tmp_path)
    certificate = read_json(tmp_path / "artifacts/gate/bundle/certificate.json")
    assert certificate["batch_invariance"]["from"]["corpus"] == 0


def nothing_held_out_is_learned_from(root: Path) -> bool:
    """Whether no text of validation or test is in the transfer set."""
    records = read_table(root / "artifacts/prepare/records.parquet")
    held = {
        bare_words(text)
        for text, split in zip(records["text"], records["split"], strict=True)
        if split != "train"
    }
    return not held & {
        bare_words(text) for text in read_table(root / "artifacts/transfer/rows.parquet")["text"]
    }
