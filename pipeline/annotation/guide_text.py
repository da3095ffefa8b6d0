"""Reads and changes the guide: a Markdown text with a section a label and one of hard cases.

    ## complaint
    The rule, in free text.

    ### Examples that are
    - Three weeks, and no reply.

    ### Examples that are not
    - When do you open?

    ## Hard cases
    - A question that complains as well: complaint.

A guide is the list of its sections, whose texts, joined, are the guide's: whatever a person writes into it stays
as it is. Headings may be English or Korean.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import normalize

from pipeline.core.errors import DataError

MOST_EXAMPLES = 3
"""How many examples that are, and that are not, a label takes from rows."""
MOST_GUIDE = 200_000
"""Characters of a guide."""

_EXAMPLE = 400
_ARE = ("examples that are", "맞는 예")
_ARE_NOT = ("examples that are not", "아닌 예")
_HARD_CASES = ("hard cases", "어려운 사례")
_KOREAN = re.compile(r"[가-힣]")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_HEADING = re.compile(r"(#{2,3})[ \t]+(.*?)[ \t#]*\r?\n?")
_FENCE = re.compile(r"[ ]{0,3}(```+|~~~+)")
_ITEM = re.compile(r"[-*+][ \t]+(\S.*?)\s*")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a guide that begins with a heading `## …`.

    Attributes:
        title: the heading; empty for what stands before the first one.
        text: the whole section as it is written, heading included.
    """

    title: str
    text: str

    @property
    def rule(self) -> str:
        """The text between the heading and the first `### …`, without blank lines around it."""
        lines = _lines(self.text)[bool(self.title) :]
        end = next((n for n, line in enumerate(lines) if _heading(line)), len(lines))
        return "".join(lines[:end]).strip()

    @property
    def are(self) -> tuple[str, ...]:
        """The examples that are of the label."""
        return self._items(_ARE)

    @property
    def are_not(self) -> tuple[str, ...]:
        """The examples that are not of the label."""
        return self._items(_ARE_NOT)

    @property
    def is_hard_cases(self) -> bool:
        """Whether it is the section of hard cases, which is about every label."""
        return _plain(self.title) in _HARD_CASES

    def _items(self, titles: Sequence[str]) -> tuple[str, ...]:
        lines = _lines(self.text)
        start, end = _place(lines, titles)
        return tuple(match[1] for line in lines[start:end] if (match := _ITEM.fullmatch(line)))


def sections(guide: str) -> tuple[Section, ...]:
    """The sections of a guide in their order; their texts, joined, are the guide."""
    found: list[Section] = []
    lines: list[str] = []
    title, fence = "", ""
    for line in _lines(guide):
        fence = _after(fence, line)
        heading = None if fence else _heading(line)
        if heading is not None and heading[0] == 2:
            found += [Section(title, "".join(lines))] if lines else []
            title, lines = heading[1], []
        lines.append(line)
    return (*found, *([Section(title, "".join(lines))] if lines else []))


def section_of(guide: str, label: str) -> Section:
    """The section of a label; an empty one where the guide has none."""
    wanted = _plain(label)
    found = (section for section in sections(guide) if _plain(section.title) == wanted)
    return next(found, Section("", ""))


def with_example(guide: str, *, label: str, example: str, belongs: bool) -> str:
    """The guide with one more example in a label's section, which is made where there is none.

    Args:
        example: a text, of which at most 400 characters are taken, on one line.
        belongs: whether it is of the label.

    Raises:
        DataError: the guide has the example already, or three of its kind.
    """
    line = _one_line(example)
    parts, section = list(sections(guide)), section_of(guide, label)
    there = section.are if belongs else section.are_not
    if line in (*section.are, *section.are_not):
        raise _no_example(label, "the example is in the guide already", "one that is not")
    if len(there) >= MOST_EXAMPLES:
        raise _no_example(label, f"{MOST_EXAMPLES} examples are there already", "fewer of them")
    is_korean = bool(_KOREAN.search(guide))
    if not section.text:
        hard = next((n for n, part in enumerate(parts) if part.is_hard_cases), len(parts))
        section = Section(label, f"## {label}\n")
        parts[hard:hard] = [section]
        if hard:
            parts[hard - 1] = _ended(parts[hard - 1])
    titles = _ARE if belongs else _ARE_NOT
    longer = Section(section.title, _inserted(section.text, line, titles, is_korean=is_korean))
    place = parts.index(section)
    return "".join(part.text for part in [*parts[:place], longer, *parts[place + 1 :]])


def first_guide(product: str, labels: Sequence[str], *, question: str, audience: str = "") -> str:
    """A guide to begin with: a section a label with places for its rule and examples, and hard cases.

    Args:
        question: what people are asked about each text.
    """
    about = [f"{audience}\n"] if audience else []
    head = [f"# {product}\n", *about, f"{question}\n"]
    each = [
        f"## {label}\n\nThe rule: a text is `{label}` when …\n\n### Examples that are\n\n### Examples that are not\n"
        for label in labels
    ]
    hard = "## Hard cases\n\nTexts that people disagree on, and what is decided about them.\n"
    return "\n".join([*head, *each, hard])


