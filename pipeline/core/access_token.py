"""The token of the model server: read and checked in one place, for the server and for its callers.

`MODELYARD_TOKEN` holds it, or `MODELYARD_TOKEN_FILE` names a file that does. A server and a caller that
read it differently would refuse each other for ever, so both call `access_token`.
"""

from collections.abc import Mapping
from pathlib import Path

from pipeline.core.errors import ReleaseError

TOKEN_VARIABLE = "MODELYARD_TOKEN"  # noqa: S105 - the name of a variable, not a secret
FILE_VARIABLE = "MODELYARD_TOKEN_FILE"
SHORTEST = 16
"""Characters; the random ones of `openssl rand -hex 16` are 32."""

_NEXT = f"set {TOKEN_VARIABLE} to what `openssl rand -hex 16` prints"


def access_token(environment: Mapping[str, str]) -> str | None:
    """The token that these variables give, without the line end of its file; None where none is set.

    Raises:
        ReleaseError: it is short, holds a blank or another character than ASCII's printable ones,
            its file cannot be read, or both variables are set. The token is never part of the message.
    """
    given, file = environment.get(TOKEN_VARIABLE), environment.get(FILE_VARIABLE)
    if given and file:
        raise ReleaseError(
            f"both {TOKEN_VARIABLE} and {FILE_VARIABLE}",
            expected="one place that says the token",
            next_step=f"unset {TOKEN_VARIABLE}, or {FILE_VARIABLE}",
        )
    if file:
        return _checked(_read(Path(file)), FILE_VARIABLE)
    return _checked(given, TOKEN_VARIABLE) if given else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ReleaseError(
            f"{path}, which {FILE_VARIABLE} names, cannot be read ({type(error).__name__})",
            expected="a text file that holds the token",
            next_step="correct the path, or let this user read the file",
        ) from error


def _checked(token: str, origin: str) -> str:
    token = token.removesuffix("\n").removesuffix("\r")
    odd = any(not "!" <= character <= "~" for character in token)
    if odd or len(token) < SHORTEST:
        got = (
            "with a blank, a line end or a character outside ASCII" if odd else "that is too short"
        )
        raise ReleaseError(
            f"a token {got} in {origin}",
            expected=f"at least {SHORTEST} printable ASCII characters without blanks",
            next_step=_NEXT,
        )
    return token
