"""A student started from a checkpoint: its lowest layers, and converted embeddings."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, BertModel

from pipeline.core.errors import ArtifactError
from pipeline.models.language_models import new_language_model
from pipeline.models.student_start import pieces_of_tokens, start_from_checkpoint
from tests.support import trained_workspace as small


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.untrained_workspace(tmp_path_factory)


def tokenizer_of(workspace: Path, name: str) -> Any:
    return AutoTokenizer.from_pretrained(workspace / f"artifacts/prepare/{name}_tokenizer")


def start(workspace: Path, *changes: str) -> Any:
    """A new student that starts from the workspace's checkpoint."""
    params = small.changed(workspace, *changes).pretrain
    tokenizer = tokenizer_of(workspace, "student")
    model = new_language_model(params, tokenizer)
    start_from_checkpoint(
        model,
        workspace / "checkpoint",
        tokenizer=tokenizer,
        checkpoint_tokenizer=tokenizer_of(workspace, "teacher"),
        params=params,
        sample=sample_of(tokenizer),
    )
    return model


def sample_of(tokenizer: Any) -> dict[str, torch.Tensor]:
    """Some texts as a student reads them."""
    encoded = tokenizer(small.texts(16, seed=5), padding=True, return_tensors="pt")
    return {name: encoded[name] for name in ("input_ids", "attention_mask")}


def test_the_lowest_layers_and_positions_are_the_checkpoints(workspace: Path) -> None:
    source = BertModel.from_pretrained(workspace / "checkpoint")
    model = start(workspace, "pretrain.layers=2").bert
    assert len(model.encoder.layer) == 2
    for taken, given in zip(model.encoder.layer, source.encoder.layer, strict=False):
        for name, tensor in given.state_dict().items():
            assert torch.equal(taken.state_dict()[name], tensor), name
    positions = source.embeddings.position_embeddings.weight[: small.MAX_LENGTH]
    assert torch.equal(model.embeddings.position_embeddings.weight, positions)


def test_a_narrower_student_takes_the_largest_feed_forward_units_of_each_layer(
    workspace: Path,
) -> None:
    source = BertModel.from_pretrained(workspace / "checkpoint")
    width = source.config.intermediate_size // 2
    model = start(workspace, f"pretrain.feed_forward_size={width}").bert
    for taken, given in zip(model.encoder.layer, source.encoder.layer, strict=False):
        inner, outer = given.intermediate.dense, given.output.dense
        scores = inner.weight.norm(dim=1) * outer.weight.norm(dim=0)
        units = sorted(scores.argsort(descending=True)[:width].tolist())
        assert torch.equal(taken.intermediate.dense.weight, inner.weight[units])
        assert torch.equal(taken.intermediate.dense.bias, inner.bias[units])
        assert torch.equal(taken.output.dense.weight, outer.weight[:, units])
        assert torch.equal(taken.output.dense.bias, outer.bias)


def test_a_token_the_teacher_knows_keeps_its_embedding_and_others_take_the_mean_of_their_pieces(
    workspace: Path,
) -> None:
    words = BertModel.from_pretrained(workspace / "checkpoint").embeddings.word_embeddings.weight
    model = start(workspace)
    student, teacher = (tokenizer_of(workspace, name) for name in ("student", "teacher"))
    taken = model.bert.embeddings.word_embeddings.weight
    known = student.get_vocab().keys() & teacher.get_vocab().keys()
    assert {"[CLS]", "[MASK]", "film", "##s"} <= known
    for token in known:
        number, theirs = student.get_vocab()[token], teacher.get_vocab()[token]
        assert torch.equal(taken[number], words[theirs]), token
    assert "scene" in student.get_vocab().keys() - known
    pieces = teacher.convert_tokens_to_ids(["s", "##c", "##e", "##n", "##e"])
    mean = words[pieces].mean(dim=0)
    assert torch.equal(taken[student.get_vocab()["scene"]], mean)
    assert model.cls.predictions.decoder.weight is taken


def test_every_token_has_pieces(workspace: Path) -> None:
    student, teacher = (tokenizer_of(workspace, name) for name in ("student", "teacher"))
    pieces = pieces_of_tokens(student, teacher)
    assert set(pieces) == set(student.get_vocab().values())
    assert all(pieces.values())


def test_a_student_of_fewer_dimensions_reads_what_the_checkpoint_reads(workspace: Path) -> None:
    """Half of the dimensions and of the heads: its states hold most of what the whole ones do."""
    tokenizer = tokenizer_of(workspace, "student")
    whole = start(workspace).bert.eval()
    thin = start(workspace, "pretrain.hidden_size=16", "pretrain.heads=1").bert.eval()
    batch = sample_of(tokenizer)
    with torch.no_grad():
        wanted, found = (model(**batch).last_hidden_state.flatten(0, 1) for model in (whole, thin))
    wanted, found = wanted - wanted.mean(dim=0), found - found.mean(dim=0)
    fitted = found @ torch.linalg.lstsq(found, wanted).solution
    assert (fitted - wanted).square().sum() < 0.5 * wanted.square().sum()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["pretrain.hidden_size=16"], "'hidden_size': 32"),
        (["pretrain.heads=4"], "'heads': 2"),
        (["pretrain.feed_forward_size=128"], "'feed_forward_size': 64"),
        (["pretrain.layers=4"], "of 3 layers"),
    ],
)
def test_another_shape_is_refused_with_both_shapes(
    workspace: Path, changes: list[str], message: str
) -> None:
    with pytest.raises(ArtifactError, match=message) as caught:
        start(workspace, *changes)
    assert caught.value.next_step.endswith("pretrain.start: random")


def test_heads_of_another_size_are_refused(workspace: Path) -> None:
    small.write_checkpoint(workspace / "checkpoint", hidden_size=48)
    with pytest.raises(ArtifactError, match="'hidden_size': 48"):
        start(workspace)
