"""The Dockerfile as tests read it: its stages with their instructions, and what a container would start.

Tests hold the image without an engine: they run the instructions' own words in a fresh environment.
"""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.repository import REPOSITORY

DOCKERFILE = REPOSITORY / "Dockerfile"


@dataclass(frozen=True)
class Instruction:
    """One instruction, its continued lines joined."""

    word: str
    text: str


@dataclass
class Stage:
    """A stage by its name; `base` is an image, or the name of an earlier stage."""

    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)

    def texts(self, word: str) -> list[str]:
        """The texts of all instructions of one word, in order."""
        return [each.text for each in self.instructions if each.word == word]


def read_stages(text: str) -> dict[str, Stage]:
    """The stages of a Dockerfile by name, in order."""
    stages: dict[str, Stage] = {}
    current: Stage | None = None
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            current = stages[name] = Stage(name, base)
        elif current is not None:
            current.instructions.append(Instruction(word, " ".join(rest.split())))
    return stages


def chain_of(stages: dict[str, Stage], name: str) -> list[Stage]:
    """The stage and those it builds on, the lowest first."""
    stage = stages[name]
    return [*(chain_of(stages, stage.base) if stage.base in stages else []), stage]


def started_by(chain: Sequence[Stage]) -> list[str]:
    """The command that a container of the last stage starts, entry point and arguments."""
    found = {word: text for stage in chain for word, text in _pairs(stage)}
    return [*json.loads(found["ENTRYPOINT"]), *json.loads(found["CMD"])]


def user_of(chain: Sequence[Stage]) -> tuple[int, int]:
    """The user and the group that a container runs as; both must be numbers."""
    last = [text for stage in chain for text in stage.texts("USER")][-1]
    user, _, group = last.partition(":")
    return int(user), int(group)


def environment_of(chain: Sequence[Stage]) -> dict[str, str]:
    """The variables that the stages set, without PATH, which they extend."""
    words = [word for stage in chain for text in stage.texts("ENV") for word in shlex.split(text)]
    pairs = dict(word.split("=", 1) for word in words)
    return {name: value for name, value in pairs.items() if name != "PATH"}


def installed_extra(stage: Stage) -> str:
    """What the stage's pip installs from the source, such as `.[serve]`."""
    found = re.search(r'pip install [^"&]*"([^"]+)"', " ".join(stage.texts("RUN")))
    assert found is not None, "the stage installs nothing"
    return found[1]


def _pairs(stage: Stage) -> list[tuple[str, str]]:
    return [(each.word, each.text) for each in stage.instructions]
