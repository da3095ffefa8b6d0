"""Code whose path depends on the text is refused at its very line; all else passes."""

from pathlib import Path

import pytest

from pipeline.adopt.control_flow import loops_in, require_static
from pipeline.core.errors import ArtifactError
from pipeline.models import adopted
from tests.support.research_models import CNN, module_code, write_module

MEAN = "return self.output((self.words(input_ids) * attention_mask[..., None]).mean(1))"
LOOP = """
states = self.words(input_ids).sum(1)
for _ in range(int(attention_mask.sum())):
    states = states * 0.9
return self.output(states)
"""
WHILE = """
states = self.words(input_ids).sum(1)
while states.norm() > 1:
    states = states / 2
return self.output(states)
"""
BRANCH = """
states = self.words(input_ids).sum(1)
if states.sum() > 0:
    states = states * 2
return self.output(states)
"""
LSTM = """
states, _ = self.lstm(self.words(input_ids))
return self.output((states * attention_mask[..., None]).sum(1))
"""


def model_of(folder: Path, code: str) -> tuple[adopted.AdoptedClassifier, Path]:
    file = write_module(folder, code)
    found = adopted.class_named(adopted.imported(file), "")
    config = adopted.AdoptedConfig(class_name=found.__name__, vocab_size=100)
    return adopted.wrapped(adopted.built(found), config), file


@pytest.mark.parametrize(
    ("forward", "line"),
    [
        (LOOP, "for _ in range(int(attention_mask.sum())):"),
        (WHILE, "while states.norm() > 1:"),
        (BRANCH, "if states.sum() > 0:"),
    ],
    ids=["for", "while", "if"],
)
def test_a_loop_or_branch_on_values_is_refused_with_its_file_and_line(
    tmp_path: Path, forward: str, line: str
) -> None:
    model, file = model_of(tmp_path, module_code(forward))
    with pytest.raises(ArtifactError) as refused:
        require_static(model, file, max_length=24)
    code = [written.strip() for written in file.read_text(encoding="utf-8").splitlines()]
    assert refused.value.got.startswith(f"research.py:{code.index(line) + 1}: `{line}`")
    assert "torch.where" in refused.value.next_step


@pytest.mark.parametrize(
    "code",
    [CNN, module_code(MEAN), module_code(LSTM, "self.lstm = nn.LSTM(16, 16, batch_first=True)")],
    ids=["convolution", "mean", "lstm"],
)
def test_code_that_does_the_same_for_every_text_passes(tmp_path: Path, code: str) -> None:
    model, file = model_of(tmp_path, code)
    require_static(model, file, max_length=24)


def test_loops_and_branches_are_listed_with_their_lines(tmp_path: Path) -> None:
    model, file = model_of(tmp_path, module_code(LOOP))
    [found] = loops_in(type(model.module), file)
    line = (
        file.read_text(encoding="utf-8")
        .splitlines()
        .index("        for _ in range(int(attention_mask.sum())):")
    )
    assert found == f"research.py:{line + 1}: for _ in range(int(attention_mask.sum())):"
