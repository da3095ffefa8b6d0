"""The QR code of a link in a terminal."""

import pytest
import segno

from flows.console.qr_code import BLOCKS, can_be_drawn, qr_code

LINK = "http://192.168.178.21:8300/#Zk3b8Vq0cM2yXJ5n7rT1wL9aHd6PgUeS"
QUIET = 2


def _modules(drawn: str) -> list[list[bool]]:
    """Whether each module of what was drawn is dark, without the quiet zone."""
    light = {BLOCKS[0]: (True, True), BLOCKS[1]: (True, False), BLOCKS[2]: (False, True)}
    rows = []
    for line in drawn.splitlines():
        pairs = [light.get(character, (False, False)) for character in line]
        rows += [[not upper for upper, _ in pairs], [not lower for _, lower in pairs]]
    return [row[QUIET:-QUIET] for row in rows[QUIET : QUIET + len(rows[0]) - 2 * QUIET]]


@pytest.mark.parametrize("text", [LINK, "http://[fd00::1]:8300/#a", "안녕하세요"])
def test_what_is_drawn_is_the_matrix_of_the_text(text: str) -> None:
    expected = [[bool(module) for module in row] for row in segno.make_qr(text).matrix]
    assert _modules(qr_code(text, colours=False)) == expected


def test_around_it_is_light_whatever_colours_the_terminal_has() -> None:
    plain = qr_code(LINK, colours=False).splitlines()
    assert {*plain[0]} == {BLOCKS[0]}
    assert all(line.startswith(BLOCKS[0] * QUIET) for line in plain[:-1])
    coloured = qr_code(LINK, colours=True).splitlines()
    assert coloured == [f"\x1b[97;40m{line}\x1b[0m" for line in plain]


def test_it_fits_a_terminal_of_80_columns_and_24_lines() -> None:
    lines = qr_code(LINK, colours=False).splitlines()
    assert len(lines) <= 22
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("encoding", "can"), [("utf-8", True), ("cp437", True), ("ascii", False), (None, False)]
)
def test_a_terminal_without_blocks_is_told_apart(encoding: str | None, can: bool) -> None:
    assert can_be_drawn(encoding) is can
