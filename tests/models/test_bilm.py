"""The bidirectional language model does not see its targets; its classifier mixes layers."""

from pathlib import Path

import pytest
import torch

from pipeline.models.bilm import BilmForLanguageModelling, reverse_rows
from pipeline.models.bilm_classifier import BilmForSequenceClassification, ScalarMix
from pipeline.models.characters import LONGEST, CharacterEmbedding, spelling
from pipeline.models.encoder import is_bilm, load_classifier
from tests.support.tiny_bilm import VOCABULARY, tiny_bilm_classifier, tiny_language_model

INPUTS = pytest.mark.parametrize("kind", ["subword", "characters"])


def ids(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(5, VOCABULARY, shape, generator=torch.Generator().manual_seed(seed))


@INPUTS
def test_forward_scores_depend_on_the_left_alone_and_backward_on_the_right(kind: str) -> None:
    model, text = tiny_language_model(input=kind), ids(1, 9)
    changed = text.clone()
    changed[0, 4] = 5 + (changed[0, 4] - 4) % (VOCABULARY - 5)
    with torch.inference_mode():
        (after, before), (after2, before2) = model(text), model(changed)
    same_after = (after == after2).all(dim=-1)[0]
    same_before = (before == before2).all(dim=-1)[0]
    assert same_after.tolist() == [place < 4 for place in range(9)]
    assert same_before.tolist() == [place > 4 for place in range(9)]


@INPUTS
def test_padding_changes_no_answer(kind: str) -> None:
    model, text = tiny_bilm_classifier(input=kind), ids(3, 9)
    mask = torch.ones_like(text)
    mask[1, 5:] = 0
    with torch.inference_mode():
        together = model(text, mask).logits[1]
        alone = model(text[1:2, :5], mask[1:2, :5]).logits[0]
    assert torch.allclose(together, alone, atol=1e-6)


def test_rows_are_turned_within_their_own_length() -> None:
    states = torch.arange(8.0).view(2, 4, 1)
    turned = reverse_rows(states, torch.tensor([4, 2]))[..., 0]
    assert turned.tolist() == [[3, 2, 1, 0], [5, 4, 6, 7]]
    assert torch.equal(reverse_rows(reverse_rows(states, None), None), states)


def test_dropout_takes_the_same_units_at_every_step_of_a_text() -> None:
    model = tiny_language_model(dropout=0.5)
    model.train()
    dropped = model.drop(torch.ones(4, 9, 12))
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    model.eval()
    assert torch.equal(model.drop(torch.ones(2, 3, 12)), torch.ones(2, 3, 12))


def test_embedding_dropout_blanks_a_token_wherever_it_stands() -> None:
    model = tiny_language_model(embedding_dropout=0.5)
    model.train()
    embedded = model.bilm._embed(torch.arange(5, VOCABULARY).repeat(2, 1))
    assert torch.equal(embedded[0], embedded[1])
    blank = (embedded[0] == 0).all(dim=-1)
    assert 0 < int(blank.sum()) < len(blank)


def test_weight_drop_makes_two_readings_differ_in_training_alone() -> None:
    model, text = tiny_language_model(weight_drop=0.5), ids(1, 9)
    model.train()
    assert not torch.equal(model(text)[0], model(text)[0])
    model.eval()
    assert torch.equal(model(text)[0], model(text)[0])


def test_the_mix_of_layers_follows_its_weights() -> None:
    mix, layers = ScalarMix(3), [torch.full((2, 2), float(n)) for n in range(3)]
    assert torch.allclose(mix(layers), torch.ones(2, 2))
    with torch.no_grad():
        mix.weights.copy_(torch.tensor([0.0, 0.0, 50.0]))
        mix.scale.fill_(3.0)
    assert torch.allclose(mix(layers), torch.full((2, 2), 6.0))


@INPUTS
def test_a_saved_model_loads_with_the_same_answers_and_a_classifier_takes_its_layers(
    tmp_path: Path, kind: str
) -> None:
    model, text = tiny_language_model(input=kind), ids(2, 9)
    model.save_pretrained(tmp_path)
    assert is_bilm(tmp_path)
    again = BilmForLanguageModelling.from_pretrained(tmp_path).eval()
    with torch.inference_mode():
        assert torch.equal(model(text)[0], again(text)[0])
    classifier = load_classifier(tmp_path, labels=["no", "yes"], dropout=0.3)
    assert isinstance(classifier, BilmForSequenceClassification)
    assert classifier.config.classifier_dropout == 0.3
    for name, taken in classifier.bilm.state_dict().items():
        assert torch.equal(taken, model.bilm.state_dict()[name]), name
    assert classifier.head.mix.weights.tolist() == [0, 0, 0]
    assert classifier.head.mix.scale.item() == 1


def test_a_token_is_spelled_by_its_bytes_and_long_ones_are_cut() -> None:
    rows = spelling([b"ab", None, b"x" * 99])
    assert rows[0, :5].tolist() == [256, 97, 98, 257, 258]
    assert rows[1, 1] != rows[0, 1]
    assert rows.shape == (3, LONGEST + 2)
    assert (rows[2] == ord("x")).sum() == LONGEST


def test_the_table_holds_what_spelling_gives() -> None:
    model = tiny_language_model(input="characters")
    table, text = model.bilm.embeddings, ids(2, 6)
    assert isinstance(table, CharacterEmbedding)
    found, expected = table.table()[text], table(text)
    # The rows are summed in another order: float32 is exact to its last digits of the largest value.
    assert torch.allclose(found, expected, rtol=0, atol=1e-5 * float(expected.detach().abs().max()))
