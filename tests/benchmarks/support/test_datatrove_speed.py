"""The peer of the benchmark of speed is told by its megabytes a second, or by the reason why it is left out."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.support.datatrove_speed import datatrove_speeds
from benchmarks.support.peers import Peer, PeerError


def written(file: Path, texts: Sequence[str]) -> Path:
    file.write_text("\n".join(["text", *texts]), encoding="utf-8")
    return file


def test_its_speeds_are_megabytes_of_the_texts_that_it_got_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(peer: Peer, file: Path, language: str, seconds: Path) -> None:
        assert file.read_text(encoding="utf-8").splitlines()[1:] == ["가" * 1000] * 1500
        assert language == "korean"
        seconds.write_text(json.dumps({"cleaning": 2, "near_copies": 5}), encoding="utf-8")

    monkeypatch.setattr(Peer, "install", lambda peer: None)
    monkeypatch.setattr(Peer, "run", run)
    found = datatrove_speeds(["가" * 1000] * 2000, "korean", written)
    assert found == {"cleaning": 4.5 / 2, "with_near_copies": 4.5 / 5}


def test_without_it_the_reason_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def install(peer: Peer) -> None:
        raise PeerError("no network")

    monkeypatch.setattr(Peer, "install", install)
    assert datatrove_speeds(["good"], "english", written) == {}
    assert "no network" in capsys.readouterr().out
