"""Which connections are closed, and when."""

from pipeline.serving.connection_limits import (
    BODY_SECONDS,
    HEAD_SECONDS,
    IDLE_SECONDS,
    ConnectionLimits,
    Phase,
)


class FakeConnection:
    """A connection that remembers how it was ended."""

    def __init__(self) -> None:
        self.ended: Phase | None = None

    def end_waiting(self, phase: Phase) -> None:
        self.ended = phase


class Room:
    """Limits with a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.limits = ConnectionLimits(most=3, clock=lambda: self.now)

    def connection(self, phase: Phase, at: float = 0.0) -> FakeConnection:
        """A connection that waits since a moment."""
        self.now, connection = at, FakeConnection()
        self.limits.move(connection, "busy", phase)
        return connection

    def look(self, at: float) -> None:
        self.now = at
        self.limits.look()


def test_each_kind_of_waiting_has_its_time() -> None:
    ends = {"idle": IDLE_SECONDS, "head": HEAD_SECONDS, "body": BODY_SECONDS}
    for phase, seconds in ends.items():
        room = Room()
        connection = room.connection(phase)
        room.look(seconds - 0.01)
        assert connection.ended is None
        room.look(seconds + 0.01)
        assert connection.ended == phase
    assert max(ends.values()) < 10


def test_a_connection_whose_request_is_answered_has_all_the_time() -> None:
    room = Room()
    connection = room.connection("body")
    room.limits.move(connection, "body", "busy")
    room.look(1000.0)
    assert connection.ended is None


def test_a_new_request_begins_a_new_time() -> None:
    room = Room()
    connection = room.connection("idle")
    room.now = 4.0
    room.limits.move(connection, "idle", "head")
    room.look(6.0)
    assert connection.ended is None


def test_room_is_made_by_the_connection_that_is_idle_longest_and_never_by_one_with_a_request() -> (
    None
):
    room = Room()
    busy = room.connection("body")
    slow, old, new = room.connection("head"), room.connection("idle", 1), room.connection("idle", 2)
    for victim in (old, new, slow):
        assert victim.ended is None
        assert room.limits.make_room()
        assert victim.ended is not None
    assert not room.limits.make_room()
    assert busy.ended is None
