"""An S3 of a test's own: moto's server, in a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from flows.execution.network import free_port
from pipeline.core.chosen_environment import chosen_environment

_SECONDS = 60.0


@contextmanager
def running_s3(*, bucket: str) -> Iterator[str]:
    """Yields the address of a new server that has one empty bucket and takes any key."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    silent, own = subprocess.DEVNULL, chosen_environment(os.environ)
    with subprocess.Popen(command, stdout=silent, stderr=silent, env=own) as process:
        try:
            _make_bucket(f"{address}/{bucket}", process)
            yield address
        finally:
            process.terminate()


def _make_bucket(url: str, process: subprocess.Popen[bytes]) -> None:
    """Makes the bucket as soon as the server answers."""
    deadline = time.monotonic() + _SECONDS
    while True:
        assert process.poll() is None, "moto's server has ended"
        try:
            httpx.put(url, trust_env=False).raise_for_status()
            return
        except httpx.TransportError:
            assert time.monotonic() < deadline, "moto's server does not answer"
            time.sleep(0.1)
