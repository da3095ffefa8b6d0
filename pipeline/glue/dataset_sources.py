"""Opens data sets with the `datasets` library: those in a folder, or one on the hub by its name.

The network is used only for a hub name, and only where no folder has that name.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core.errors import DataError
from pipeline.core.progress import say

Splits = Mapping[str, Any]  # name of a split → `datasets.Dataset`

_SHARD = re.compile(r"-\d+-of-\d+$")
_HUB_NAME = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?(@[\w.-]+)?")


@dataclass(frozen=True)
class DatasetSource:
    """A collection of data sets, one a task: their names, some of them perhaps no task of GLUE."""

    names: Collection[str]
    read: Callable[[str], Splits]
    """The data set of a name; a DataError where it cannot be read."""


def open_source(source: str, *, cache: str) -> DatasetSource:
    """The folder `source`, or else the data set of that name on the hub.

    Args:
        cache: folder for the files that the library writes when it reads a folder; downloads go to
            the user's own cache.

    Raises:
        DataError: it is neither a folder nor a possible name on the hub.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        names = {path.name for path in folder.iterdir() if path.is_dir()}
        return DatasetSource(names, lambda name: _read_folder(folder / name, cache))
    if not _HUB_NAME.fullmatch(source):
        raise DataError(
            f"no folder {source}",
            expected="an existing folder, or a hub name such as nyu-mll/glue",
            next_step="correct --datasets",
        )
    say(f"There is no folder {source}; looking for a data set of that name on the hub.")
    name, _, revision = source.partition("@")

    def ask(function: str, *arguments: str) -> Any:
        with _library(
            f"no folder {source}, and the hub answered",
            expected="a folder, or a public data set on the hub and a network that reaches it",
            next_step="correct --datasets, or give a folder",
        ) as datasets:
            return getattr(datasets, function)(name, *arguments, revision=revision or None)

    return DatasetSource(
        set(ask("get_dataset_config_names")), lambda task: ask("load_dataset", task)
    )


def _read_folder(folder: Path, cache: str) -> Splits:
    with _library(
        str(folder),
        expected="files of `save_to_disk`, or Parquet files named train, validation, …",
        next_step="save the data set again",
    ) as datasets:
        if (folder / "dataset_dict.json").is_file():
            saved: Splits = datasets.load_from_disk(str(folder))
            return saved
        # Each split is named, for the library would merge the two validation sets of MNLI.
        files: dict[str, list[str]] = {}
        for path in sorted(folder.glob("*.parquet")):
            files.setdefault(_SHARD.sub("", path.stem), []).append(str(path))
        read: Splits = datasets.load_dataset("parquet", data_files=files, cache_dir=cache)
        return read


@contextmanager
def _library(where: str, *, expected: str, next_step: str) -> Iterator[Any]:
    """The `datasets` library; its errors become a DataError with these words."""
    try:
        import datasets  # here, for the official files are read without it
    except ModuleNotFoundError as error:
        raise DataError(
            f"--datasets cannot be read: {error}",
            expected="the library `datasets`, which constraints.txt pins",
            next_step="run `make install`, or give GLUE's own files with --data",
        ) from error
    datasets.disable_progress_bars()
    try:
        yield datasets
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(f"{where}: {first}", expected=expected, next_step=next_step) from error
