"""Opens data sets with the `datasets` library: those in a folder, or one on the hub by its name.

The network is used only for a hub name, and only where no folder has that name.
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


class DatasetSource(Protocol):
    """A collection of data sets, one a task."""

    def names(self) -> Collection[str]:
        """Names of its data sets; some may be no task of GLUE."""

    def read(self, name: str) -> Splits:
        """The data set of that name.

        Raises:
            DataError: it cannot be read.
        """


def open_source(source: str, *, cache: str) -> DatasetSource:
    """The folder `source`, or else the data set of that name on the hub.

    Args:
        cache: folder for the files that the library writes when it reads a folder; downloads go to
            the user's own cache.

    Raises:
        DataError: it is neither a folder nor a possible name on the hub.
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
            # Each split is named, for the library would merge the two validation sets of MNLI.
            files: dict[str, list[str]] = {}
            for path in sorted(folder.glob("*.parquet")):
                files.setdefault(_SHARD.sub("", path.stem), []).append(str(path))
            read: Splits = datasets.load_dataset("parquet", data_files=files, cache_dir=self._cache)
        except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
            raise DataError(
                f"{folder}: {_first_line(error)}",
                expected="files of `save_to_disk`, or Parquet files named train, validation, …",
                next_step="save the data set again",
            ) from error
        return read


class _Hub:
    """A data set on the hub, by the name that the user gave."""

    def __init__(self, source: str) -> None:
        if not _HUB_NAME.fullmatch(source):
            raise DataError(
                f"no folder {source}",
                expected="an existing folder, or a hub name such as nyu-mll/glue",
                next_step="correct --datasets",
            )
        say(f"There is no folder {source}; looking for a data set of that name on the hub.")
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
                f"no folder {self._source}, and the hub answered: {_first_line(error)}",
                expected="a folder, or a public data set on the hub and a network that reaches it",
                next_step="correct --datasets, or give a folder",
            ) from error


def _library() -> Any:
    # Imported here, for the official files are read without it.
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise DataError(
            f"--datasets cannot be read: {error}",
            expected="the library `datasets`, which constraints.txt pins",
            next_step="run `make install`, or give GLUE's own files with --data",
        ) from error
    datasets.disable_progress_bars()
    return datasets


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
