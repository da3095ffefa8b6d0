"""A disk of a few kilobytes, to be full on: a tmpfs, which only root may mount."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.core.chosen_environment import chosen_environment


class SmallDisk:
    """A mounted folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def grow(self) -> None:
        """Gives it room, as somebody does who removes files."""
        _mount("remount,size=64m", self.folder)


@contextmanager
def small_disk(folder: Path, *, kilobytes: int) -> Iterator[SmallDisk]:
    """Mounts a disk of that size at a folder, with what the folder holds; skips where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    held = folder.with_name(f"{folder.name}-held")
    shutil.copytree(folder, held)
    if _mount(f"size={kilobytes}k", folder):
        shutil.rmtree(held)
        pytest.skip("only root may mount a small disk")
    shutil.copytree(held, folder, dirs_exist_ok=True)
    shutil.rmtree(held)
    try:
        yield SmallDisk(folder)
    finally:
        own = chosen_environment(os.environ)
        subprocess.run(["umount", "--lazy", str(folder)], check=True, env=own)


def _mount(options: str, folder: Path) -> int:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    own = chosen_environment(os.environ)
    return subprocess.run(command, capture_output=True, check=False, env=own).returncode
