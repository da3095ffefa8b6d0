"""Pairs, several labels and numbers: tiny models learn each of them past what single words can tell."""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline import distill
from pipeline.core.cleaning import clean
from pipeline.core.params import load_params
from pipeline.core.stage import Metrics
from pipeline.models.encoder import load_classifier, load_tokenizer
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.text_model import TextModel
from pipeline.training.predict import predict
from pipeline.training.token_rows import tokenize
from tests.support.problems import product_of
from tests.support.trained_workspace import run_in
from tests.support.web_forms import FORMS
from tests.support.whole_line import (
    LEARNING,
    NOUNS,
    STAGES,
    Product,
    clause,
    corpus_of,
    rows_of,
    run_line,
)

Line = tuple[Path, dict[str, Metrics]]
MODELS = ("finetune", "distill", "prune")


def said_of_a_question(chance: random.Random) -> dict[str, Any]:
    """Whether an answer praises what a question asks about: no, it is not good."""
    asked, agrees = clause(chance), chance.random() > 0.25
    asked = replace(asked, negated=False)
    noun = clause(chance).noun
    answer = f"yes that {noun} is so" if agrees else f"no the {noun} is so not at all"
    label = "positive" if (asked.value > 0) == agrees else "negative"
    return {"text": f"{clause(chance).noun} : {asked.text} ?", "second": answer, "label": label}


def said_in_several_labels(chance: random.Random) -> dict[str, Any]:
    """Which of cast and plot the second text praises: both, one or none. One in eight is long."""
    cast, plot = (replace(clause(chance), noun=noun) for noun in ("cast", "plot"))
    rest = " , so they say of the ending and the score" * (2 if chance.random() < 1 / 8 else 0)
    return {
        "text": f"{chance.choice(NOUNS)} and {chance.choice(NOUNS)}",
        "second": f"{cast.text} and {plot.text}{rest}",
        "label": [part.noun for part in (cast, plot) if part.value > 0],
    }


def said_in_a_number(chance: random.Random) -> dict[str, Any]:
    """How much a text of two clauses praises, in a unit far from nought and one."""
    parts = [clause(chance) for _ in range(2)]
    value = 2000 + 10 * sum(part.value for part in parts)
    return {"text": " and ".join(part.text for part in parts), "label": value}


PRODUCTS = {
    "pairs": Product(rows_of(500, said_of_a_question), corpus_of(60), product_of(pairs=True)),
    "several labels of long pairs": Product(
        rows_of(900, said_in_several_labels),
        corpus_of(60),
        [
            *product_of(problem="multi_label", labels="[cast, plot]", pairs=True),
            "prepare.window_stride=8",
        ],
    ),
    "a number": Product(
        rows_of(600, said_in_a_number),
        corpus_of(60),
        product_of(problem="regression", labels="[praise]"),
    ),
}


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Line]:
    """The workspace of a product in which all that learns has run, once, and what each stage said."""

    @cache
    def learn(name: str) -> Line:
        root = tmp_path_factory.mktemp("product")
        return root, run_line(root, PRODUCTS[name], LEARNING)

    return learn


@pytest.mark.soak
@pytest.mark.parametrize("name", ["pairs", "a number"])
def test_teacher_and_students_learn_more_than_single_words_tell(
    learned: Callable[[str], Line], name: str
) -> None:
    _, said = learned(name)
    bar = said["baseline"]["baseline-nblr"]["validation"]
    assert min(said[stage]["validation_quality"] for stage in MODELS) > bar + 0.1


@pytest.mark.soak
def test_a_number_keeps_its_unit_in_a_student_of_the_teachers_layers(
    learned: Callable[[str], Line],
) -> None:
    root, _ = learned("a number")
    untaught = ("distill.teacher_layers=[0, 1]", "distill.epochs=1", "distill.learning_rate=1e-9")
    run_in(root, "distill", distill.run, *untaught)
    teacher, student = (numbers(root, stage) for stage in ("finetune", "distill"))
    assert 1900 < teacher.mean() < 2100
    assert abs(student - teacher).mean() < teacher.std()


def numbers(root: Path, stage: str) -> NDArray[np.float32]:
    """What a stage's model says of texts of the product."""
    params, folder = load_params(root / "build.yaml"), root / "artifacts" / stage / "model"
    model = load_classifier(folder, labels=params.product.labels, problem="regression")
    texts = [row["text"] for row in PRODUCTS["a number"].rows[:100]]
    rows = tokenize(load_tokenizer(folder), texts, max_length=params.prepare.max_length)
    return predict(model, rows, compute=params.compute, batch_size=32).logits[:, 0]


@pytest.mark.soak
def test_several_labels_of_long_pairs_go_the_whole_line_to_a_bundle(tmp_path: Path) -> None:
    said = run_line(tmp_path, PRODUCTS["several labels of long pairs"], STAGES)
    bar = said["baseline"]["baseline-nblr"]["validation"]
    assert min(said[stage]["validation_quality"] for stage in MODELS) > bar + 0.1
    assert said["finetune"]["quality_metric"] == "micro_f1"
    assert said["transfer"]["corpus_sentences_scored"] == 0
    assert said["evaluate"]["validation"]["pruned-int8"] > bar + 0.1
    bundle = open_bundle(tmp_path / "artifacts/gate/bundle")
    model = TextModel.from_bundle(bundle, threads=1)
    assert bundle.description.golden_differences(model.answer) == []
    for form in FORMS.values():
        for golden in bundle.description.golden:
            sent = tuple(form(text) for text in golden.request)
            cleaned = (clean(sent[0]), clean(sent[1]))
            assert model.answer((sent[0], sent[1])) == model.answer(cleaned), sent
    long = " , so they say of the ending and the score" * 2
    praise, blame = model.predict(
        [
            ("score and story", f"the cast is good and the plot is great{long}"),
            ("score and story", "the cast is awful and the plot is bad"),
        ]
    )
    assert (praise.labels, praise.truncated, blame.labels) == (["cast", "plot"], False, [])
