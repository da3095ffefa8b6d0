"""BentoML with one worker, in an environment of its own.

    python -m benchmarks.peers.bentoml_peer BUNDLE PORT

It starts `bentoml serve`, whose workers import this module again and read the bundle's folder from the
environment.
"""

import os
import sys
from pathlib import Path

import bentoml  # type: ignore[import-not-found]

from benchmarks.peers.raw_model import RawModel, read_place

_FOLDER = "RAW_MODEL_FOLDER"


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Reviews:
    """The bundle's model as BentoML asks for it."""

    def __init__(self) -> None:
        self._model = RawModel(Path(os.environ[_FOLDER]))

    @bentoml.api  # type: ignore[untyped-decorator]
    async def predict(self, text: str) -> dict[str, str | float]:
        """The label of a text, and its probability."""
        return self._model.answer(text)


def main() -> None:
    """Serves until it is killed."""
    folder, port = read_place(__doc__ or "")
    os.environ |= {_FOLDER: str(folder), "BENTOML_DO_NOT_TRACK": "True"}
    command = [sys.executable, "-m", "bentoml", "serve", "benchmarks.peers.bentoml_peer:Reviews"]
    os.execv(sys.executable, [*command, "--host", "127.0.0.1", "--port", str(port)])  # noqa: S606


if __name__ == "__main__":
    main()
