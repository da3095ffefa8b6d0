"""Answers the texts of a batch in a process of its own, each alone, as the server does.

`python -m pipeline.batch.answering FOLDER HASH` opens the bundle with the server's checks, then reads
blocks from its input (pipeline/batch/frames.py): a JSON list of requests, each a text or a list of two.
For each block it writes two, the notes as JSON and the scores as float64 `(requests, outputs)`. It ends
when its input does, in the middle of a block too, so that none is left behind by a kill.
"""

import json
import os
import queue
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from pipeline.batch.frames import read_frame, write_frame
from pipeline.batch.scored import Scored
from pipeline.core.errors import DataError, PipelineError
from pipeline.runtime.task import Request, request_of
from pipeline.runtime.text_model import TextModel
from pipeline.serving.hot_swap import open_model

_AT_ONCE = 256
"""Requests whose tokens are in memory at once."""


def score(model: TextModel, requests: Sequence[Request]) -> Scored:
    """The scores of each request, computed alone; those that cannot be read get none, and a reason."""
    outputs = np.full((len(requests), len(model.task.labels)), np.nan, dtype=np.float32)
    truncated: list[int] = []
    faults: dict[int, str] = {}
    for start in range(0, len(requests), _AT_ONCE):
        some = requests[start : start + _AT_ONCE]
        left = _score_short(model, some, outputs[start : start + _AT_ONCE])
        for number in (start + each for each in left):
            try:
                outputs[number], is_cut = model.outputs_of_sent(requests[number])
            except DataError as error:
                faults[number] = error.got
                continue
            except Exception as error:  # as in the server: one text must not end the work on others
                faults[number] = f"a failure of the model ({type(error).__name__})"
                continue
            if is_cut:
                truncated.append(number)
    # Row by row, as the server does: many at once may differ in the last digit.
    scores = [model.task.kind.scores(row) for row in outputs]
    width = (len(requests), len(model.task.labels))
    return Scored(np.array(scores, dtype=np.float64).reshape(width), truncated, faults)


def _score_short(
    model: TextModel, requests: Sequence[Request], outputs: npt.NDArray[np.float32]
) -> list[int]:
    """Fills in the outputs of the requests that are read whole; returns the numbers of all others.

    Where one of them fails, all that come after it are among the others.
    """
    found: list[npt.NDArray[np.float32] | None] = []
    with suppress(Exception):  # whose it is, and what it says, shows when each is tried alone
        for each in model.outputs_of_short(requests):
            found.append(each)
    taken = [number for number, each in enumerate(found) if each is not None]
    if taken:
        outputs[taken] = [found[number] for number in taken]
    return sorted({*range(len(requests))} - {*taken})


def main() -> int:
    """Answers until the input ends; returns the exit code."""
    # What a library prints must not stand between two blocks.
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        folder, bundle_hash = sys.argv[1:]
        try:
            model = open_model(Path(folder), expected_hash=bundle_hash).text_model
        except PipelineError as error:
            told = [error.got, error.expected, error.next_step]
            write_frame(out, json.dumps(told).encode())
            return 1
        write_frame(out, b"")
        blocks = _read_ahead(sys.stdin.buffer)
        while True:
            found = score(model, [request_of(each) for each in json.loads(blocks.get())])
            write_frame(out, found.notes())
            write_frame(out, found.scores.tobytes())


def _read_ahead(stream: IO[bytes]) -> "queue.Queue[bytes]":
    """The blocks as they come, one of them waiting; the process ends with the stream."""
    blocks: queue.Queue[bytes] = queue.Queue(maxsize=1)

    def read() -> None:
        while (block := read_frame(stream)) is not None:
            blocks.put(block)
        os._exit(0)  # nobody waits for what is being computed

    threading.Thread(target=read, daemon=True).start()
    return blocks


if __name__ == "__main__":
    sys.exit(main())
