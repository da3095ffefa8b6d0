"""params.yaml is read strictly, changed by name, and shown to a stage only in part."""

from pathlib import Path
from typing import Any

import pydantic
import pytest
import yaml

from pipeline.core.errors import ParameterError
from pipeline.core.params import declared, load_params, override, parse_params, parse_yaml
from tests.support.problems import REGRESSION
from tests.support.repository import parameter_values


@pytest.fixture
def values() -> dict[str, Any]:
    return parameter_values()


@pytest.mark.parametrize(
    ("place", "name", "meant"),
    [
        ("finetune", "epoch", "epochs"),
        ("validate", "min_character", "min_characters"),
        ("product", "lables", "labels"),
        ("", "finetuning", "finetune"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_name(
    values: dict[str, Any], place: str, name: str, meant: str
) -> None:
    section: Any = values
    for key in place.split(".") if place else []:
        section = section[int(key) if key.isdigit() else key]
    section[name] = section[meant]
    with pytest.raises(ParameterError) as caught:
        parse_params(values)
    assert caught.value.got == f"unknown parameter {place}.{name} in params.yaml".replace(" .", " ")
    assert caught.value.next_step == f"did you mean `{meant}`?"
    assert meant in caught.value.expected


def test_an_unknown_key_of_a_source_is_refused_with_the_sources_name(
    values: dict[str, Any],
) -> None:
    values["collect"]["sources"][1]["license"] = "MIT"
    with pytest.raises(ParameterError, match="unknown parameter license of source imdb") as caught:
        parse_params(values)
    assert caught.value.next_step == "did you mean `licence`?"


NUMBER = ["product.problem=regression", "product.labels=[stars]"]
DYNAMIC = ["prune.method=dynamic", "prune.keep_heads=1.0"]
STUDENT_TOKENS = ["prepare.teacher_tokenizer=student", "prepare.tokenizer=byte_bpe"]
BILM = ["pretrain.model=bilm", "pretrain.start=random"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["finetune.epochs=three"], r"finetune\.epochs = 'three'"),
        (["finetune.epochs=1.5"], r"finetune\.epochs = 1\.5"),
        (["finetune.epochs=0"], "greater than 0"),
        (["finetune.epochs='3'"], r"finetune\.epochs = '3'"),
        (["compute.device=tpu"], r"compute\.device = 'tpu'"),
        (["product.problem=ranking"], "classification, multi_label, regression"),
        (["product.requirements.quality_metric=rouge"], "accuracy, macro_f1, .*spearman"),
        (["prepare.heldout_share=1.2"], "less than or equal to 1"),
        (["prepare.shares.train=0.9"], "add up to 1"),
        (["pretrain.heads=7"], r"must divide pretrain\.hidden_size"),
        (["prepare.teacher_tokenizer=student"], "prepare.tokenizer must be byte_bpe or wordpiece"),
        (
            [*STUDENT_TOKENS, "finetune.frozen_layers=1"],
            r"finetune\.frozen_layers: 0 where prepare\.teacher_tokenizer is student",
        ),
        (["prepare.window_stride=128"], r"prepare\.window_stride less than prepare\.max_length"),
        (["product.requirements.quality_metric=pearson"], "quality_metric of classification"),
        (["product.labels=[one]"], "at least two"),
        (["product.problem=multi_label", "product.labels=[a|b]"], r"product\.labels: without \|"),
        ([*NUMBER, "product.labels=[a, b]"], "the name of the number"),
        (["product.pairs=true"], r"product\.examples: \[first, second\]"),
        ([*REGRESSION, "finetune.class_weights=balanced"], r"finetune\.class_weights: none"),
        ([*REGRESSION, "evaluate.thresholds=fitted"], r"evaluate\.thresholds: fixed"),
        ([*REGRESSION, "evaluate.abstain_quality=0.9"], r"evaluate\.abstain_quality: null"),
        ([*DYNAMIC, "distill.embedding_rank=96"], r"distill\.embedding_rank: null"),
        ([*BILM, "distill.embedding_rank=96"], r"distill\.embedding_rank: null"),
    ],
)
def test_a_value_that_is_impossible_or_does_not_fit_the_others_is_refused_by_name(
    values: dict[str, Any], changes: list[str], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        parse_params(override(values, changes))


def test_a_missing_parameter_and_a_missing_section_are_named(values: dict[str, Any]) -> None:
    del values["finetune"]["epochs"]
    with pytest.raises(ParameterError, match=r"finetune\.epochs is missing"):
        parse_params(values)
    del values["finetune"]
    with pytest.raises(ParameterError, match="finetune is missing") as caught:
        parse_params(values)
    assert "no defaults" in caught.value.expected
    assert caught.value.next_step == "add finetune to params.yaml"


def test_a_pretraining_row_longer_than_the_student_is_refused(values: dict[str, Any]) -> None:
    length = values["prepare"]["max_length"]
    parse_params(override(values, [f"pretrain.sequence_length={length}"]))
    with pytest.raises(ParameterError, match=rf"at most prepare\.max_length \({length}\)"):
        parse_params(override(values, [f"pretrain.sequence_length={length + 1}"]))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("5e-5", 5e-5), ("-2.5E+4", -25000.0), ("1e3", 1000.0), (".5e1", 5.0)),
        *((text, text) for text in ("e5", "1.2.3e4", "5e", "1e5b")),
    ],
)
def test_an_exponent_without_a_point_is_a_number(text: str, value: float | str) -> None:
    assert parse_yaml(f"rate: {text}") == {"rate": value}


