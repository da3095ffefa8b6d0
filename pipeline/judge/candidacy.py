"""The file that names a candidate: which bundle is tried beside the champion, and how.

It is a pointer as the champion's is, with more keys. The server follows it; `modelyard shadow` writes
and removes it.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipeline.core.errors import ArtifactError
from pipeline.core.files import write_json
from pipeline.core.typed_json import read_as
from pipeline.judge.judgement import JudgeLimits


@dataclass(frozen=True, kw_only=True)
class Candidacy:
    """A bundle that is tried.

    Attributes:
        bundle: its hash.
        folder: its folder, relative to that of the file.
        canary: share of the requests that it answers itself, 0 to 1; 0 in shadow.
        limits: by which it is judged.
    """

    bundle: str
    folder: str
    canary: float = 0.0
    limits: JudgeLimits = field(default_factory=JudgeLimits)

    def save(self, path: Path) -> None:
        """Writes the file, whole or not at all."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> "Candidacy | None":
        """The candidacy in a file; None where there is none.

        Raises:
            ArtifactError: it is damaged, or names a folder outside its own.
        """
        try:
            found = read_as(cls, json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise _damaged(path, f"cannot be read ({error!r})") from error
        folder = Path(found.folder)
        if folder.is_absolute() or ".." in folder.parts or not 0 <= found.canary <= 1:
            raise _damaged(path, f"names {found.folder!r} and a share of {found.canary:g}")
        return found


def _damaged(path: Path, got: str) -> ArtifactError:
    return ArtifactError(
        f"{path.name} {got}",
        expected="what `modelyard shadow start` wrote: a folder beside it, a share from 0 to 1",
        next_step="run `modelyard shadow stop`, then start it again",
    )
