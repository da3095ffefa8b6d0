"""A token that could never be sent, or could be guessed, is refused before a server starts with it."""

from pathlib import Path

import pytest

from pipeline.core.access_token import SHORTEST, access_token
from pipeline.core.errors import ReleaseError

GOOD = "0123456789abcdef-~!"


@pytest.mark.parametrize("given", [{}, {"MODELYARD_TOKEN": ""}, {"MODELYARD_TOKEN_FILE": ""}])
def test_without_the_variables_there_is_no_token(given: dict[str, str]) -> None:
    assert access_token(given) is None


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_line_end_that_an_editor_or_echo_adds_is_no_part_of_it(
    tmp_path: Path, end: str
) -> None:
    (tmp_path / "token").write_bytes((GOOD + end).encode())
    assert access_token({"MODELYARD_TOKEN_FILE": str(tmp_path / "token")}) == GOOD
    assert access_token({"MODELYARD_TOKEN": GOOD + end}) == GOOD


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "a" * (SHORTEST - 1),
        " " * 40,
        "\n",
        f"{GOOD} {GOOD}",
        f" {GOOD}",
        f"{GOOD}\t",
        f"{GOOD}\n\n",
        f"{GOOD}\nsecond line",
        f"{GOOD}é",
        f"{GOOD}\x00",
        f"{GOOD}\x7f",
    ],
    ids=repr,
)
def test_a_token_that_is_short_or_cannot_be_sent_is_refused_unseen(
    tmp_path: Path, token: str
) -> None:
    (tmp_path / "token").write_bytes(token.encode())
    for given in ({"MODELYARD_TOKEN_FILE": str(tmp_path / "token")}, {"MODELYARD_TOKEN": token}):
        with pytest.raises(ReleaseError, match="at least 16 printable ASCII") as caught:
            access_token(given)
        assert GOOD not in str(caught.value)


def test_a_file_that_is_missing_and_two_tokens_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="cannot be read"):
        access_token({"MODELYARD_TOKEN_FILE": str(tmp_path / "none")})
    with pytest.raises(ReleaseError, match="both"):
        access_token({"MODELYARD_TOKEN": GOOD, "MODELYARD_TOKEN_FILE": str(tmp_path / "none")})
