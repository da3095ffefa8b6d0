"""LitServe with one worker on the CPU, in an environment of its own.

python -m benchmarks.peers.litserve_peer BUNDLE PORT
"""

from pathlib import Path
from typing import Any

import litserve  # type: ignore[import-not-found]

from benchmarks.peers.raw_model import RawModel, read_place


class Reviews(litserve.LitAPI):  # type: ignore[misc]
    """The bundle's model as LitServe asks for it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def setup(self, device: str) -> None:
        self._model = RawModel(self._folder)

    def decode_request(self, request: dict[str, Any]) -> str:
        return str(request["text"])

    def predict(self, text: str) -> dict[str, str | float]:
        return self._model.answer(text)

    def encode_response(self, output: dict[str, str | float]) -> dict[str, str | float]:
        return output


def main() -> None:
    """Serves until it is killed."""
    folder, port = read_place(__doc__ or "")
    server = litserve.LitServer(Reviews(folder), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=port, generate_client_file=False, log_level="warning")


if __name__ == "__main__":
    main()
