"""Reading what `dvc repro` prints: which stages ran, how a stage ended, DVC's own remarks."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.core.disk import DiskFullError, no_room, says_full

PEAK_MEMORY = "peak memory"
"""flows/execution/supervise.py and stage_shell.py print it, in MB, of a command that failed."""

_RUNNING = re.compile(r"^Running stage '([^']+)':$")
_EXITED = re.compile(r"^ERROR: .*failed to run: .*, exited with (-?\d+)$")
_PEAK = re.compile(rf"^{PEAK_MEMORY} (\d+) MB$")
_TOLD_FULL = re.compile(
    r"^  got: (the disk is full: .*)\n  expected: (.*)\n  next: (.*)$", re.MULTILINE
)
_NAMED = re.compile(r"[Nn]o space left on device: '([^']+)'")
_BLOCKER = re.compile(r"^\s+\(PID (\d+)\): (.+)$")
_BUSY = ("is busy, it is being blocked by:", "Unable to acquire lock")
_NOISE = re.compile(
    r"^(Running stage |> |Stage '|'[^']+' didn't change|Generating lock file|Updating lock file|"
    r"To track the changes|To enable auto staging|Use `dvc push`|Verifying data sources|"
    r"Data and pipelines are up to date|ERROR: failed to reproduce|WARNING: .*RWLock-file|"
    rf"{PEAK_MEMORY} |\tgit add |\tdvc config |\s*$)"
)


@dataclass
class Transcript:
    """The lines that one DVC command prints, and the stages that it ran."""

    lines: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Adds one line."""
        self.lines.append(line)
        if match := _RUNNING.match(line):
            self.ran.append(match.group(1))

    def tail(self) -> str:
        """The last line that is not empty: a stage's own if there is one, else DVC's."""
        own = [line for line in self.lines if not is_noise(line)]
        return (own or [line for line in self.lines if line.strip()] or ["no output"])[-1].strip()

    def exit_code(self) -> int | None:
        """The exit code of the stage's command, where DVC names one."""
        codes = [int(match.group(1)) for line in self.lines if (match := _EXITED.match(line))]
        return codes[-1] if codes else None

    def peak_megabytes(self) -> int | None:
        """The most memory that one process of the command held; None where it was not told."""
        return max(
            (int(m.group(1)) for line in self.lines if (m := _PEAK.match(line))), default=None
        )

    def full_disk(self, workspace: Path) -> DiskFullError | None:
        """The message of a stage or of DVC that the disk is full; None where neither says so."""
        text = "\n".join(self.lines)
        if match := _TOLD_FULL.search(text):
            return DiskFullError(match[1], expected=match[2], next_step=match[3])
        full = next((line for line in self.lines if says_full(line)), None)
        if full is None:
            return None
        named = _NAMED.search(full)
        return no_room(workspace / named[1] if named else workspace)

    def blockers(self) -> str | None:
        """The processes that kept DVC from its files; None where none did."""
        if not any(sign in line for line in self.lines for sign in _BUSY):
            return None
        found = [m for line in self.lines if (m := _BLOCKER.match(line))]
        return ", ".join(f"process {m[1]} ({m[2]})" for m in found) or "another DVC process"


def is_noise(line: str) -> bool:
    """Whether the line is a remark of DVC, which is logged but not shown."""
    return _NOISE.match(line) is not None
