"""One Prefect server a database; that of `make ui` takes the place of a build's own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.orchestration.server_lock import ServerNote, noted_server, take_server_lock
from pipeline.core.errors import PipelineError
from pipeline.core.process_identity import this_process
from tests.support.repository import REPOSITORY

HOLD = """
import sys, time
from pathlib import Path
from flows.orchestration.server_lock import ServerNote, take_server_lock
from pipeline.core.process_identity import this_process
note = ServerNote(address="http://first", temporary=sys.argv[2] == "True", process=this_process())
stream = take_server_lock(Path(sys.argv[1]), note)
print("held", flush=True)
time.sleep(600)
"""


@contextmanager
def holder(root: Path, *, temporary: bool) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(root), str(temporary)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def note(*, temporary: bool) -> ServerNote:
    return ServerNote(address="http://second", temporary=temporary, process=this_process())


def test_a_second_server_is_refused_and_told_where_the_first_is(tmp_path: Path) -> None:
    with holder(tmp_path, temporary=False) as first:
        for temporary in (True, False):
            with pytest.raises(PipelineError, match="http://first"):
                take_server_lock(tmp_path, note(temporary=temporary))
        assert first.poll() is None
        noted = noted_server(tmp_path)
        assert noted is not None
        assert noted.process.pid == first.pid
    assert noted_server(tmp_path) is None
    take_server_lock(tmp_path, note(temporary=True)).close()


def test_the_server_of_a_build_gives_way_to_one_that_stays(tmp_path: Path) -> None:
    with holder(tmp_path, temporary=True) as first:
        with pytest.raises(PipelineError, match="http://first"):
            take_server_lock(tmp_path, note(temporary=True))
        with take_server_lock(tmp_path, note(temporary=False)):
            assert first.wait() < 0
            noted = noted_server(tmp_path)
            assert noted is not None
            assert noted.address == "http://second"
