"""The docs are true: every parameter explained, commands and files exist, both READMEs say the same."""

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.planning.schema import parameters, section_in
from pipeline.core.params import Params, parse_params
from scripts.parameters import PAGE, page
from tests.support.repository import parameter_values
from tests.test_layout import tracked

ROOT = Path(__file__).resolve().parent.parent
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
KOREAN = (ROOT / "README.ko.md").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))

# What is there only once something has run.
MADE_LATER = {"artifacts", ".modelyard"}
# Written in pieces, so that this file does not name what it forbids.
MACHINE_PATHS = re.compile(
    r"(?<![\w.])/(?:ro" + r"ot|ho" + r"me|Us" + r"ers|wo" + r"rk)/[\w.-]+|file" + r":///"
)


def test_every_parameter_is_explained() -> None:
    unexplained = [
        parameter.path
        for name, field in Params.model_fields.items()
        if (section := section_in(field.annotation))
        for parameter in parameters(section, field.alias or name)
        if len(parameter.meaning) < 10
    ]
    assert unexplained == []


def test_the_page_of_parameters_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m scripts.parameters`"


@pytest.mark.parametrize("text", [ENGLISH, KOREAN], ids=["English", "Korean"])
def test_make_commands_of_the_readme_exist(text: str) -> None:
    named = set(re.findall(r"\bmake ((?!sure)[a-z-]+)", text))
    assert named <= TARGETS
    assert {"pipeline", "quickstart", "test", "check", "serve", "ui", "stop"} <= named


@pytest.mark.parametrize("text", [ENGLISH, KOREAN], ids=["English", "Korean"])
def test_names_in_the_tree_of_the_readme_exist(text: str) -> None:
    assert [name for name in tree_names(text) if not (ROOT / name).exists()] == []


def test_every_library_folder_stands_in_the_tree() -> None:
    folders = {f"pipeline/{path.parent.name}" for path in ROOT.glob("pipeline/*/__init__.py")}
    assert folders <= set(tree_names(ENGLISH))


def tree_names(text: str) -> list[str]:
    """Paths that the annotated tree names; two spaces mean one folder deeper."""
    tree = next(
        block for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) if "dvc.yaml" in block
    )
    names, parent = [], ""
    for line in tree.splitlines():
        indent, first = re.match(r"( *)(\S+)", line).groups()  # type: ignore[union-attr]
        second = re.search(r"\s{3,}((?:\w+/)+\w*(?:\.\w+)?)\s{2,}", line[20:])
        found = [parent + first if indent else first, *(second.groups() if second else ())]
        parent = parent if indent else first
        names += [name.rstrip("/") for name in found]
    return [name for name in names if name not in MADE_LATER]


def test_links_and_images_of_the_docs_exist() -> None:
    broken = [
        f"{path.name}: {target}"
        for path in tracked("*.md")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert broken == []


def test_both_readmes_say_the_same_things() -> None:
    def outline(text: str) -> tuple[list[str], ...]:
        return (
            [line.split()[0] for line in text.splitlines() if line.startswith("#")],
            re.findall(r"```(.*?)\n", text),
            re.findall(r"`((?:make|python|apt-get|MODELYARD_\w+=|NO_RELEASE)[^`]*)`", text),
            re.findall(r"\]\(([^)]+)\)", text)[1:],
            re.findall(r"```yaml\n(.*?)```", text, re.DOTALL),
        )

    for english, korean in zip(outline(ENGLISH), outline(KOREAN), strict=True):
        assert sorted(english) == sorted(korean)


def test_the_example_of_ones_own_data_fits_the_schema() -> None:
    values = parameter_values()
    shown: dict[str, Any] = {}
    for block in re.findall(r"```yaml\n(.*?)```", ENGLISH, re.DOTALL):
        shown |= yaml.safe_load(textwrap.dedent(block))
    values["prepare"] |= shown.pop("prepare")
    values |= shown
    params = parse_params(values)
    waived = set(params.product.requirements.licence_waivers)
    assert {source.name for source in params.collect.sources} <= waived


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        if b"\0" not in (content := path.read_bytes())
        for match in MACHINE_PATHS.finditer(content.decode("utf-8"))
    ]
    assert found == []
