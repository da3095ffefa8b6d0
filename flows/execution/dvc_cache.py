"""Where DVC's cache lies, and what a kill leaves there that DVC cannot read."""

import os
from pathlib import Path

from configobj import ConfigObj

_SETTINGS = ("config", "config.local")
_MARK = "interrupted"


def settings_of(root: Path) -> ConfigObj:
    """DVC's settings of a workspace, those of config.local over those of config."""
    whole = ConfigObj()
    for name in _SETTINGS:
        whole.merge(ConfigObj(str(root / ".dvc" / name), encoding="utf-8"))
    return whole


def cache_folder(root: Path) -> Path:
    """The folder of DVC's cache."""
    named: str = settings_of(root).get("cache", {}).get("dir", "cache")
    return (root / ".dvc" / named).resolve()


def mend_run_cache(workspace: Path) -> None:
    """Puts a mark into each empty folder of DVC's run cache, where DVC 3.67 would end with a TypeError.

    A kill leaves one between the making of the folder and of its entry. Another build may be at that very
    point, so the folder is not removed. DVC takes the mark for a damaged entry, and runs the stage.
    """
    for folder in (cache_folder(workspace) / "runs").glob("*/*/"):
        if not any(folder.iterdir()):
            mark = folder / _MARK
            mark.write_text("# An entry was to be written here when its process ended.\n", "utf-8")
            os.utime(mark, (0, 0))  # older than any entry
