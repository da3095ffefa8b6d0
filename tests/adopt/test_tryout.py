"""What a server could not do with a model is found before any stage runs, and told with the way out."""

from pathlib import Path

import pytest

from pipeline.core.errors import ArtifactError
from pipeline.core.paths import Paths
from tests.support.research_models import (
    module_code,
    product_folder,
    taken_in,
    write_module,
    write_transformers,
)

SUM = "states = (self.words(input_ids) * attention_mask[..., None]).sum(1)\n"
PADDED = "return self.output(self.words(input_ids).mean(1))"
LENGTHS = """
states = self.words(input_ids) * attention_mask[..., None]
total = states[:, 0]
for at in range(1, input_ids.shape[1]):
    total = total + states[:, at] * at
return self.output(total)
"""
GRU = """
states, _ = self.gru(self.words(input_ids))
return self.output((states * attention_mask[..., None]).sum(1))
"""
FOURIER = """
states = self.words(input_ids) * attention_mask[..., None]
return self.output(self.mix(states).sum(1))
"""
MIX = """
class Mix(nn.Module):
    def forward(self, states):
        return torch.fft.fft(states, dim=2).real


"""
TABLE = "position = self.places(torch.arange(input_ids.shape[1]))\n"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory):
    return product_folder(tmp_path_factory.mktemp("product"))


def refusal(product, path: Path) -> ArtifactError:
    """The error with which a model is refused; nothing of it is kept."""
    params, paths = product
    with pytest.raises(ArtifactError) as refused:
        taken_in(path, params, paths)
    assert not (Paths(paths.root).artifacts / "adopt").exists()
    return refused.value


def line_of(file: Path, code: str) -> int:
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return lines.index(code) + 1


def test_a_model_that_reads_padding_is_refused(tmp_path: Path, product) -> None:
    error = refusal(product, write_module(tmp_path, module_code(PADDED)))
    assert "when it is padded" in error.got
    assert "attention_mask[..., None]" in error.next_step


def test_a_loop_over_the_length_is_refused_with_its_line(tmp_path: Path, product) -> None:
    file = write_module(tmp_path, module_code(LENGTHS))
    error = refusal(product, file)
    line = line_of(file, "for at in range(1, input_ids.shape[1]):")
    assert f"research.py:{line}: for at in range(1, input_ids.shape[1]):" in error.got


def test_a_loop_over_the_values_is_refused_with_its_line(tmp_path: Path, product) -> None:
    loop = "while states.norm() > 1:\n    states = states / 2\nreturn self.output(states)"
    file = write_module(tmp_path, module_code(SUM + loop))
    assert (
        f"research.py:{line_of(file, 'while states.norm() > 1:')}: " in refusal(product, file).got
    )


def test_what_cannot_be_exported_is_told_by_layer(tmp_path: Path, product) -> None:
    code = module_code(FOURIER, "self.mix = Mix()")
    code = code.replace("\n\nclass Model", f"\n{MIX}class Model")
    error = refusal(product, write_module(tmp_path, code))
    assert error.got.startswith("Model cannot be exported: mix (Mix, research.py:")
    assert "fft" in error.got


def test_weights_that_int8_leaves_are_told_by_layer(tmp_path: Path, product) -> None:
    gru = "self.gru = nn.GRU(16, 32, batch_first=True)\nself.output = nn.Linear(32, 2)"
    error = refusal(product, write_module(tmp_path, module_code(GRU, gru)))
    assert "the weights of gru (GRU) in float32" in error.got
    assert "GRU as an LSTM" in error.next_step


def test_a_length_that_the_model_has_no_place_for_is_named(tmp_path: Path, product) -> None:
    forward = TABLE + SUM + "return self.output(states + position.mean(0))"
    file = write_module(tmp_path, module_code(forward, "self.places = nn.Embedding(8, 16)"))
    error = refusal(product, file)
    assert f"research.py:{line_of(file, TABLE.strip())}: IndexError at (1, 24)" in error.got
    assert "prepare.max_length" in error.next_step


def test_outputs_of_another_number_than_the_labels_are_refused(tmp_path: Path, product) -> None:
    file = write_module(tmp_path, module_code(SUM + "return states"))
    assert "outputs of shape (1, 16)" in refusal(product, file).got


def test_a_family_whose_positions_are_too_few_is_told_how_many_there_are(
    tmp_path: Path, product
) -> None:
    params, paths = product
    long = params.prepare.model_copy(update={"max_length": 100})
    write_transformers(tmp_path / "model", "distilbert")
    error = refusal((params.model_copy(update={"prepare": long}), paths), tmp_path / "model")
    assert "to 64 or less" in error.next_step