def test_a_change_sets_one_value_and_leaves_the_original_alone(values: dict[str, Any]) -> None:
    before = yaml.safe_dump(values)
    changed = override(values, ["finetune.learning_rate=5e-5", "prepare.checkpoint.sha256=null"])
    assert changed["finetune"]["learning_rate"] == 5e-5
    assert changed["prepare"]["checkpoint"]["sha256"] is None
    assert yaml.safe_dump(values) == before
    changed["finetune"].pop("learning_rate")
    assert changed["finetune"].items() <= values["finetune"].items()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("finetune.epochs", "expected: section.key=value"),
        ("finetune.epoch=1", r"unknown parameter finetune\.epoch\b(.|\n)*did you mean `epochs`"),
        ("finetun.epochs=1", "did you mean `finetune`"),
        ("finetune.epochs.first=1", r"unknown parameter finetune\.epochs\.first"),
    ],
)
def test_a_change_of_what_is_not_there_is_refused(
    values: dict[str, Any], change: str, message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        override(values, [change])


def test_a_stage_reads_what_it_declares(values: dict[str, Any]) -> None:
    params = parse_params(values)
    view = declared(params, ["compute", "prepare.max_length", "validate", "prepare.shares.train"])
    assert view.compute == params.compute
    assert view.prepare.max_length == params.prepare.max_length
    assert view.prepare.shares.train == params.prepare.shares.train
    assert view.validate_.min_characters == params.validate_.min_characters


def test_a_stage_cannot_read_what_it_does_not_declare(values: dict[str, Any]) -> None:
    view = declared(parse_params(values), ["compute.seed", "prepare.max"])
    with pytest.raises(ParameterError, match=r"reads compute\.threads") as caught:
        _ = view.compute.threads
    assert caught.value.expected.endswith("compute.seed, prepare.max")
    with pytest.raises(ParameterError, match=r"reads finetune"):
        _ = view.finetune
    with pytest.raises(ParameterError, match=r"reads prepare\.max_length"):
        _ = view.prepare.max_length


def test_parameters_cannot_be_changed_once_read(values: dict[str, Any]) -> None:
    params = parse_params(values)
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        params.finetune.epochs = 9  # type: ignore[misc]


@pytest.mark.parametrize("text", [None, "a: [1", "just words"])
def test_a_file_that_is_missing_or_not_parameters_is_refused(
    tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / "params.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ParameterError, match=r"params\.yaml"):
        load_params(path)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [(["pretrain.layers=3"], r"teacher_layers: 3 numbers"), (BILM, r"teacher_layers: null")],
)
def test_layers_of_the_teacher_are_one_for_each_of_the_students(
    values: dict[str, Any], changes: list[str], wanted: str
) -> None:
    changed = override(values, [*changes, "distill.embedding_rank=null"])
    with pytest.raises(ParameterError, match=wanted):
        parse_params(changed)
    parse_params(override(changed, ["distill.teacher_layers=null"]))
