"""The guide as text: its sections are found, examples are added, and nothing a person wrote is altered."""

import random

import pytest

from pipeline.annotation.guide_text import (
    MOST_EXAMPLES,
    changed_labels,
    first_guide,
    rule_text,
    section_of,
    sections,
    with_example,
)
from pipeline.core.errors import DataError
from tests.support.repository import REPOSITORY

LABELS = ("complaint", "question")
GUIDE = """# Letters

What does the writer want?

## complaint

Something went wrong.
Whether or not anything is asked for.

### Examples that are

- Three weeks, and no reply.
* The bin was left full.

### Examples that are not

- When is the bin emptied?

## `Question`

The writer asks.

## Hard cases

- A question that complains as well: complaint.
"""
KOREAN = """## 불만

무언가 잘못되었다.

### 맞는 예

- 3주째 답이 없어요.

### 아닌 예

- 언제 여나요?

## 어려운 사례
"""
PIECES = [
    *(
        "## complaint",
        "## a ##",
        "# a",
        "### Examples that are",
        "### 아닌 예",
        "- item",
        "* item",
        "-item",
    ),
    *(
        "",
        "text",
        "```",
        "~~~",
        "  indented",
        "\ttab",
        "##no heading",
        "## ",
        "\r",
        "é\u2028x",
        "\x0b",
        "## 불만",
    ),
]