def changed_labels(before: str, after: str, labels: Sequence[str]) -> tuple[str, ...]:
    """The labels that a change of the guide is about, in the order of `labels`.

    A label's own section tells. A change elsewhere, as in the hard cases, is about the labels that its added and
    removed lines name, or about all where they name none. Blanks at the ends of lines do not count.
    """
    known = {_plain(label) for label in labels}
    own = {label for label in labels if not _same_text(*(_own(g, label) for g in (before, after)))}
    elsewhere = [
        {
            line.strip()
            for part in sections(guide)
            if _plain(part.title) not in known
            for line in _lines(part.text)
        }
        for guide in (before, after)
    ]
    lines = (elsewhere[0] ^ elsewhere[1]) - {""}
    named = {label for label in labels if any(_names(line, label) for line in lines)}
    if lines and not named:
        return tuple(labels)
    return tuple(label for label in labels if label in own | named)


def rule_text(guide: str, labels: Sequence[str]) -> str:
    """The rules of some labels: their sections, then all that is in no label's section."""
    general = (part.text for part in sections(guide) if part.is_hard_cases or not part.title)
    return "".join([*(_own(guide, label) for label in labels), *general])


def _own(guide: str, label: str) -> str:
    return section_of(guide, label).text


def _inserted(text: str, line: str, titles: Sequence[str], *, is_korean: bool) -> str:
    """A section's text with an item after the last one under a heading, which is added where there is none."""
    lines = _lines(text if text.endswith("\n") else f"{text}\n")
    start, end = _place(lines, titles)
    if start < 0:
        kept = "".join(lines).rstrip("\n")
        tail = "".join(lines)[len(kept) + 1 :]
        return f"{kept}\n\n### {_titled(titles[is_korean])}\n\n- {line}\n{tail or chr(10)}"
    last = max((n for n in range(start, end) if _ITEM.fullmatch(lines[n])), default=None)
    if last is not None:
        return "".join([*lines[: last + 1], f"- {line}\n", *lines[last + 1 :]])
    rest = lines[start:end]
    return "".join([*lines[:start], "\n", f"- {line}\n", *(rest or []), *lines[end:]])


def _place(lines: Sequence[str], titles: Sequence[str]) -> tuple[int, int]:
    """The first line under the heading `### …` and the one after its last; (-1, -1) where it is not there."""
    fence, start = "", -1
    for number, line in enumerate(lines):
        fence = _after(fence, line)
        heading = None if fence else _heading(line)
        if heading is None:
            continue
        if start >= 0:
            return start, number
        if _plain(heading[1]) in titles:
            start = number + 1
    return (start, len(lines)) if start >= 0 else (-1, -1)


def _lines(text: str) -> list[str]:
    return _LINE.findall(text)


def _heading(line: str) -> tuple[int, str] | None:
    """Level and words of a heading of the second or third level; None of another line."""
    match = _HEADING.fullmatch(line)
    return (len(match[1]), match[2]) if match else None


def _after(fence: str, line: str) -> str:
    """The mark of the fenced code that a line is in or opens; empty outside of any."""
    match = _FENCE.match(line)
    if not match:
        return fence
    if not fence:
        return match[1]
    closes = match[1].startswith(fence) and not line.strip().strip(fence[0])
    return "" if closes else fence


def _ended(part: Section) -> Section:
    """The section with a blank line at its end."""
    text = part.text.rstrip("\n")
    return Section(part.title, part.text if part.text.endswith("\n\n") else f"{text}\n\n")


def _plain(title: str) -> str:
    return normalize("NFC", title).strip(" \t`\"'*_:").casefold()


def _titled(title: str) -> str:
    return title[:1].upper() + title[1:]


def _one_line(example: str) -> str:
    line = " ".join(example.split())
    return line if len(line) <= _EXAMPLE else f"{line[: _EXAMPLE - 1].rstrip()}…"


def _same_text(first: str, second: str) -> bool:
    one, other = ([line.rstrip() for line in text.split("\n")] for text in (first, second))
    return "\n".join(one).strip() == "\n".join(other).strip()


def _names(line: str, label: str) -> bool:
    pattern = rf"(?<!\w){re.escape(_plain(label))}(?![A-Za-z0-9_])"  # a Korean particle may follow
    return re.search(pattern, normalize("NFC", line).casefold()) is not None


def _no_example(label: str, got: str, expected: str) -> DataError:
    return DataError(
        f"{got}, in the section {label!r}",
        expected=f"{expected} under that heading",
        next_step="open the guide and exchange one of them there",
    )
