"""Fills the templates of this folder: Markdown (`*.md.j2`), and pages (`*.html.j2`), in which every value is escaped.

A template counts as code of the module of its name: pipeline/report/data_card.md.j2 belongs to
data_card.py (see flows/planning/codelock.py).
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from pipeline.problem.problems import in_words


def render(template: str, **facts: object) -> str:
    """Returns the template filled with the facts; a name that is not among them is an error."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html.j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "show": format,
        "in_words": in_words,
        "start": lambda text: text[:1].upper() + text[1:],
        "cell": _cell,
    }
    return environment.get_template(template).render(facts)


def _cell(text: str) -> str:
    """The text as a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")
