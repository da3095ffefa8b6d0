"""The formats of other annotation tools in which labels come and go."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.annotation.doccano import (
    read_doccano,
    read_doccano_csv,
    write_doccano,
    write_doccano_csv,
)
from pipeline.annotation.foreign_votes import Reader, Writer
from pipeline.annotation.hugging_face import read_hugging_face, write_hugging_face
from pipeline.annotation.label_studio import read_label_studio, write_label_studio
from pipeline.annotation.prodigy import read_prodigy, write_prodigy
from pipeline.core.errors import DataError


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelFormat:
    """A format of another tool.

    Attributes:
        name: as the command line has it.
        endings: of its files; the first is the usual one.
    """

    name: str
    endings: tuple[str, ...]
    write: Writer
    read: Reader


FORMATS = {
    made.name: made
    for made in (
        LabelFormat(
            name="label-studio",
            endings=(".json",),
            write=write_label_studio,
            read=read_label_studio,
        ),
        LabelFormat(
            name="doccano", endings=(".jsonl", ".json"), write=write_doccano, read=read_doccano
        ),
        LabelFormat(
            name="doccano-csv", endings=(".csv",), write=write_doccano_csv, read=read_doccano_csv
        ),
        LabelFormat(name="prodigy", endings=(".jsonl",), write=write_prodigy, read=read_prodigy),
        LabelFormat(
            name="huggingface",
            endings=(".parquet",),
            write=write_hugging_face,
            read=read_hugging_face,
        ),
    )
}
"""Name → format."""


def format_for(path: Path, name: str) -> LabelFormat:
    """The format of this name.

    Raises:
        DataError: files of the format have another ending.
    """
    found = FORMATS[name]
    if path.suffix.lower() not in found.endings:
        raise DataError(
            f"{path.name} as a file of the format {name}",
            expected=f"a name that ends in {' or '.join(found.endings)}",
            next_step="give the file that ending, or name the format that it has",
        )
    return found
