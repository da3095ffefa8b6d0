"""Data sets that the `datasets` library reads: those in a folder, or one on the hub by its name.

Only a name touches the network, and only when the user gave one that is no folder.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

from pipeline.core.errors import DataError
from pipeline.core.progress import say

Splits = Mapping[str, Any]  # name of a split → `datasets.Dataset`

_SHARD = re.compile(r"-\d+-of-\d+$")
_HUB_NAME = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?(@[\w.-]+)?")


class Source(Protocol):
    """Where data sets come from, one a task."""

    def names(self) -> Collection[str]:
        """Names of what it may hold, others among them."""

    def read(self, name: str) -> Splits:
        """The data set of that name.

        Raises:
            DataError: it cannot be read.
        """


def open_source(source: str, *, cache: str) -> Source:
    """The folder `source`, or else the data set of that name on the hub.

    Args:
        cache: a folder for what the library makes of files; a download goes to the user's own cache.

    Raises:
        DataError: it is neither a folder nor what a hub name looks like.
    """
    folder = Path(source).expanduser()
    return _Folder(folder, cache) if folder.is_dir() else _Hub(source)


class _Folder:
    """A folder with one folder a task."""

    def __init__(self, folder: Path, cache: str) -> None:
        self._folder, self._cache = folder, cache

    def names(self) -> Collection[str]:
        return {path.name for path in self._folder.iterdir() if path.is_dir()}

    def read(self, name: str) -> Splits:
        folder, datasets = self._folder / name, _library()
        try:
            if (folder / "dataset_dict.json").is_file():
                saved: Splits = datasets.load_from_disk(str(folder))
                return saved
            # Named one by one: by itself the library takes both kinds of MNLI's validation for one.
            files: dict[str, list[str]] = {}
            for path in sorted(folder.glob("*.parquet")):
                files.setdefault(_SHARD.sub("", path.stem), []).append(str(path))
            read: Splits = datasets.load_dataset("parquet", data_files=files, cache_dir=self._cache)
        except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
            raise DataError(
                f"{folder}: {_first_line(error)}",
                expected="what `save_to_disk` wrote, or Parquet files named train, validation, …",
                next_step="save the data set again",
            ) from error
        return read


class _Hub:
    """A data set on the hub, by the name that the user gave."""

    def __init__(self, source: str) -> None:
        if not _HUB_NAME.fullmatch(source):
            raise DataError(
                f"no folder {source}",
                expected="a folder that is there, or a hub name as nyu-mll/glue",
                next_step="correct --datasets",
            )
        say(f"There is no folder {source}: the hub is asked for a data set of that name.")
        self._source = source
        self._name, _, revision = source.partition("@")
        self._revision = revision or None

    def names(self) -> Collection[str]:
        library = _library()
        found = self._try(library.get_dataset_config_names, self._name)
        return set(found)

    def read(self, name: str) -> Splits:
        read: Splits = self._try(_library().load_dataset, self._name, name)
        return read

    def _try(self, function: Any, *arguments: str) -> Any:
        try:
            return function(*arguments, revision=self._revision)
        except (OSError, ValueError, _library().exceptions.DatasetsError) as error:
            raise DataError(
                f"neither a folder {self._source} nor, from the hub: {_first_line(error)}",
                expected="a folder, or a public data set and a network that reaches the hub",
                next_step="correct --datasets, or give a folder",
            ) from error


def _library() -> Any:
    # Imported here: GLUE's own files are read without it.
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise DataError(
            f"--datasets, and {error}",
            expected="the library `datasets`, which constraints.txt pins",
            next_step="run `make install`, or give GLUE's own files with --data",
        ) from error
    datasets.disable_progress_bars()
    return datasets


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
