"""Which entries of DVC's cache nothing names any more.

An entry is named by a dvc.lock or a .dvc file, or by a listing of a folder that one of these names.
`dvc gc` cannot be used: it keeps what the workspace in which it runs names, and drops what kept
builds, trials of a search and worktrees need, whose dvc.lock files lie elsewhere.
"""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from flows.execution.git import ask_git
from pipeline.core.paths import Paths

_HASH = re.compile(r"\bmd5: ['\"]?([0-9a-f]{32}(?:\.dir)?)\b")
_ENTRY = re.compile(r"[0-9a-f]{30}(\.dir)?")
_FOLDER = re.compile(r"[0-9a-f]{2}")
_LISTING = ".dir"


def lock_texts(root: Path, *, without: Iterable[Path] = (), commits: int) -> Iterator[str]:
    """The content of every file that may name an entry.

    Args:
        without: folders of kept builds that are about to be removed.
        commits: how many of the newest commits, of all branches, whose dvc.lock counts as well. Those of
            branches and tags count at any age, with their .dvc files.
    """
    left_out, state = set(without), Paths(root).state
    names = ("*/dvc.lock", "*/*/dvc.lock", "*/*/*/dvc.lock")
    paths = [Paths(root).dvc_lock, *(path for name in names for path in state.glob(name))]
    for folder in (root, *state.glob("worktrees/*/")):
        for pattern in ("*.dvc", "data/**/*.dvc", f"{Paths(root).versions.name}/*.dvc"):
            paths += folder.glob(pattern)
    for path in paths:
        if path.is_file() and not left_out.intersection(path.parents):
            yield path.read_text(encoding="utf-8")
    listed = ask_git(
        root, "log", "--all", f"--max-count={commits}", "--format=%H", "--", "dvc.lock"
    )
    tips = ask_git(root, "for-each-ref", "--format=%(objectname)", "refs/heads", "refs/tags")
    for commit in dict.fromkeys([*listed.stdout.split(), *tips.stdout.split()]):
        yield ask_git(root, "show", f"{commit}:./dvc.lock").stdout
    for commit in dict.fromkeys(tips.stdout.split()):
        yield ask_git(root, "grep", "-h", "--no-color", "-F", "md5: ", commit, "--", "*.dvc").stdout


def named_hashes(cache: Path, texts: Iterable[str]) -> set[str]:
    """Every hash that the texts name, with all that the named folders hold."""
    named: set[str] = set()
    for text in texts:
        named.update(_HASH.findall(text))
    for name in [name for name in named if name.endswith(_LISTING)]:
        with suppress(FileNotFoundError):
            listing = json.loads((cache / "files" / "md5" / name[:2] / name[2:]).read_text("utf-8"))
            named.update(str(entry["md5"]) for entry in listing)
    return named


def unnamed_entries(cache: Path, named: set[str]) -> list[Path]:
    """The files of the cache that are not named, and the notes of runs whose outputs they are."""
    found = []
    for folder in sorted((cache / "files" / "md5").glob("??/")):
        for path in sorted(folder.iterdir()):
            sound = _FOLDER.fullmatch(folder.name) and _ENTRY.fullmatch(path.name)
            if sound and folder.name + path.name not in named:
                found.append(path)
    for path in sorted((cache / "runs").glob("??/*/*")):
        if not set(_outputs(path.read_text(encoding="utf-8"))) <= named:
            found.append(path)
    return found


def _outputs(run: str) -> list[str]:
    """The hashes of a run's outputs, which DVC writes after its dependencies."""
    return _HASH.findall(run.partition("outs:")[2])
