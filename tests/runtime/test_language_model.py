"""A language model in ONNX: its bits add up, and it says which figures are probabilities."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from pipeline.compression.language_model_onnx import (
    export_language_model,
    largest_difference,
    onnx_answers,
    torch_answers,
)
from pipeline.compression.onnx_export import parity_cases
from pipeline.core.errors import ArtifactError, DataError
from pipeline.runtime import language_model
from pipeline.runtime.language_model import LanguageModel, finished
from pipeline.runtime.session import open_session
from pipeline.training.heldout import document_nats
from tests.support.tiny_bilm import tiny_language_model
from tests.support.tiny_language import MAX_LENGTH, TEXTS, write_language_model

FAMILIES = ("bilm", "bert")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory):
    """Family → its folder and its torch model."""
    root = tmp_path_factory.mktemp("language")
    return {name: (root / name, write_language_model(root / name, name)) for name in FAMILIES}


def opened(written, family: str) -> LanguageModel:
    files = (written[family][0] / name for name in ("model.onnx", "tokenizer.json"))
    return LanguageModel(*files, max_length=MAX_LENGTH, threads=1)


@pytest.mark.parametrize("family", FAMILIES)
def test_onnx_equals_torch_in_every_output_at_lengths_one_seven_and_the_longest(
    written, family: str
) -> None:
    folder, model = written[family]
    assert difference(model, folder / "model.onnx") <= 1e-4


@pytest.mark.parametrize("kind", ["subword", "characters"])
def test_exported_twice_in_one_process_a_bilm_answers_as_torch_both_times(
    tmp_path: Path, kind: str
) -> None:
    for name in ("first.onnx", "second.onnx"):
        model = tiny_language_model(input=kind, initializer_range=0.1)
        export_language_model(model, tmp_path / name, opset=17)
        assert difference(model, tmp_path / name) <= 1e-4
    first, second = (tmp_path / name for name in ("first.onnx", "second.onnx"))
    assert first.read_bytes() == second.read_bytes()


def difference(model: PreTrainedModel, exported: Path) -> float:
    """The largest difference of any output, at lengths one, seven and the longest."""
    random = np.random.default_rng(1)
    size = model.config.vocab_size
    rows = [random.integers(5, size, length).tolist() for length in (1, 7, MAX_LENGTH)]
    cases = parity_cases(rows, vocabulary_size=size, max_length=MAX_LENGTH, pad_token_id=0, seed=1)
    candidate = onnx_answers(open_session(exported, threads=1))
    return max(largest_difference(torch_answers(model), candidate, cases).values())


def test_the_bits_of_a_text_follow_the_chain_rule_in_both_directions(written) -> None:
    model = opened(written, "bilm")
    text = TEXTS[0]
    found = model.cost(text)
    _, ids, _, _ = model._encode(text)
    bilm, cpu = written["bilm"][1], torch.device("cpu")
    forward, backward = document_nats(bilm, [np.array(ids)], boundary=3, device=cpu)
    assert found.bits == pytest.approx(forward[0] / np.log(2), rel=1e-4)
    assert found.backward_bits == pytest.approx(backward[0] / np.log(2), rel=1e-4)
    assert found.bits == pytest.approx(sum(token.bits for token in found.tokens))
    assert "".join(token.text for token in found.tokens) == text
    assert found.is_probability


def test_a_masked_model_gives_scores_and_says_that_they_are_not_probabilities(written) -> None:
    found = opened(written, "bert").cost("The film is warm.")
    assert not found.is_probability
    assert found.backward_bits is None
    assert all(token.bits > 0 and token.backward_bits is None for token in found.tokens)


@pytest.mark.parametrize("text", ["배우들의 연기", "warm 🎬 film", "é"])
def test_parts_of_one_character_count_as_one_token(written, text: str) -> None:
    found = opened(written, "bilm").cost(text)
    assert "".join(token.text for token in found.tokens) == text
    assert found.bits == pytest.approx(sum(token.bits for token in found.tokens))


@pytest.mark.parametrize("family", FAMILIES)
def test_next_words_are_ranked_and_their_shares_are_no_more_than_one(written, family: str) -> None:
    model = opened(written, family)
    assert model.next_words("", count=3)
    words = model.next_words("The film is", count=5)
    shares = [word.probability for word in words]
    assert 1 <= len(words) <= 5
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1 + 1e-6
    assert len({word.text for word in words}) == len(words)
    assert all(word.text == word.text.strip() != "" for word in words)


@pytest.mark.parametrize("family", FAMILIES)
def test_one_blank_is_filled_and_none_or_two_are_refused(written, family: str) -> None:
    model = opened(written, family)
    words = model.fill("The ___ is warm.", count=4)
    assert len(words) == 4
    for text, blanks in (("The film is warm.", 0), ("The ___ is ___.", 2)):
        with pytest.raises(DataError, match=f"{blanks} blanks"):
            model.fill(text)


@pytest.mark.parametrize(("family", "width"), [("bilm", 24), ("bert", 16)])
def test_every_layer_has_a_state_of_every_token(written, family: str, width: int) -> None:
    tokens, states = opened(written, family).embeddings("The film is warm.")
    assert states.shape == (3, len(tokens), width)
    assert "".join(tokens).replace(" ", "") == "Thefilmiswarm."


def test_a_text_longer_than_the_model_reads_is_cut_and_says_so(written) -> None:
    found = opened(written, "bilm").cost(" ".join(TEXTS))
    assert found.truncated
    assert not found.is_probability
    assert len(found.tokens) <= MAX_LENGTH


@pytest.mark.parametrize("family", FAMILIES)
def test_after_a_long_context_its_end_decides_what_comes_next(written, family: str) -> None:
    model, long = opened(written, family), " ".join(TEXTS)
    assert model.next_words(long + " The cast was") != model.next_words(long + " A dull film")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("text", ["{long} ___", "___ {long}", "{long} ___ {long}"])
def test_a_blank_in_a_long_text_is_filled_from_the_words_next_to_it(
    written, family: str, text: str
) -> None:
    model, long = opened(written, family), " ".join(TEXTS)
    words = model.fill(text.format(long=long), count=3)
    assert len(words) == 3
    changed = model.fill(text.format(long=f"dull {long} great"), count=3)
    assert words != changed


def test_no_next_word_is_half_a_character(written) -> None:
    for family in FAMILIES:
        model = opened(written, family)
        for context in ("배우들의", "배우들의 연기가", "The film 좋"):
            assert not any("\ufffd" in word.text for word in model.next_words(context, count=8))
            assert not any("\ufffd" in word.text for word in model.fill(f"{context} ___.", count=8))


def test_a_run_of_a_masked_model_gives_no_more_logits_than_its_limit(
    written, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, rows = opened(written, "bert"), list[int]()
    whole = model.cost(TEXTS[0])
    run = model._run

    def counted(asked, *outputs):
        rows.append(len(asked))
        return run(asked, *outputs)

    monkeypatch.setattr(model, "_run", counted)
    monkeypatch.setattr(language_model, "BYTES_A_RUN", 1)
    alone = model.cost(TEXTS[0])
    assert set(rows) == {1}
    assert len(rows) == len(alone.tokens)
    assert alone.bits == pytest.approx(whole.bits, rel=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_between_two_runs_it_says_how_many_may_be_left(written, family: str) -> None:
    model = opened(written, family)
    left = list(model.next_words_runs("the film"))
    assert left == sorted(left, reverse=True)
    assert left[-1] >= 1
    assert finished(model.next_words_runs("the film")) == model.next_words("the film")


def test_a_model_that_gives_no_finite_costs_is_refused_as_it_is_loaded(
    written, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = opened(written, "bert")
    model.warm_up()
    run = model._run
    monkeypatch.setattr(model, "_run", lambda *asked: [found * np.nan for found in run(*asked)])
    with pytest.raises(ArtifactError, match="finite number of bits"):
        model.warm_up()
