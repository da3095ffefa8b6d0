"""How much longer runs take than they were measured to, for the other work of the machine and the server's own."""

_MEMORY = 0.98
"""The part that one run leaves of the weight of those before it: some fifty runs count."""
_LEAST, _MOST = 0.5, 20.0


class Pace:
    """The ratio of time taken to time expected, of the last runs."""

    def __init__(self) -> None:
        self._taken = self._expected = 1.0

    def note(self, *, taken: float, expected: float) -> None:
        """Adds a run; both in milliseconds."""
        self._taken = _MEMORY * self._taken + taken
        self._expected = _MEMORY * self._expected + expected

    def milliseconds(self, expected: float) -> float:
        """How long work takes now that was measured to take `expected` milliseconds."""
        ratio = self._taken / self._expected
        return expected * min(max(ratio, _LEAST), _MOST)
