"""The access log: lines that machines read, with a trace id, and nothing that a person wrote."""

import json
import os
from pathlib import Path

import pytest

from pipeline.serving.access_log import AccessLog, trace_id
from pipeline.serving.hot_swap import ModelHolder
from pipeline.serving.surroundings import Surroundings
from tests.support.server import client_of, holder_of
from tests.support.tiny_bundle import make_tiny_bundle

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture(name="holder", scope="module")
def make_holder(tmp_path_factory: pytest.TempPathFactory) -> ModelHolder:
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    make_tiny_bundle(folder)
    return holder_of(folder)


def test_a_line_says_what_was_asked_and_how_it_went(holder: ModelHolder, tmp_path: Path) -> None:
    file = tmp_path / "logs" / "access.log"
    surroundings = Surroundings(access_log=AccessLog(file))
    with client_of(holder, surroundings=surroundings) as client:
        answer = client.post(
            "/predict", json={"texts": ["good", "bad"]}, headers={"traceparent": PARENT}
        )
        client.get("/secret/path?text=private")
    predict, other = [json.loads(line) for line in file.read_text().splitlines()]
    assert (predict["method"], predict["route"], predict["status"]) == ("POST", "/predict", 200)
    assert (predict["trace"], predict["texts"], predict["bytes"]) == (TRACE, 2, len(answer.content))
    assert predict["version"] == answer.headers["model-version"]
    assert 0 < predict["model"] < predict["milliseconds"]
    assert (other["route"], other["status"]) == ("other", 404)
    assert "trace" not in other


def test_nothing_that_was_sent_stands_in_the_log(holder: ModelHolder, tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    token = "private-token-of-enough-length"
    surroundings = Surroundings(access_log=AccessLog(file))
    with client_of(holder, surroundings=surroundings, token=token) as client:
        for headers in ({"authorization": f"Bearer {token}"}, {"authorization": "private"}):
            client.post("/predict?private", json={"text": "a private text"}, headers=headers)
            client.post("/private", content=b"private", headers=headers)
            client.get(
                "/model", headers=headers | {"traceparent": "private", "user-agent": "private"}
            )
    lines = file.read_text()
    assert lines.count("\n") == 6
    assert "private" not in lines


def test_an_answer_does_not_fail_for_a_log_without_room_and_the_loss_is_counted(
    holder: ModelHolder,
) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    with client_of(holder, surroundings=Surroundings(access_log=AccessLog(full))) as client:
        assert client.get("/model").status_code == 200
        assert "modelyard_log_lines_lost_total 1\n" in client.get("/metrics").text


def test_each_line_is_one_write_at_the_end_so_that_workers_do_not_mix(tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    first, second = AccessLog(file), AccessLog(file)
    assert first.write({"worker": 1})
    assert second.write({"worker": 2})
    os.truncate(file, 0)  # as the supervisor does
    assert first.write({"worker": 3})
    assert file.read_bytes() == b'{"worker":3}\n'


@pytest.mark.parametrize("header", [PARENT, f"01-{TRACE}-00f067aa0ba902b7-00-more"])
def test_the_trace_id_is_the_second_part_of_the_header(header: str) -> None:
    assert trace_id(header) == TRACE


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "private", TRACE, PARENT.upper(), PARENT[:-1], f" {PARENT}"),
        *(PARENT.replace(TRACE, "0" * 32), PARENT.replace("00f067aa0ba902b7", "0" * 16)),
        PARENT.replace("00-4", "ff-4"),
    ],
)
def test_a_header_that_is_not_well_formed_has_none(header: str | None) -> None:
    assert trace_id(header) is None
