"""A checkpoint is opened before anything trains: names, layers, shapes, positions, tokenizer, numbers."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file
from transformers import PreTrainedTokenizerFast

from pipeline.core.errors import PipelineError
from pipeline.core.params import override, parse_params
from pipeline.core.sections import Checkpoint
from pipeline.models.checkpoint_check import OpenCheckpoint, open_checkpoint
from pipeline.models.encoder import load_classifier
from pipeline.models.whole import load_whole
from pipeline.text.tokenizer import SPECIAL_TOKENS
from tests.support.repository import parameter_values
from tests.support.tiny_bilm import tiny_language_model
from tests.support.tiny_bundle import word_tokenizer
from tests.support.tiny_models import VOCABULARY, write_tokenizer

WORDS = len(VOCABULARY)
SIZE = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
SIZE |= {"hidden_size": 16, "vocab_size": WORDS, "max_position_embeddings": 40}
LONGEST = 40
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"


def saved(folder: Path, config: Any = None, *, family: Any = hf.AutoModel, **options: Any) -> Path:
    """A random model with its tokenizer, as `save_pretrained` leaves them."""
    torch.manual_seed(0)
    family.from_config(config or hf.BertConfig(**SIZE)).save_pretrained(folder, **options)
    write_tokenizer(folder)
    return folder


def opened(folder: Path, *changes: str, max_length: int = LONGEST) -> OpenCheckpoint:
    named = ["kind=folder", "package=null", f"path={folder}", "sha256=null", "name=mine", *changes]
    asked = [f"prepare.checkpoint.{change}" for change in named]
    checkpoint: Checkpoint = parse_params(override(parameter_values(), asked)).prepare.checkpoint
    return open_checkpoint(checkpoint, labels=2, max_length=max_length)


def refusal(folder: Path, **options: Any) -> PipelineError:
    with pytest.raises(PipelineError) as caught:
        opened(folder, **options)
    return caught.value


def configured(folder: Path, **changes: Any) -> None:
    """Writes other values into the config.json of a checkpoint; None takes a key out."""
    file = folder / "config.json"
    values = json.loads(file.read_text()) | changes
    file.write_text(json.dumps({key: value for key, value in values.items() if value is not None}))


def renamed(folder: Path, rename: Callable[[str], str]) -> None:
    """Gives the weights other names."""
    weights = load_file(folder / WEIGHTS)
    changed = {rename(name): tensor for name, tensor in weights.items()}
    save_file(changed, folder / WEIGHTS, metadata={"format": "pt"})


def test_the_facts_of_a_checkpoint_are_told(tmp_path: Path) -> None:
    assert opened(saved(tmp_path)).facts == {
        "family": "bert",
        "layers": 2,
        "hidden_size": 16,
        "positions": 40,
        "vocabulary": WORDS,
        "pad_token": "[PAD]",
    }


def test_opening_draws_no_random_number(tmp_path: Path) -> None:
    saved(tmp_path)
    state = torch.get_rng_state()
    opened(tmp_path)
    assert torch.equal(torch.get_rng_state(), state)


POSITIONS: dict[str, tuple[Any, int | None]] = {
    "bert": (hf.BertConfig(**SIZE), 40),
    "roberta": (hf.RobertaConfig(**SIZE, type_vocab_size=1, pad_token_id=1), 38),
    "xlm-roberta": (hf.XLMRobertaConfig(**SIZE, type_vocab_size=1, pad_token_id=1), 38),
    "mpnet": (hf.MPNetConfig(**SIZE, pad_token_id=1), 38),
    "distilbert": (
        hf.DistilBertConfig(
            vocab_size=WORDS,
            dim=16,
            n_layers=2,
            n_heads=2,
            hidden_dim=24,
            max_position_embeddings=40,
        ),
        40,
    ),
    "electra": (hf.ElectraConfig(**SIZE, embedding_size=8), 40),
    "albert": (hf.AlbertConfig(**SIZE, embedding_size=8), 40),
    "nystromformer": (hf.NystromformerConfig(**SIZE), 40),
    "roformer": (hf.RoFormerConfig(**SIZE), 40),
    "deberta-v2": (
        hf.DebertaV2Config(**SIZE, relative_attention=True, position_biased_input=False),
        None,
    ),
    "modernbert": (
        hf.ModernBertConfig(**SIZE, pad_token_id=0, bos_token_id=2, eos_token_id=3),
        None,
    ),
}


@pytest.mark.parametrize("family", POSITIONS)
def test_each_family_has_its_own_number_of_positions(tmp_path: Path, family: str) -> None:
    config, positions = POSITIONS[family]
    saved(tmp_path, config)
    assert opened(tmp_path, max_length=positions or 1000).positions == positions
    if positions is not None:
        error = refusal(tmp_path, max_length=positions + 1)
        assert f"prepare.max_length = {positions + 1}" in error.got
        assert f"positions for {positions} tokens" in error.got
        assert f"prepare.max_length: {positions}" in error.next_step
        assert "prepare.window_stride" in error.next_step


def test_every_position_that_is_told_can_be_read(tmp_path: Path) -> None:
    for family in ("bert", "roberta", "nystromformer", "roformer"):
        config, positions = POSITIONS[family]
        folder = saved(tmp_path / family, config)
        model = load_classifier(folder, labels=["no", "yes"]).eval()
        row = torch.full((1, positions or 0), 7)
        assert model(input_ids=row).logits.shape == (1, 2)
        with pytest.raises((IndexError, RuntimeError)):
            model(input_ids=torch.full((1, (positions or 0) + 1), 7))


HEADS = [hf.AutoModelForMaskedLM, hf.AutoModelForSequenceClassification]


@pytest.mark.parametrize("family", HEADS)
def test_a_head_of_any_kind_may_be_there(tmp_path: Path, family: Any) -> None:
    assert opened(saved(tmp_path, family=family)).layers == 2


def test_our_own_bilm_is_an_encoder(tmp_path: Path) -> None:
    tiny_language_model(vocab_size=200).save_pretrained(tmp_path)
    write_tokenizer(tmp_path)
    assert opened(tmp_path).family == "bilm"


def test_shards_are_read_as_one_file_is(tmp_path: Path) -> None:
    whole, shards = saved(tmp_path / "whole"), saved(tmp_path / "shards", max_shard_size="8KB")
    assert not (shards / WEIGHTS).exists()
    assert len([*shards.glob("model-*")]) > 2
    assert opened(shards).facts == opened(whole).facts
    for read in (
        lambda folder: load_classifier(folder, labels=["no", "yes"]).base_model,
        lambda folder: load_whole(hf.AutoModel, folder, next_step=""),
    ):
        first, second = (read(folder).state_dict() for folder in (whole, shards))
        assert all(torch.equal(first[name], second[name]) for name in first)


SAME_NAMES: dict[str, Callable[[str], str]] = {
    "a prefix of the family": lambda name: f"bert.{name}",
    "names of an old BERT": lambda name: name.replace(
        "LayerNorm.weight", "LayerNorm.gamma"
    ).replace("LayerNorm.bias", "LayerNorm.beta"),
}


@pytest.mark.parametrize("case", SAME_NAMES)
def test_names_that_transformers_understands_are_taken(tmp_path: Path, case: str) -> None:
    renamed(saved(tmp_path), SAME_NAMES[case])
    assert opened(tmp_path).layers == 2


@pytest.mark.parametrize("prefix", ["model.", "0.auto_model.", "module.bert."])
def test_weights_under_names_of_another_library_are_refused(tmp_path: Path, prefix: str) -> None:
    renamed(saved(tmp_path), lambda name: prefix + name)
    error = refusal(tmp_path)
    assert "lacks" in error.got
    assert repr(prefix) in error.got
    assert "at random" in error.expected


def of_gpt2(folder: Path) -> None:
    config = hf.GPT2Config(vocab_size=WORDS, n_embd=16, n_layer=2, n_head=2)
    saved(folder / "other", config)
    (folder / "other" / WEIGHTS).replace(folder / WEIGHTS)


def one_is_missing(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    weights.pop("encoder.layer.1.output.dense.bias")
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})


def not_a_number(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    weights["encoder.layer.1.output.dense.bias"][3] = float("nan")
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})


ANOTHER_MODEL: dict[str, tuple[Callable[[Path], object], str]] = {
    "all its names": (of_gpt2, r"lacks \d+ weights .*; it has h.0"),
    "one weight": (
        one_is_missing,
        "lacks 1 weights of its encoder, such as encoder.layer.1.output",
    ),
    "more layers in config": (
        lambda folder: configured(folder, num_hidden_layers=5),
        "config.json says 5 layers, and its weights have 2",
    ),
    "fewer layers in config": (
        lambda folder: configured(folder, num_hidden_layers=1),
        "config.json says 1 layers, and its weights have 2",
    ),
    "another width": (
        lambda folder: configured(folder, intermediate_size=32),
        r"is \(24.* in its weights",
    ),
    "another vocabulary": (
        lambda folder: configured(folder, vocab_size=WORDS - 1),
        rf"word_embeddings.weight is \({WORDS}, 16\)",
    ),
    "numbers that are none": (not_a_number, "encoder.layer.1.output.dense.bias in model.safe"),
}


@pytest.mark.parametrize("case", ANOTHER_MODEL)
def test_weights_that_do_not_fit_the_architecture_are_refused(tmp_path: Path, case: str) -> None:
    spoil, message = ANOTHER_MODEL[case]
    spoil(saved(tmp_path))
    with pytest.raises(PipelineError, match=message):
        opened(tmp_path)


def test_a_classifier_of_other_labels_is_refused_with_the_way_out(tmp_path: Path) -> None:
    config = hf.BertConfig(**SIZE, num_labels=5)
    saved(tmp_path, config, family=hf.AutoModelForSequenceClassification)
    error = refusal(tmp_path)
    assert "classifier" in error.got
    assert "AutoModel.from_pretrained" in error.next_step


def text(name: str, content: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(content)


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "ab" * 32 + "\nsize 90868376\n"
PAGE = "<!DOCTYPE html>\n<html><body>Sign in</body></html>"
FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "weights not fetched": (text(WEIGHTS, LFS), r"model.safetensors is a git-lfs pointer of 133 b"),
    "tokenizer not fetched": (text("tokenizer.json", LFS), "tokenizer.json is a git-lfs pointer"),
    "words not fetched": (text("spiece.model", LFS), "spiece.model is a git-lfs pointer"),
    "config not fetched": (text("config.json", LFS), "config.json is a git-lfs pointer"),
    "a page for weights": (text(WEIGHTS, PAGE), "model.safetensors is a web page"),
    "a page for a config": (text("config.json", PAGE), "config.json is a web page"),
    "empty weights": (text(WEIGHTS, ""), "model.safetensors is empty"),
    "an empty tokenizer": (text("tokenizer.json", ""), "tokenizer.json is empty"),
    "half the weights": (
        lambda folder: os.truncate(folder / WEIGHTS, (folder / WEIGHTS).stat().st_size // 2),
        "and its header describes",
    ),
    "half a header": (lambda folder: os.truncate(folder / WEIGHTS, 500), "ends within its header"),
    "other weights": (text(WEIGHTS, "PK\x03\x04 and so on and on"), "is not a safetensors file"),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), "has no model.safetensors$"),
    "no config": (lambda folder: (folder / "config.json").unlink(), "has no config.json$"),
    "no JSON": (text("config.json", "{oops"), "config.json is not JSON"),
    "a list": (text("config.json", "[]"), "config.json has no model_type"),
    "no family": (lambda folder: configured(folder, model_type=None), "has no model_type"),
    "an unknown family": (lambda folder: configured(folder, model_type="nonesuch"), "`nonesuch`"),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "no tokenizer in"),
    "a broken tokenizer": (text("tokenizer.json", "{}"), "the tokenizer in"),
    "half a tokenizer": (
        lambda folder: os.truncate(folder / "tokenizer.json", 300),
        "the tokenizer in",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_not_what_its_name_says_is_named(tmp_path: Path, case: str) -> None:
    spoil, message = FILES[case]
    spoil(saved(tmp_path))
    with pytest.raises(PipelineError) as caught:
        opened(tmp_path)
    assert re.search(message, caught.value.got), caught.value
    if "not fetched" in case:
        assert "git lfs pull" in caught.value.next_step


PICKLES = ["pytorch_model.bin", "model.pt"]
INSTEAD: dict[str, tuple[str, str, str]] = {
    **{name: (name, "only pickled weights", "save_pretrained('NEW')") for name in PICKLES},
    "an adapter": ("adapter_model.safetensors", "only an adapter", "merge_and_unload"),
    "another name": ("encoder.safetensors", "only encoder.safetensors", "name it"),
    "TensorFlow": ("tf_model.h5", "another format", "save_pretrained"),
    "shards alone": ("model-00001-of-00002.safetensors", f"no {INDEX}", f"download {INDEX}"),
}


@pytest.mark.parametrize("case", INSTEAD)
def test_what_is_there_in_place_of_weights_is_named(tmp_path: Path, case: str) -> None:
    name, got, step = INSTEAD[case]
    (saved(tmp_path) / WEIGHTS).rename(tmp_path / name)
    error = refusal(tmp_path)
    assert got in error.got
    assert step in error.next_step


def test_a_model_in_an_inner_folder_is_named(tmp_path: Path) -> None:
    saved(tmp_path / "0_Transformer")
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling/config.json").write_text('{"pooling_mode_mean_tokens": true}')
    (tmp_path / "modules.json").write_text("[]")
    error = refusal(tmp_path)
    assert "its folder 0_Transformer has one" in error.got
    assert "/0_Transformer" in error.next_step


SPOILED_SHARDS: dict[str, tuple[Callable[[Path, list[Path]], object], str]] = {
    "missing": (lambda _, shards: shards[1].unlink(), r"1 are missing, one of them model-00002-of"),
    "cut short": (lambda _, shards: os.truncate(shards[1], 100), "model-00002-of"),
    "not fetched": (lambda _, shards: shards[0].write_text(LFS), "model-00001.* is a git-lfs"),
    "no index of them": (lambda index, _: index.write_text("{}"), "is not a list of shards"),
    "an index not fetched": (lambda index, _: index.write_text(LFS), "index.json is a git-lfs"),
}


@pytest.mark.parametrize("case", SPOILED_SHARDS)
def test_a_shard_that_is_not_whole_is_named(tmp_path: Path, case: str) -> None:
    spoil, message = SPOILED_SHARDS[case]
    saved(tmp_path, max_shard_size="8KB")
    spoil(tmp_path / INDEX, sorted(tmp_path.glob("model-*")))
    with pytest.raises(PipelineError, match=message):
        opened(tmp_path)


NO_ENCODERS: dict[str, Callable[[], Any]] = {
    "gpt2": lambda: hf.GPT2Config(vocab_size=WORDS, n_embd=16, n_layer=1, n_head=2),
    "bart": lambda: hf.BartConfig(
        vocab_size=WORDS,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
    ),
    "bert": lambda: hf.BertConfig(**SIZE, is_decoder=True),
}


@pytest.mark.parametrize("family", NO_ENCODERS)
def test_what_reads_in_one_direction_is_refused(tmp_path: Path, family: str) -> None:
    saved(tmp_path, NO_ENCODERS[family]())
    assert f"is of the family {family}" in refusal(tmp_path).got


def tokenizer(folder: Path, *, unframed: bool = False, words: Any = None, **roles: Any) -> None:
    """Writes another tokenizer into a checkpoint; roles of None are left out."""
    backend = word_tokenizer(words or VOCABULARY)
    if unframed:
        backend.post_processor = None
    named = {role: token for role, token in (SPECIAL_TOKENS | roles).items() if token}
    for file in folder.glob("*token*"):
        file.unlink()
    PreTrainedTokenizerFast(tokenizer_object=backend, **named).save_pretrained(folder)


TOKENIZERS: dict[str, tuple[dict[str, Any], str]] = {
    "no padding": ({"pad_token": None}, "has no pad_token"),
    "no frame": ({"cls_token": None, "sep_token": None}, "has no cls_token, sep_token"),
    "a frame that it does not use": ({"unframed": True}, r"puts no \[CLS\] before a text"),
    "another model's words": (
        {"words": [*VOCABULARY, "another", "word"]},
        f"numbers tokens up to {WORDS + 1}, and the model has embeddings for {WORDS}",
    ),
}


@pytest.mark.parametrize("case", TOKENIZERS)
def test_a_tokenizer_that_training_cannot_use_is_refused(tmp_path: Path, case: str) -> None:
    changes, message = TOKENIZERS[case]
    tokenizer(saved(tmp_path), **changes)
    with pytest.raises(PipelineError, match=message):
        opened(tmp_path)


def test_the_hash_of_shards_is_what_the_shell_prints(tmp_path: Path) -> None:
    saved(tmp_path, max_shard_size="8KB")
    shell = "LC_ALL=C sha256sum model-*.safetensors | sha256sum"
    printed = subprocess.run(
        ["bash", "-c", shell], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    wanted = printed.stdout.split()[0]
    assert opened(tmp_path, f"sha256='{wanted}'").layers == 2
    with pytest.raises(PipelineError, match=f"the shards of checkpoint mine has sha256 {wanted}"):
        opened(tmp_path, f"sha256='{'0' * 64}'")
