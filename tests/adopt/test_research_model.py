"""A research model is read from a folder or a file, with its outputs in the order of the labels."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from pipeline.adopt.research_model import read_research_model
from pipeline.core.errors import ArtifactError, PipelineError
from tests.support.research_models import CNN, LABELS, write_module, write_transformers

IDS = torch.arange(10)[None]


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model(input_ids=IDS, attention_mask=torch.ones_like(IDS)).logits
    return found


@pytest.mark.parametrize("family", ["distilbert", "electra"])
def test_a_transformers_folder_answers_as_it_did(tmp_path: Path, family: str) -> None:
    before = write_transformers(tmp_path / "model", family)
    found = read_research_model(tmp_path / "model", labels=list(LABELS))
    assert (found.kind, found.family, found.code) == ("transformers", family, None)
    assert torch.equal(logits(found.model), logits(before))


def test_outputs_in_another_order_are_brought_into_the_products(tmp_path: Path) -> None:
    before = write_transformers(tmp_path / "model", "electra")
    found = read_research_model(tmp_path / "model", labels=list(LABELS[::-1]))
    torch.testing.assert_close(logits(found.model), logits(before).flip(1))
    assert found.model.config.id2label == {0: "positive", 1: "negative"}


def test_a_file_or_the_folder_around_it_is_read_as_a_module(tmp_path: Path) -> None:
    file = write_module(tmp_path, CNN)
    for path in (file, tmp_path):
        found = read_research_model(path, labels=list(LABELS))
        assert (found.kind, found.family, found.name) == ("module", "ReviewCnn", "ReviewCnn")
        assert found.code == file.resolve()


@pytest.mark.parametrize("kind", ["module", "transformers"])
def test_other_labels_are_refused_with_both_lists(tmp_path: Path, kind: str) -> None:
    if kind == "module":
        write_module(tmp_path / "model", CNN)
    else:
        write_transformers(tmp_path / "model", "distilbert")
    with pytest.raises(ArtifactError, match=r"\['negative', 'positive'\]") as refused:
        read_research_model(tmp_path / "model", labels=["calm", "angry"])
    assert "['calm', 'angry']" in refused.value.expected


def test_a_classifier_without_its_head_is_refused(tmp_path: Path) -> None:
    write_transformers(tmp_path / "model", "distilbert")
    file = tmp_path / "model" / "model.safetensors"
    kept = {n: w for n, w in load_file(file).items() if not n.startswith("classifier")}
    save_file(kept, file, metadata={"format": "pt"})
    with pytest.raises(ArtifactError, match=r"2 weights of a DistilBert.* classifier.bias"):
        read_research_model(tmp_path / "model", labels=list(LABELS))


def test_a_path_that_holds_no_model_is_told_what_one_looks_like(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(PipelineError) as refused:
            read_research_model(path, labels=list(LABELS))
        assert "tokenizer.json" in refused.value.expected
