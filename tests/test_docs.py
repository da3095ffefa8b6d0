"""The docs are true: every parameter explained, commands and files exist, both READMEs say the same."""

import re
from pathlib import Path

import pytest

from flows.cli import make_parser
from flows.planning.resolution import Layers, Written, resolve
from flows.planning.schema import parameters
from pipeline.core.params import Params, section_in
from scripts import artifacts
from scripts.parameters import PAGE, page
from tests.support.repository import frozen_recipe, shown_product
from tests.test_layout import tracked

ROOT = Path(__file__).resolve().parent.parent
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
KOREAN = (ROOT / "README.ko.md").read_text(encoding="utf-8")
README = pytest.mark.parametrize("text", [ENGLISH, KOREAN], ids=["English", "Korean"])
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))

# A link or an image: the file, and the place in it.
LINK = re.compile(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)")
PATHS = re.compile(
    r"(?<![\w/])(?:pipeline|flows|tests|benchmarks|scripts)/[\w/]+\.(?:py|js|yaml|md(?:\.j2)?)\b(?!\.j2)"
)
# What is there only once something has run, or the user has written it.
MADE_LATER = {"artifacts", ".modelyard", "product.yaml"}
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


def test_the_pages_of_parameters_and_artifacts_are_current_and_explain_every_key() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m scripts.parameters`"
    text = artifacts.PAGE.read_text(encoding="utf-8")
    assert text == artifacts.page(text), "run `python -m scripts.artifacts`"
    assert [line for line in text.splitlines() if line.endswith("|  |")] == []


@README
def test_commands_verbs_and_files_of_the_readme_exist(text: str) -> None:
    named = set(re.findall(r"\bmake ((?!sure)[a-z-]+)", text))
    assert named <= TARGETS
    assert {"pipeline", "quickstart", "test", "check", "serve", "ui", "stop"} <= named
    verbs = set(re.findall(r"^    ([a-z]+) ", make_parser().format_help(), re.MULTILINE))
    assert set(re.findall(r"\bmodelyard ([a-z]+)", text)) == verbs
    assert [name for name in tree_names(text) if not (ROOT / name).exists()] == []


def test_every_room_stands_in_the_tree() -> None:
    rooms = [*ROOT.glob("pipeline/*/__init__.py"), *ROOT.glob("flows/*/__init__.py")]
    folders = {str(path.parent.relative_to(ROOT)) for path in rooms}
    assert folders <= set(tree_names(ENGLISH))


def tree_names(text: str) -> list[str]:
    """Paths that the annotated tree names; two spaces mean one folder deeper."""
    tree = next(
        block
        for block in re.findall(r"^```[a-z]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        if "dvc.yaml" in block
    )
    names, parent = [], ""
    for line in tree.splitlines():
        name = line.split()[0].rstrip("/")
        parent = parent if line.startswith("  ") else name
        names.append(f"{parent}/{name}" if line.startswith("  ") else name)
    return [name for name in names if name not in MADE_LATER]


def test_links_and_images_of_the_docs_exist() -> None:
    broken = []
    for source in tracked("*.md"):
        for target, anchor in LINK.findall(source.read_text(encoding="utf-8")):
            file = source.parent / target if target else source
            if not file.exists() or (
                anchor and file.suffix == ".md" and anchor not in anchors(file)
            ):
                broken.append(f"{source.name}: {target}#{anchor}")
    assert broken == []


def anchors(page: Path) -> set[str]:
    """Places of a page that a link can name: its headings, and what has an id."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'id="([^"]+)"', text))


def test_paths_named_in_docs_and_in_code_exist() -> None:
    """docs/log.md keeps the paths of its day; tests name files that they make."""
    gone = {
        f"{page.relative_to(ROOT)}: {name}"
        for page in tracked("*.md", "*.py", "*.yaml", "Makefile", ".ci/run")
        if page.parts[len(ROOT.parts)] != "tests" and page.name != "log.md"
        for name in PATHS.findall(page.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    }
    assert gone == set()


def test_both_readmes_have_the_same_links_and_commands() -> None:
    """What they say is for people to compare; where they lead and what they run is not."""

    def parts(text: str) -> tuple[set[str], set[str]]:
        commands = re.findall(r"`((?:make |modelyard |apt-get |[A-Z_]+=)[^`]*)`", text)
        return links_of(text, ROOT) - {"README.md#", "README.ko.md#"}, set(commands)

    assert parts(ENGLISH) == parts(KOREAN)


def links_of(text: str, folder: Path) -> set[str]:
    """Where the links of a page in `folder` lead; a page of docs/guide/ko/ counts as the English one of its name."""
    found = set()
    for target, anchor in LINK.findall(text):
        path = (folder / target).resolve().relative_to(ROOT).as_posix() if target else ""
        found.add(f"{path.replace('docs/guide/ko/', 'docs/guide/')}#{anchor}")
    return found


@pytest.mark.parametrize("korean", tracked("docs/guide/ko/*.md"), ids=lambda page: page.stem)
def test_a_korean_page_of_the_guide_has_the_sections_links_and_commands_of_the_english_one(
    korean: Path,
) -> None:
    english = korean.parent.parent / korean.name
    ours, theirs = (page.read_text(encoding="utf-8") for page in (korean, english))
    assert {slug for slug in anchors(english) if slug} <= anchors(korean)
    assert links_of(ours, korean.parent) == links_of(theirs, english.parent)
    assert without_comments(ours) == without_comments(theirs)
    assert commands_of(ours) == commands_of(theirs)


def without_comments(text: str) -> list[str]:
    """The blocks of code of a page; what stands after a `#` is for people, in their language."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [re.sub(r"[ \t]+#.*$", "", block, flags=re.MULTILINE) for block in blocks]


def commands_of(text: str) -> set[str]:
    """Commands, keys and file names that a page writes as code within its sentences."""
    sentences = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return {" ".join(code.split()) for code in re.findall(r"`([^`]*)`", sentences)}


@README
def test_the_example_of_ones_own_data_fits_the_schema(text: str) -> None:
    product = Written(place="product.yaml", values=shown_product(text))
    params = resolve(Layers(recipe=frozen_recipe(), product=product))
    assert [source.role for source in params.collect.sources] == ["labelled", "corpus"]


def test_the_example_of_another_checkpoint_fits_the_schema() -> None:
    guide = (ROOT / "docs/guide/your-own-data.md").read_text(encoding="utf-8")
    shown = shown_product(ENGLISH) | {"recipe": shown_product(guide)["recipe"]}
    product = Written(place="product.yaml", values=shown)
    params = resolve(Layers(recipe=frozen_recipe(), product=product))
    assert params.prepare.checkpoint.name == "my-encoder"


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        if b"\0" not in (content := path.read_bytes())
        for match in MACHINE_PATHS.finditer(content.decode("utf-8"))
    ]
    assert found == []
