"""A tokenizer of any kind is read by the runtime as it was in research, or it is said what differs."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.adopt.found_tokenizer import (
    kind_of_tokenizer,
    load_found_tokenizer,
    require_same_reading,
)
from pipeline.core.errors import ArtifactError
from pipeline.core.params import parse_params
from pipeline.core.sections import PrepareParams
from tests.support import tiny_models
from tests.support.repository import parameter_values
from tests.support.research_models import found_tokenizer

TEXTS = tiny_models.texts(20, seed=4)


def reading(**changes: int | None) -> PrepareParams:
    """The parameters of reading, for short texts."""
    values = parameter_values()
    values["prepare"] |= {"max_length": 24, **changes}
    values["pretrain"]["sequence_length"] = 24
    return parse_params(values).prepare


def saved(folder: Path, kind: str) -> Path:
    file = folder / "tokenizer.json"
    found_tokenizer(kind).save(str(file))
    return file


@pytest.mark.parametrize("kind", ["WordPiece", "BPE", "Unigram"])
@pytest.mark.parametrize("stride", [None, 8])
def test_every_kind_gives_the_runtime_the_same_ids(
    tmp_path: Path, kind: str, stride: int | None
) -> None:
    file = saved(tmp_path, kind)
    tokenizer = load_found_tokenizer(tmp_path, of="model", is_module=True)
    assert kind_of_tokenizer(tmp_path) == kind
    assert tokenizer.pad_token == "[PAD]"
    params = reading(window_stride=stride)
    require_same_reading(tokenizer, file, TEXTS, params=params, of="model")
    pairs = list(zip(TEXTS[:10], TEXTS[10:], strict=True))
    short = [(first[:10], second) for first, second in pairs]
    require_same_reading(tokenizer, file, short, params=params, of="model")


def test_a_tokenizer_that_cuts_the_beginning_off_is_refused(tmp_path: Path) -> None:
    file = saved(tmp_path, "WordPiece")
    tokenizer = load_found_tokenizer(tmp_path, of="model", is_module=True)
    tokenizer.truncation_side = "left"
    with pytest.raises(ArtifactError, match="otherwise than its tokenizer") as refused:
        require_same_reading(tokenizer, file, TEXTS, params=reading(), of="model")
    assert "keeps the beginning" in refused.value.next_step


def test_another_tokenizers_file_is_refused(tmp_path: Path) -> None:
    saved(tmp_path, "WordPiece")
    tokenizer = load_found_tokenizer(tmp_path, of="model", is_module=True)
    (tmp_path / "other").mkdir()
    with pytest.raises(ArtifactError, match="otherwise than its tokenizer"):
        require_same_reading(
            tokenizer, saved(tmp_path / "other", "Unigram"), TEXTS, params=reading(), of="model"
        )


def test_a_folder_without_tokenizer_json_is_told_how_to_write_it(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[PAD]\n", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"no tokenizer.json") as refused:
        load_found_tokenizer(tmp_path, of="model", is_module=False)
    assert "save_pretrained" in refused.value.next_step


def test_a_tokenizer_without_padding_token_is_told_how_to_name_one(tmp_path: Path) -> None:
    file = saved(tmp_path, "WordPiece")
    described = file.read_text(encoding="utf-8").replace("[PAD]", "[nothing]")
    file.write_text(described, encoding="utf-8")
    with pytest.raises(ArtifactError, match="no padding token") as refused:
        load_found_tokenizer(tmp_path, of="model", is_module=True)
    assert "enable_padding" in refused.value.next_step
    padding: dict[str, Any] = {
        "strategy": "BatchLongest",
        "direction": "Right",
        "pad_to_multiple_of": None,
    }
    padding |= {"pad_id": 0, "pad_type_id": 0, "pad_token": "[nothing]"}
    file.write_text(json.dumps(json.loads(described) | {"padding": padding}), encoding="utf-8")
    assert load_found_tokenizer(tmp_path, of="model", is_module=True).pad_token_id == 0


def test_a_tokenizer_that_may_read_nothing_is_told_to_frame_its_texts(tmp_path: Path) -> None:
    file = saved(tmp_path, "WordPiece")
    described = json.loads(file.read_text(encoding="utf-8")) | {"post_processor": None}
    file.write_text(json.dumps(described), encoding="utf-8")
    with pytest.raises(ArtifactError, match="no token") as refused:
        load_found_tokenizer(tmp_path, of="model", is_module=True)
    assert "TemplateProcessing" in refused.value.next_step


def test_what_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ArtifactError, match="does not load"):
        load_found_tokenizer(tmp_path, of="model", is_module=True)
