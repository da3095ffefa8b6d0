"""A plain FastAPI app on uvicorn with httptools and uvloop, in an environment of its own.

    python -m benchmarks.peers.fastapi_peer BUNDLE PORT

The model runs in the event loop: on one core that is quicker than FastAPI's threads for `def`.
"""

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.peers.raw_model import RawModel, read_place


class Question(BaseModel):
    """The body of a request."""

    text: str


def main() -> None:
    """Serves until it is killed."""
    folder, port = read_place(__doc__ or "")
    model, app = RawModel(folder), FastAPI()

    @app.post("/predict")
    async def predict(question: Question) -> dict[str, str | float]:
        return model.answer(question.text)

    uvicorn.run(
        app, port=port, loop="uvloop", http="httptools", log_level="warning", access_log=False
    )


if __name__ == "__main__":
    main()
