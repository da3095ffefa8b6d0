"""Times count where the machine did little else; where it does not become quiet, an error says why."""

import pytest

from pipeline.core.errors import BusyError
from pipeline.metrics.machine_load import Moment, QuietMachine, processors
from tests.support.spinning import spinning

ALL = len(processors())


class Machine:
    """A clock and counters that go on as a test says: a span of time at each call."""

    def __init__(self, *others: float, own: float = 1.0) -> None:
        """Of each span of a second: the processors that others take, and our own share."""
        self.spans = list(others)
        self.own = own
        self.at = Moment(0.0, 0.0, 0.0)
        self.said: list[str] = []

    def now(self) -> Moment:
        return self.at

    def passes(self, _: float = 1.0) -> None:
        others, at = self.spans.pop(0), self.at
        self.at = Moment(at.clock + 1, at.own + self.own, at.busy + self.own + others)

    def quiet(self, *, limit: float | None = 0.125, patience: float = 120.0) -> QuietMachine:
        return QuietMachine(
            limit=limit, patience=patience, say=self.said.append, now=self.now, sleep=self.passes
        )


def test_a_quiet_span_counts() -> None:
    machine = Machine(0.0, 0.1 * ALL)
    quiet = machine.quiet()
    for _ in range(2):
        machine.passes()
        assert quiet.was_quiet()
    assert machine.said == []


@pytest.mark.parametrize(("others", "own"), [(0.5 * ALL, 1.0), (0.0, 0.6)])
def test_a_span_that_others_disturbed_does_not_and_quiet_is_waited_for(
    others: float, own: float
) -> None:
    machine = Machine(others, ALL, ALL, 0.0, own=own)
    quiet = machine.quiet()
    machine.passes()
    machine.own = 0.0
    assert not quiet.was_quiet()
    assert machine.spans == []
    assert machine.said[0].startswith("disturbed, these times do not count")


def measure_until_it_gives_up(machine: Machine, *, patience: float) -> None:
    quiet = machine.quiet(patience=patience)
    while machine.spans:
        machine.passes()
        assert not quiet.was_quiet()


def test_patience_ends_over_all_spans_together_and_the_error_says_what_to_do() -> None:
    machine = Machine(*[ALL, 0.0] * 10)
    with pytest.raises(BusyError) as error:
        measure_until_it_gives_up(machine, patience=4)
    assert len(machine.spans) == 13  # three disturbed and waited for, and the fourth
    assert f"takes {ALL}.00 of {ALL} processors" in error.value.got
    assert "at or below" in error.value.expected
    assert "run again when the machine is quiet" in error.value.next_step


def test_patience_ends_too_where_nothing_is_seen_of_what_holds_us_up() -> None:
    machine = Machine(*[0.0] * 20, own=0.5)
    with pytest.raises(BusyError, match="this process got 50% of a processor"):
        measure_until_it_gives_up(machine, patience=4)


def test_waiting_is_told_every_ten_seconds() -> None:
    machine = Machine(*[float(ALL)] * 25, 0.0, own=0.0)
    machine.quiet().wait()
    assert [line.startswith("waits for a quiet machine: other") for line in machine.said] == [
        True
    ] * 3


def test_without_a_limit_every_span_counts() -> None:
    machine = Machine(float(ALL), own=0.1)
    quiet = machine.quiet(limit=None)
    quiet.wait()
    machine.passes()
    assert quiet.was_quiet()


def test_spinning_processes_make_the_machine_busy() -> None:
    with spinning(ALL), pytest.raises(BusyError, match=r"\(process \d+\) \d+%"):
        QuietMachine(limit=0.125, patience=1.0, say=print).wait()
