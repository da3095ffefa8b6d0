"""What is served is read as it was in training: the same windows, the same mean."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.compression.onnx_export import export_onnx
from pipeline.core.product import Compute
from pipeline.models.encoder import load_tokenizer, reads_segments
from pipeline.problem.problems import problem_named
from pipeline.runtime.reader import TextReader
from pipeline.runtime.task import requests_of
from pipeline.runtime.text_model import TextModel
from pipeline.training.predict import predict
from pipeline.training.token_rows import TokenRows, tokenize
from tests.support import tiny_models
from tests.support.tiny_bundle import tiny_task

LENGTH = 12
COMPUTE = Compute(seed=1, threads=1, device="cpu", precision="float32")


def rows_of(folder: Path, texts: list[str], seconds: list[str], **windows: Any) -> TokenRows:
    """The rows that training reads, with the tokenizer in `folder`."""
    tokenizer = load_tokenizer(folder)
    return tokenize(tokenizer, texts, seconds=seconds, max_length=LENGTH, **windows)


@pytest.mark.parametrize("stride", [1, 3, 7, 11])
@pytest.mark.parametrize("pairs", [False, True])
def test_runtime_and_training_cut_the_same_windows(
    tmp_path: Path, stride: int, pairs: bool
) -> None:
    tiny_models.write_tokenizer(tmp_path, max_length=LENGTH)
    texts = tiny_models.texts(30, seed=1, longest=3 if pairs else 60)
    seconds = tiny_models.texts(30, seed=2, longest=60) if pairs else []
    rows = rows_of(tmp_path, texts, seconds, segments=pairs, window_stride=stride)
    reader = TextReader(tmp_path / "tokenizer.json", max_length=LENGTH, window_stride=stride)
    found = [row for request in requests_of(texts, seconds) for row in reader.read(request)[0]]
    assert len(found) > 30
    assert [row.ids for row in found] == rows.ids
    if pairs:
        assert [row.segments for row in found] == rows.segments


@pytest.mark.parametrize("problem", ["classification", "multi_label", "regression"])
@pytest.mark.parametrize("pairs", [False, True])
def test_long_texts_and_pairs_score_as_in_torch(tmp_path: Path, problem: str, pairs: bool) -> None:
    labels = ("stars",) if problem == "regression" else ("no", "yes")
    model = tiny_models.write_model(tmp_path, labels=labels, max_length=LENGTH)
    segments = pairs and reads_segments(model)
    export_onnx(model, tmp_path / "model.onnx", opset=17, segments=segments)
    texts = tiny_models.texts(12, seed=3, longest=3 if pairs else 50)
    seconds = tiny_models.texts(12, seed=4, longest=50) if pairs else []
    rows = rows_of(tmp_path, texts, seconds, segments=segments, window_stride=4)
    logits = predict(model, rows, compute=COMPUTE, batch_size=5).logits
    expected = problem_named(problem).scores(logits)
    task = tiny_task(problem, labels=labels, pairs=pairs, window_stride=4)
    task = replace(task, max_length=LENGTH)
    served = TextModel.in_folder(tmp_path, task=task, threads=1)
    assert served.segments == pairs
    np.testing.assert_allclose(served.scores(requests_of(texts, seconds)), expected, atol=2e-5)
