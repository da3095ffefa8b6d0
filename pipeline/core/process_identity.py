"""Says whether a process that was noted down earlier still runs.

A process id alone does not name a process: systems reuse it, and a container that starts again
gives the same small numbers to others. The moment of the start, in clock ticks since the boot, does
not change when somebody sets the clock; psutil's `create_time` does.
"""

import os
import socket
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pipeline.core.chosen_environment import chosen_environment

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Fields of /proc/<pid>/stat after the name in brackets, which may itself hold blanks and brackets.
_STATE, _START_TICKS = 0, 19
_DEAD = ("Z", "X", "x")


@dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """Names one process of one boot of one machine.

    Attributes:
        started: clock ticks from the machine's boot to the process's start; outside Linux, what
            `ps` says of the start.
        boot: the kernel's identifier of this boot.
        host: name of the machine or the container.
    """

    pid: int
    started: str
    boot: str
    host: str


class Presence(StrEnum):
    """Whether a noted process runs, has ended, or cannot be told from here."""

    RUNNING = "running"
    ENDED = "ended"
    ELSEWHERE = "on another host"


def this_process() -> ProcessIdentity:
    """The identity of the process that asks."""
    found = identity_of(os.getpid())
    assert found is not None  # noqa: S101 - it runs, for it asks
    return found


def identity_of(pid: int) -> ProcessIdentity | None:
    """The identity of a process of this machine; None where none of that number runs.

    A zombie does not run.
    """
    if pid <= 0:
        return None
    started = _linux_start(pid) if _BOOT_ID.exists() else _start_by_ps(pid)
    if started is None:
        return None
    return ProcessIdentity(pid=pid, started=started, boot=_boot(), host=socket.gethostname())


def presence(noted: ProcessIdentity) -> Presence:
    """Whether the noted process runs, has ended, or belongs to a host that cannot be asked here."""
    if noted.host != socket.gethostname():
        return Presence.ELSEWHERE
    return Presence.RUNNING if identity_of(noted.pid) == noted else Presence.ENDED


def is_running(noted: ProcessIdentity) -> bool:
    """Whether this very process runs on this machine."""
    return presence(noted) is Presence.RUNNING


def _boot() -> str:
    return _BOOT_ID.read_text(encoding="ascii").strip() if _BOOT_ID.exists() else ""


def _linux_start(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 1 :].split()
    return None if fields[_STATE] in _DEAD else fields[_START_TICKS]


def _start_by_ps(pid: int) -> str | None:
    command = ["ps", "-p", str(pid), "-o", "stat=,lstart="]
    own = chosen_environment(os.environ)
    answer = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, env=own)
    state, _, started = answer.stdout.strip().partition(" ")
    return None if not state or state.startswith(_DEAD) else started.strip()
