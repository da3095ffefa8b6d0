"""Reading what `dvc repro` prints: which stages ran, and which lines are DVC's own remarks."""

import re
from dataclasses import dataclass, field

_RUNNING = re.compile(r"^Running stage '([^']+)':$")
_NOISE = re.compile(
    r"^(Running stage |> |Stage '|'[^']+' didn't change|Generating lock file|Updating lock file|"
    r"To track the changes|To enable auto staging|Use `dvc push`|Verifying data sources|"
    r"Data and pipelines are up to date|ERROR: failed to reproduce|WARNING: .*RWLock-file|"
    r"\tgit add |\tdvc config |\s*$)"
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


def is_noise(line: str) -> bool:
    """Whether the line is a remark of DVC, which is logged but not shown."""
    return _NOISE.match(line) is not None
