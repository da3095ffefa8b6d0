"""The port that a person asks a server to listen on."""

import os

from pipeline.core.errors import ParameterError
from pipeline.release.server_process import DEFAULT_PORT

PORT_VARIABLE = "MODELYARD_PORT"
_LARGEST = 65_535


def asked_port() -> int:
    """`MODELYARD_PORT`, or 8000 where it is not set.

    Raises:
        ParameterError: it is no port.
    """
    text = os.environ.get(PORT_VARIABLE, str(DEFAULT_PORT))
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= _LARGEST):
        raise ParameterError(
            f"{PORT_VARIABLE}={text}",
            expected=f"a port from 1 to {_LARGEST}",
            next_step=f"set another, or leave it out for {DEFAULT_PORT}",
        )
    return int(text)
