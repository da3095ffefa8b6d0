"""A browser makes the rows of tokens, and the answers, that Python makes."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.core.errors import ArtifactError, DataError
from pipeline.edge.model_files import described, frame_of, model_files
from pipeline.problem.decision import Decision
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.reader import MAX_WINDOWS, TextReader, open_tokenizer
from pipeline.runtime.text_model import TextModel
from tests.support.node import needs_node, run_script
from tests.support.tiny_bundle import make_tiny_bundle, make_tiny_model, tiny_task

ROWS = """
import { rowsOf } from "./token_rows.js";
result = given.cases.map(({ texts, model }) => {
  try { return rowsOf(texts, { ...given.model, ...model }); } catch { return null; }
});
"""
ANSWERS = """
import { meanOf, predictionOf } from "./predictions.js";
result = given.outputs.map((rows) => predictionOf(meanOf(rows), given.task));
"""


@needs_node
@pytest.mark.parametrize("pairs", [False, True], ids=["single", "pairs"])
def test_texts_are_framed_cut_and_read_in_windows_as_python_does(
    tmp_path: Path, pairs: bool
) -> None:
    file = make_tiny_model(tmp_path)[1]
    tokenizer = open_tokenizer(file)
    chance = random.Random(2)  # noqa: S311
    words = [word for word in tokenizer.get_vocab() if word[0] != "["]
    cases, ours = [], []
    for length in (3, 8, 16):
        for stride in (None, 1, 4, 30):
            reader = TextReader(file, max_length=length, window_stride=stride)
            for _ in range(30):
                texts = [
                    " ".join(chance.choices(words, k=chance.choice((0, 1, 5, 13, 40))))
                    for _ in range(1 + pairs)
                ]
                ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
                cases.append(
                    {"texts": ids, "model": {"max_length": length, "window_stride": stride}}
                )
                ours.append(read(reader, texts))
    model = {"frame": frame_of(tokenizer, pairs=pairs), "max_windows": MAX_WINDOWS}
    found = run_script(tmp_path / "js", ROWS, {"cases": cases, "model": model})
    assert found == ours


def read(reader: TextReader, texts: list[str]) -> dict[str, Any] | None:
    request = (texts[0], texts[1]) if len(texts) > 1 else texts[0]
    try:
        rows, truncated = reader.read(request)
    except DataError:
        return None
    return {"rows": [vars(row) for row in rows], "truncated": truncated}


@needs_node
@pytest.mark.parametrize(
    ("problem", "decision"),
    [
        ("classification", Decision()),
        ("classification", Decision(thresholds=(0.3, 0.3, 0.4), abstain_below=0.5)),
        ("multi_label", Decision()),
        ("multi_label", Decision(thresholds=(0.3, 0.5, 0.9), abstain_below=0.05)),
        ("regression", Decision()),
    ],
    ids=str,
)
def test_outputs_become_the_answers_that_python_gives(
    tmp_path: Path, problem: str, decision: Decision
) -> None:
    labels = ("stars",) if problem == "regression" else ("a", "b", "c")
    task = tiny_task(problem, labels=labels, decision=decision)
    outputs = np.random.default_rng(4).normal(scale=2, size=(300, 3, len(labels)))
    outputs = outputs.astype(np.float32)
    given = {"problem": problem, "labels": labels, "decision": decision.as_dict()}
    found = run_script(tmp_path / "js", ANSWERS, {"outputs": outputs.tolist(), "task": given})
    for rows, answer in zip(outputs, found, strict=True):
        scores = task.kind.scores(np.mean([*rows], axis=0))[None]
        ours = task.kind.prediction(scores, labels=labels, decision=decision, truncated=False)
        assert answer["scores"] == pytest.approx(scores[0].tolist(), abs=1e-6)
        assert (answer.get("label"), answer.get("labels")) == (ours.label, ours.labels)
        assert answer["abstained"] == ours.abstained
        assert answer.get("value") == pytest.approx(ours.value, abs=1e-6)


def test_the_description_has_what_the_browser_needs_of_the_bundle(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle", task=tiny_task(pairs=True, window_stride=4))
    bundle = open_bundle(tmp_path / "bundle")
    found = described(bundle, open_tokenizer(bundle.tokenizer))
    assert (found["hash"], found["pairs"], found["window_stride"]) == (bundle.hash, True, 4)
    assert found["frame"] == {"ids": [[2], [3], [3]], "segments": [[0], [0], [1]], "own": [0, 1]}
    golden = bundle.description.golden[0]
    assert found["golden"][0]["texts"] == list(golden.request)
    assert found["golden"][0]["scores"] == [*(golden.answer.probabilities or {}).values()]


def test_golden_scores_are_in_the_order_of_the_labels(tmp_path: Path) -> None:
    labels = ("sad", "dull", "fine")
    make_tiny_bundle(tmp_path / "bundle", task=tiny_task(labels=labels))
    bundle = open_bundle(tmp_path / "bundle")
    found = described(bundle, open_tokenizer(bundle.tokenizer))["golden"]
    answers = TextModel.from_bundle(bundle).predict(list(bundle.description.examples))
    for golden, answer in zip(found, answers, strict=True):
        assert golden["scores"] == pytest.approx([*(answer.probabilities or {}).values()])


def test_a_bundle_of_newer_rules_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    monkeypatch.setattr("pipeline.edge.model_files.KNOWN_CLEANING", 2)
    with pytest.raises(ArtifactError, match="cleaned by rules 3"):
        model_files(open_bundle(tmp_path / "bundle"))


def test_a_bundle_from_before_cleaning_is_read_as_it_comes(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle", task=tiny_task(cleaning=0))
    assert json.loads(model_files(open_bundle(tmp_path / "bundle"))["model.json"])["cleaning"] == 0
