"""Two people label while the server is killed at random: what was acknowledged is there, and once."""

import random
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.support.labelling import label_server, logged, make_project, post, row_id, vote

KILLS = 8


class Hand:
    """A person who sends votes one after the other, and the same again where no answer came."""

    def __init__(self, client: httpx.Client, name: str, start: int) -> None:
        self._client, self._name, self._number = client, name, start
        self.acknowledged: dict[str, int] = {}
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def join(self) -> int:
        """Waits until the server is gone; returns the number of the vote that has no answer."""
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self._number

    def _work(self) -> None:
        try:
            while True:
                uid = f"{self._name}-{self._number}"
                (said,) = post(self._client, vote(uid, row_id(self._number % 500), "complaint"))
                self.acknowledged[uid] = said["seq"]
                self._number += 1
        except httpx.HTTPError:
            pass


def _labelled_with_kills(root: Path, kills: int) -> None:
    make_project(root, [f"text {number}" for number in range(500)])
    chance = random.Random(7)  # noqa: S311 - a sample, no secret
    acknowledged: dict[str, dict[str, int]] = {"ann": {}, "bob": {}}
    numbers = {"ann": 0, "bob": 0}
    for _ in range(kills):
        with label_server(root, "ann,bob") as server:
            clients = {name: server.client(name) for name in numbers}
            hands = {name: Hand(clients[name], name, numbers[name]) for name in numbers}
            time.sleep(chance.random() * 0.2)
            server.kill()
            for name, hand in hands.items():
                numbers[name] = hand.join()
                acknowledged[name] |= hand.acknowledged
                clients[name].close()
    for person, name in (("p1", "ann"), ("p2", "bob")):
        events = logged(root, person)
        seqs = {kept.event.uid: kept.seq for kept in events}
        assert len(seqs) == len(events), "an event is there twice"
        lost = {uid for uid, seq in acknowledged[name].items() if seqs.get(uid) != seq}
        assert not lost
        assert len(events) - len(acknowledged[name]) <= 1, "only the last one may lack its answer"
    assert all(acknowledged.values())


def test_no_acknowledged_label_is_lost_or_doubled(tmp_path: Path) -> None:
    _labelled_with_kills(tmp_path, KILLS)


@pytest.mark.soak
def test_no_acknowledged_label_is_lost_or_doubled_in_a_hundred_kills(tmp_path: Path) -> None:
    _labelled_with_kills(tmp_path, 100)
