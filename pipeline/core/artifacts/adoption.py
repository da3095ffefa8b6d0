"""The note of a model that a team brought along: where it came from, and what it is."""

from typing import ClassVar, Literal, Self

from pipeline.core.artifacts.part import Artifact
from pipeline.core.paths import Paths


class Adoption(Artifact):
    """Origin and identity of an adopted model; `modelyard adopt` writes it."""

    FILE: ClassVar[str] = "adopt/adoption.json"

    name: str
    """Name of the model: its folder's, its class's, or what `--name` said."""
    kind: Literal["transformers", "module"]
    """A transformers folder, or a `torch.nn.Module` in a Python file."""
    family: str
    """`model_type` of its config, or the name of its class."""
    tokenizer: str
    """Kind of its tokenizer: `WordPiece`, `BPE`, `Unigram`, `WordLevel`."""
    parameters: int
    """Numbers in its weights."""
    licence: str | None
    """SPDX identifier of its licence; null for a team's own work, of which nothing was said."""
    weights_sha256: str
    """SHA-256 of the weights as they came."""
    code_sha256: str | None
    """SHA-256 of the Python file; null for a transformers folder."""
    tokenizer_sha256: str
    """SHA-256 of tokenizer.json."""

    @classmethod
    def found(cls, paths: Paths) -> Self | None:
        """The note in a workspace; None where no model was adopted there."""
        file = paths.artifacts.joinpath(*cls.FILE.split("/"))
        return cls.load(file) if file.exists() else None
