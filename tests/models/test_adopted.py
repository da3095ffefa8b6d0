"""A team's module is built from its own file and weights, or it is said what keeps it from that."""

from pathlib import Path

import pytest
import torch

from pipeline.core.errors import ArtifactError
from pipeline.models.adopted import (
    accepted_inputs,
    built,
    class_named,
    imported,
    load_weights,
    place_in,
)
from tests.support.research_models import CNN, module_code, write_module


def of_code(folder: Path, code: str):
    """The module of a file with that code."""
    file = folder / "research.py"
    file.write_text(code, encoding="utf-8")
    return imported(file)


def test_the_only_class_that_reads_token_ids_is_taken_or_the_one_that_is_named(tmp_path) -> None:
    one = of_code(tmp_path, CNN)
    assert class_named(one, "").__name__ == "ReviewCnn"
    two = of_code(tmp_path, CNN + "\n\nclass Other(ReviewCnn):\n    pass\n")
    assert class_named(two, "Other").__name__ == "Other"
    with pytest.raises(ArtifactError, match="ReviewCnn, Other") as refused:
        class_named(two, "")
    assert refused.value.next_step == "name it with --class"
    with pytest.raises(ArtifactError, match="no class Third"):
        class_named(two, "Third")


def test_a_class_that_needs_arguments_is_told_which(tmp_path: Path) -> None:
    code = CNN.replace("vocabulary=300, width=24", "vocabulary, width")
    code = code.replace("channels=32", "channels")
    with pytest.raises(ArtifactError, match="needs vocabulary, width, channels to be made"):
        built(class_named(of_code(tmp_path, code), ""))


def test_a_forward_that_needs_more_than_a_text_has_is_refused(tmp_path: Path) -> None:
    code = CNN.replace("input_ids, attention_mask)", "input_ids, author)", 1)
    found = class_named(of_code(tmp_path, code), "")
    with pytest.raises(ArtifactError, match=r"forward needs author"):
        accepted_inputs(found)


def test_a_file_that_does_not_run_is_told_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"research.py:2: ModuleNotFoundError: .*no_such"):
        of_code(tmp_path, "import torch\nimport no_such_package_here\n")
    with pytest.raises(ArtifactError, match=r"research.py:1: SyntaxError"):
        of_code(tmp_path, "class (\n")


def test_weights_of_another_class_are_refused(tmp_path: Path) -> None:
    file = write_module(tmp_path, CNN)
    module = built(class_named(of_code(tmp_path, CNN.replace("(1, 3, 5)", "(1, 3)")), ""))
    with pytest.raises(ArtifactError, match="convolutions"):
        load_weights(module, file.with_name("model.safetensors"))


def test_an_errors_place_is_the_last_line_of_the_file_that_it_left(tmp_path: Path) -> None:
    file = write_module(tmp_path, module_code("return self.helper(input_ids)"))
    module = built(class_named(imported(file), ""))
    with pytest.raises(AttributeError) as raised:
        module(torch.zeros(1, 1), torch.zeros(1, 1))
    line = (
        file.read_text(encoding="utf-8").splitlines().index("        return self.helper(input_ids)")
    )
    assert place_in(raised.value, file) == f"research.py:{line + 1}"
