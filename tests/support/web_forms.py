"""Forms in which the web sends a text: each has a clean form, which is what training would have learned from."""

import html
import unicodedata
from collections.abc import Callable, Mapping

FORMS: Mapping[str, Callable[[str], str]] = {
    "html-escaped": html.escape,
    "with <br />": lambda text: text.replace(". ", ".<br />") + "<br />",
    "with tags": lambda text: f"<p class='x'><b>{text[:3]}</b>{text[3:]}</p>",
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "with Windows-1252 controls": lambda text: _in_windows_1252(text) + "\x85",
    "with invisible characters": lambda text: "\ufeff\u200e" + text.replace("e", "e\xad\u2060"),
}


def _in_windows_1252(text: str) -> str:
    """The text with its dashes and curly quotes as the controls that a wrong encoding makes of them."""
    for straight, byte in (("'", "\x92"), ('"', "\x94"), ("-", "\x96")):
        text = text.replace(straight, byte)
    return text
