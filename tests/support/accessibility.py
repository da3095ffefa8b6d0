"""What axe-core finds on a page of ours, in light and in dark, on a phone and on a wide screen.

    def test_no_serious_finding_on_the_board(browser, tmp_path):
        with label_server(tmp_path) as server, board(browser, server) as page:
            assert serious_findings(page) == []

A page is checked in the state in which it is: open a dialog first, and it is checked open.
"""

from typing import Any, Literal, cast

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

WIDTHS = (360, 1280)
"""Of the screen, in pixels: a phone, and a laptop."""
_HEIGHTS = {360: 740, 1280: 800}
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_COUNTED = ("serious", "critical")
_OF_COLOURS = ("color-contrast", "link-in-text-block")
"""The rules that look at colours; the others find in dark what they find in light, and run there."""


def serious_findings(page: Page) -> list[str]:
    """Returns a line for each serious or critical finding of axe-core: look, rule, place, what is wrong.

    The page is brought into each of the four looks, and back to the one that it had.
    """
    size = page.viewport_size
    found = [
        f"{scheme}, {width} px: {line}"
        for width in WIDTHS
        for scheme in _SCHEMES
        for line in _in_look(page, width, scheme)
    ]
    page.emulate_media(color_scheme="null", reduced_motion="null")
    if size is not None:
        page.set_viewport_size(size)
    return found


def _in_look(page: Page, width: int, scheme: Literal["light", "dark"]) -> list[str]:
    # Colours that still move from one scheme to the other would be measured half-way.
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": _HEIGHTS[width]})
    if page.evaluate("() => typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    options |= {"runOnly": [*_OF_COLOURS]} if scheme == "dark" else {}
    answer = page.evaluate("(options) => axe.run(options)", options)
    return [
        f"{violation['id']} ({violation['impact']}) at {_place(node)}: {_wrong(node)}"
        for violation in cast(list[dict[str, Any]], answer["violations"])
        if violation["impact"] in _COUNTED
        for node in violation["nodes"]
    ]


def _place(node: dict[str, Any]) -> str:
    return " ".join(str(part) for part in node["target"])


def _wrong(node: dict[str, Any]) -> str:
    checks = [check for kind in ("all", "any", "none") for check in node[kind]]
    return "; ".join(check["message"] for check in checks)
