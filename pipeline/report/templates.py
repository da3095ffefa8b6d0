"""Fills the templates of this folder: Markdown (`*.md.j2`), and pages (`*.html.j2`), in which every value is escaped.

A template counts as code of the module of its name: pipeline/report/data_card.md.j2 belongs to
data_card.py (see flows/planning/codelock.py).
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from pipeline.problem.problems import in_words

_AS_WRITTEN: Mapping[str, str] = MappingProxyType({})


def render(template: str, *, translations: Mapping[str, str] = _AS_WRITTEN, **facts: object) -> str:
    """Returns the template filled with the facts; a name that is not among them is an error.

    Args:
        translations: English words of a template (in `_("…")`) and names that code gives (through the filter
            `told`) → what stands in their place. Words that have none stay as they are written.
    """

    def told(text: str) -> str:
        return translations.get(text, text)

    environment = Environment(
        extensions=["jinja2.ext.i18n"],
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html.j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.install_gettext_callables(told, _only_one, newstyle=True)  # type: ignore[attr-defined]
    environment.filters |= {
        "told": told,
        "show": format,
        "in_words": in_words,
        "start": lambda text: text[:1].upper() + text[1:],
        "cell": _cell,
    }
    return environment.get_template(template).render(facts)


def _only_one(one: str, many: str, count: int) -> str:
    """The words for one or many, as they are written; no template asks for them."""
    return one if count == 1 else many


def _cell(text: str) -> str:
    """The text as a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")
