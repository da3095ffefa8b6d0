"""Shows files of the main root in a worktree without copying them where that can be avoided (docs/adr/0027).

Where the file system can share blocks (btrfs, XFS, APFS) a file is a clone: it takes no space, and no
later change of the user's reaches it. Elsewhere small files are copied, for the same reason, up to a
few megabytes in all. The others are hard links, and symbolic links where they lie on another disk.
"""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

COPIED_BYTES = 16_000_000
"""Most bytes that the copies of one call may take, the smallest files first."""


def bring_data(source: Path, target: Path) -> None:
    """Makes `target` hold what `source` holds; in it no file can be replaced, removed or added.

    What is a link in `source` is a link here, too. A link may be relative, so each names the place itself.
    """
    if not source.is_dir():
        return
    shutil.rmtree(target, ignore_errors=True)
    target.unlink(missing_ok=True)
    files: list[tuple[Path, Path]] = []
    folders: list[Path] = []
    for above, inner, names in os.walk(source):
        here = target / Path(above).relative_to(source)
        here.mkdir()
        folders.append(here)
        for entry in (Path(above) / name for name in (*inner, *names)):
            if entry.is_symlink() or (source.is_symlink() and entry.is_file()):
                (here / entry.name).symlink_to(os.path.realpath(entry))
            elif entry.is_file():
                files.append((entry, here / entry.name))
    bring_files(files)
    for folder in folders:
        folder.chmod(0o555)


def bring_files(pairs: Iterable[tuple[Path, Path]]) -> None:
    """Shows each file at its new place, with its own mode and time of change.

    A few small files are copied on every file system; that spares the question what it can do.
    """
    sized = sorted((file.stat().st_size, file, place) for file, place in pairs)
    budget, clones = COPIED_BYTES, sum(size for size, _, _ in sized) > COPIED_BYTES
    for size, file, place in sized:
        clones = clones and _clone(file, place)
        if clones:
            continue
        if size <= budget:
            shutil.copy2(file, place)
            budget -= size
        else:
            _link(file, place)


def _clone(file: Path, place: Path) -> bool:
    """Makes a copy that shares the file's blocks; False where the file system cannot."""
    from dvc_objects.fs.system import reflink

    before = file.stat()
    with suppress(OSError):
        reflink(str(file), str(place))  # type: ignore[no-untyped-call]
        place.chmod(before.st_mode & 0o777)
        os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
        return True
    return False


def _link(file: Path, place: Path) -> None:
    """Makes a hard link, or a symbolic one where the system allows no hard link.

    Its mode is the user's own file's, so it stays as it is.
    """
    try:
        place.hardlink_to(file)
    except OSError:
        place.symlink_to(os.path.realpath(file))
