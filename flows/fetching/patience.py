"""How long a download waits for a server, and how often it tries again."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Limits of the waiting for one file.

    Attributes:
        connect: seconds until it takes the connection.
        silence: seconds without a byte.
        attempts: how many in a row may bring nothing new.
        pause: seconds before the second attempt; each later one waits twice as long.
    """

    connect: float = 10.0
    silence: float = 30.0
    attempts: int = 4
    pause: float = 1.0
