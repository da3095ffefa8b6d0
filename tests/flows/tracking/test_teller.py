"""A destination may fail; the run does not wait, and what it was not told it is told later."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from flows.tracking.facts import Fact, RunEnded, Said
from flows.tracking.outbox import Outbox, Told, untold_folder, untold_outboxes
from flows.tracking.teller import RefusedError, Teller

DONE = RunEnded(time=9.0, state="completed", message="")


class Listener:
    """Takes what it is told, while it is up."""

    name = "Prefect"

    def __init__(self, *, up: bool) -> None:
        self.up = threading.Event()
        if up:
            self.up.set()
        self.heard: list[Fact] = []
        self.closed = False

    def tell(self, facts: Sequence[Fact], told: Told) -> None:
        if not self.up.is_set():
            raise ConnectionRefusedError("nobody listens")
        if any(isinstance(fact, Said) and fact.text == "bad" for fact in facts):
            raise RefusedError("no")
        self.heard += facts
        told.ids["0"] = "known"

    def attend(self, told: Told) -> None:
        del told

    def close(self) -> None:
        self.closed = True


def teller_of(listener: Listener, folder: Path, *, patience: float = 30.0) -> Teller:
    log = folder / "telling.log"
    return Teller(lambda: listener, name="Prefect", log=log, patience=patience)


def said(text: str) -> Said:
    return Said(time=1.0, text=text)


def test_all_is_told_in_order_but_what_is_refused(tmp_path: Path) -> None:
    listener, outbox = Listener(up=True), Outbox(untold_folder(tmp_path) / "r.jsonl")
    teller = teller_of(listener, tmp_path)
    teller.start([outbox])
    facts = [said("a"), said("bad"), said("b"), DONE]
    for fact in facts:
        outbox.append(fact)
    assert teller.wait_for("0", seconds=10) == "known"
    assert teller.finish() == 0
    assert listener.heard == [facts[0], facts[2], DONE]
    assert listener.closed
    assert "Said is refused: no" in (tmp_path / "telling.log").read_text()
    outbox.close(["Prefect"])


def test_what_could_not_be_told_is_told_at_the_next_start(tmp_path: Path) -> None:
    down, outbox = Listener(up=False), Outbox(untold_folder(tmp_path) / "r.jsonl")
    teller = teller_of(down, tmp_path, patience=0.2)
    teller.start([outbox])
    began = time.monotonic()
    outbox.append(said("a"))
    assert time.monotonic() - began < 1  # the run does not wait
    outbox.append(DONE)
    assert teller.wait_for("0", seconds=10) is None  # no longer than it takes to fail
    assert teller.finish() == 2
    assert teller.error == "ConnectionRefusedError: nobody listens"
    outbox.close(["Prefect"])

    up = Listener(up=True)
    again = teller_of(up, tmp_path)
    earlier = untold_outboxes(tmp_path)
    again.start(earlier)
    assert again.finish() == 0
    assert up.heard == [said("a"), DONE]
    earlier[0].close(["Prefect"])
    assert untold_outboxes(tmp_path) == []


def test_a_destination_that_comes_back_is_told_the_rest_in_the_same_run(tmp_path: Path) -> None:
    listener, outbox = Listener(up=False), Outbox(untold_folder(tmp_path) / "r.jsonl")
    teller = teller_of(listener, tmp_path)
    teller.start([outbox])
    outbox.append(said("a"))
    while teller.error is None:
        time.sleep(0.02)
    listener.up.set()
    outbox.append(DONE)
    assert teller.finish() == 0
    assert listener.heard == [said("a"), DONE]
    outbox.close(["Prefect"])
