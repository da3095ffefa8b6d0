"""Other projects' tools, each in its own virtual environment under `.modelyard/peers/`.

An environment is made at its first use from the pinned versions in `benchmarks/peers/<name>.txt`,
and remade when they change. TORCH_INDEX names an additional package index, as for `make`.
"""

import json
import os
import signal
import subprocess
import venv
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import psutil

from benchmarks.support.turns import Take, Turn, to_line
from pipeline.core.files import write_text
from pipeline.core.progress import say

_QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TQDM_DISABLE": "1",
    "PYTHONUNBUFFERED": "1",
}
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
_SHOWN_LINES = 3


class PeerError(Exception):
    """A peer could not be installed or failed; it is left out, and the table shows the reason."""


@dataclass(frozen=True)
class Peer:
    """A tool with its environment and its script `benchmarks/peers/<name>_peer.py` in the clone `root`."""

    root: Path
    name: str

    @property
    def environment(self) -> Path:
        return self.root / ".modelyard" / "peers" / self.name

    @property
    def command(self) -> list[str]:
        python = self.environment / "bin" / "python"
        return [str(python), "-m", f"benchmarks.peers.{self.name}_peer"]

    def install(self) -> None:
        """Makes the environment, unless it has the pinned versions.

        Raises:
            PeerError: it cannot be made, for example without a network or disk space.
        """
        requirements = self.root / "benchmarks" / "peers" / f"{self.name}.txt"
        stamp, wanted = self.environment / ".complete", requirements.read_text(encoding="utf-8")
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
            return
        say(f"peer {self.name}  installing into {self.environment.relative_to(self.root)}")
        try:
            venv.create(self.environment, clear=True, with_pip=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise PeerError(f"no virtual environment: {error}") from error
        index = os.environ.get("TORCH_INDEX")
        more = ["--extra-index-url", index] if index else []
        pip = [str(self.environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        self._run([*pip, *more, "-r", str(requirements)])
        write_text(stamp, wanted)

    def run(self, *arguments: str | Path) -> None:
        """Runs its script to the end.

        Raises:
            PeerError: it failed.
        """
        self._run([*self.command, *map(str, arguments)])

    @contextmanager
    def turns(self, *arguments: str | Path, threads: int) -> Iterator[Take]:
        """Starts its script as a process that takes turns; it ends with the block."""
        command = [*self.command, *map(str, arguments)]
        with subprocess.Popen(
            command,
            cwd=self.root,
            env=self._variables(threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield lambda turn: _ask(process, turn)
            finally:
                # Closing flushes, which fails if the process has ended.
                with suppress(OSError):
                    cast(IO[str], process.stdin).close()

    @contextmanager
    def started(
        self, *arguments: str | Path | int, output: IO[bytes]
    ) -> "Iterator[subprocess.Popen[bytes]]":
        """Starts its script as a server, which is killed with its children at the end of the block.

        Args:
            output: takes what it prints.
        """
        process = subprocess.Popen(
            [*self.command, *map(str, arguments)],
            cwd=self.root,
            env=self._variables() | {"PYTHONPATH": str(self.root)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            signal_tree(process.pid, signal.SIGKILL)
            process.wait()

    def _variables(self, threads: int | None = None) -> dict[str, str]:
        limits = {} if threads is None else dict.fromkeys(_THREADS, str(threads))
        return os.environ | _QUIET | limits

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self._variables(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise PeerError("; ".join(lines[-_SHOWN_LINES:]) or f"exit code {done.returncode}")


@dataclass(frozen=True)
class PeerEngine:
    """A model in `folder` that the peer runs itself."""

    peer: Peer
    folder: Path

    def turns(self, threads: int) -> AbstractContextManager[Take]:
        return self.peer.turns("serve", self.folder, threads=threads)


def signal_tree(pid: int, number: signal.Signals) -> None:
    """Sends a signal to a process and all that it started, whatever session they are in."""
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in (*root.children(recursive=True), root):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)


def _ask(process: subprocess.Popen[str], turn: Turn) -> list[float]:
    stream = cast(IO[str], process.stdin)
    try:
        stream.write(to_line(turn))
        stream.flush()
    except OSError as error:
        raise PeerError(f"the peer's process ended ({error}); see its output above") from error
    line = cast(IO[str], process.stdout).readline()
    if not line:
        raise PeerError("the peer's process ended; see its output above")
    taken: list[float] = json.loads(line)
    return taken