@pytest.mark.parametrize("seed", range(8))
def test_the_sections_joined_are_the_guide_whatever_it_holds(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    for _ in range(200):
        lines = chance.choices(PIECES, k=chance.randrange(12))
        text = chance.choice(["\n", "\r\n"]).join(lines) + chance.choice(["", "\n"])
        assert "".join(section.text for section in sections(text)) == text
        for section in sections(text):
            assert section.title in section.text


def test_a_section_has_a_rule_and_examples_that_are_and_are_not() -> None:
    found = section_of(GUIDE, "complaint")
    assert found.rule == "Something went wrong.\nWhether or not anything is asked for."
    assert found.are == ("Three weeks, and no reply.", "The bin was left full.")
    assert found.are_not == ("When is the bin emptied?",)
    assert [each.title for each in sections(GUIDE)] == ["", "complaint", "`Question`", "Hard cases"]
    assert sections(GUIDE)[-1].is_hard_cases


def test_headings_may_be_korean_or_windows_lines_and_labels_of_any_case() -> None:
    assert section_of(KOREAN, "불만").are == ("3주째 답이 없어요.",)
    assert section_of(KOREAN, "불만").are_not == ("언제 여나요?",)
    assert sections(KOREAN)[-1].is_hard_cases
    assert section_of(GUIDE.replace("\n", "\r\n"), "complaint").are_not == (
        "When is the bin emptied?",
    )
    assert section_of(GUIDE, "question").rule == "The writer asks."
    assert section_of(GUIDE, "praise").text == ""


def test_what_stands_in_fenced_code_is_no_heading() -> None:
    text = "## complaint\n\n```\n## question\n### Examples that are\n- none\n```\n"
    assert len(sections(text)) == 1
    assert section_of(text, "complaint").are == ()


@pytest.mark.parametrize("label", [*LABELS, "praise"])
@pytest.mark.parametrize("belongs", [True, False], ids=["is one", "is none"])
@pytest.mark.parametrize(
    "guide", [GUIDE, GUIDE.rstrip(), "", "Be fair.", first_guide("letters", LABELS, question="Which?")],
    ids=["whole", "no last line break", "empty", "a sentence", "first"],
)  # fmt: skip
def test_an_example_is_added_and_every_other_line_stays(
    guide: str, label: str, belongs: bool
) -> None:
    longer = with_example(guide, label=label, example=" two\n lines ", belongs=belongs)
    found = section_of(longer, label)
    assert (found.are if belongs else found.are_not)[-1] == "two lines"
    assert "two lines" not in (found.are_not if belongs else found.are)
    kept = iter(longer.split("\n"))
    assert all(line in kept for line in guide.split("\n") if line)
    rest = {part.title: part.text.strip() for part in sections(longer) if part.title != found.title}
    assert rest == {p.title: p.text.strip() for p in sections(guide) if p.title != found.title}


def test_a_new_section_stands_before_the_hard_cases_and_speaks_the_guides_language() -> None:
    titles = [
        part.title
        for part in sections(with_example(GUIDE, label="praise", example="x", belongs=True))
    ]
    assert titles == ["", "complaint", "`Question`", "praise", "Hard cases"]
    assert "### 맞는 예" in with_example(KOREAN, label="질문", example="x", belongs=True)


def test_three_examples_of_a_kind_are_enough_and_none_comes_twice() -> None:
    guide = GUIDE
    for number in range(len(section_of(GUIDE, "complaint").are), MOST_EXAMPLES):
        guide = with_example(guide, label="complaint", example=f"number {number}", belongs=True)
    with pytest.raises(DataError, match="3 examples"):
        with_example(guide, label="complaint", example="one more", belongs=True)
    with pytest.raises(DataError, match="in the guide already"):
        with_example(GUIDE, label="complaint", example="When is the bin  emptied?", belongs=True)
    long = with_example(GUIDE, label="question", example="word " * 500, belongs=True)
    assert len(section_of(long, "question").are[0]) <= 400


def test_a_first_guide_has_a_section_a_label_and_one_of_hard_cases() -> None:
    guide = first_guide("letters", LABELS, question="Which one?", audience="The town hall.")
    assert [part.title for part in sections(guide)] == ["", *LABELS, "Hard cases"]
    assert guide.startswith("# letters\n\nThe town hall.\n\nWhich one?\n")
    assert section_of(guide, "question").are == ()


CHANGED = {
    "nothing": (GUIDE, ()),
    "blanks at the ends of lines": (GUIDE.replace("wrong.\n", "wrong.  \n"), ()),
    "a rule": (GUIDE.replace("The writer asks.", "The writer asks us."), ("question",)),
    "an example": (GUIDE.replace("- Three", "- Four"), ("complaint",)),
    "a section that is gone": (GUIDE.replace("## complaint", "## grumble"), LABELS),
    "a hard case that names a label": (f"{GUIDE}- Thanks: question.\n", ("question",)),
    "a hard case that names none": (f"{GUIDE}- Thanks.\n", LABELS),
    "the title": (GUIDE.replace("# Letters", "# Mail"), LABELS),
}


@pytest.mark.parametrize(("after", "labels"), CHANGED.values(), ids=CHANGED)
def test_a_change_is_about_the_labels_whose_sections_differ_or_that_it_names(
    after: str, labels: tuple[str, ...]
) -> None:
    assert changed_labels(GUIDE, after, LABELS) == labels


def test_a_korean_label_is_named_with_its_particle() -> None:
    assert changed_labels(KOREAN, f"{KOREAN}\n- 고마움은 불만이 아니다.\n", ["불만", "질문"]) == (
        "불만",
    )


def test_the_rule_of_labels_has_their_sections_and_what_is_about_all() -> None:
    text = rule_text(GUIDE, ["question"])
    assert "The writer asks." in text
    assert "as well" in text
    assert "Something went wrong" not in text


@pytest.mark.parametrize("name", ["movie-review-guide.md", "movie-review-guide.ko.md"])
def test_the_filled_examples_of_the_docs_have_all_that_a_guide_has(name: str) -> None:
    text = (REPOSITORY / "docs" / "guide" / name).read_text(encoding="utf-8")
    assert [part.title for part in sections(text)][1:-1] == ["negative", "positive"]
    assert sections(text)[-1].is_hard_cases
    for label in ("negative", "positive"):
        found = section_of(text, label)
        assert (len(found.are), len(found.are_not), bool(found.rule)) == (3, 3, True)
