"""Brings the sheet of rows that people should label to where they find it."""

import shutil
from pathlib import Path

from pipeline.core.files import atomic_path
from pipeline.core.paths import Paths


def bring_sheet(workspace: Path, root: Path) -> Path | None:
    """Copies what `label` wrote in the workspace to the main root, which a worktree does not outlive.

    A sheet that is there is never overwritten: somebody may be filling it in.

    Returns:
        The path of the sheet; None where `label` wrote none.
    """
    file, number = Paths(workspace).annotation_sheet, 2
    if not file.exists():
        return None
    place = root / file.name
    while place.exists() and place.read_bytes() != file.read_bytes():
        place = root / f"{file.stem}-{number}{file.suffix}"
        number += 1
    if not place.exists():
        with atomic_path(place) as temporary:
            shutil.copyfile(file, temporary)
    return place
