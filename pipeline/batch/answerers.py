"""Runs the processes that answer, and hands them parts of a file so that none ever waits for one."""

import json
import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Self, cast

from pipeline.batch.frames import read_frame, write_frame
from pipeline.batch.input_parts import InputPart
from pipeline.batch.scored import Scored
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import ArtifactError, PipelineError
from pipeline.runtime.bundle import Bundle
from pipeline.runtime.signature import POLICY_VARIABLE

MODULE = "pipeline.batch.answering"
"""What a process runs."""
_AHEAD = 2
"""Parts that a process has at once: one that it answers, and the next."""
_STOP_SECONDS = 5.0


@dataclass(frozen=True)
class _Answerer:
    """One process, with the parts that it has, the oldest first."""

    process: "subprocess.Popen[bytes]"
    parts: list[InputPart] = field(default_factory=list)

    @property
    def input(self) -> IO[bytes]:
        return cast(IO[bytes], self.process.stdin)

    @property
    def output(self) -> IO[bytes]:
        return cast(IO[bytes], self.process.stdout)

    def send(self, part: InputPart) -> None:
        """Hands a part over. It goes at once: the process reads ahead."""
        self.parts.append(part)
        try:
            write_frame(self.input, json.dumps(part.requests).encode())
        except BrokenPipeError:
            raise self._ended() from None

    def receive(self, outputs: int) -> tuple[InputPart, Scored]:
        """The oldest part with its answers."""
        notes, scores = read_frame(self.output), read_frame(self.output)
        if notes is None or scores is None:
            raise self._ended()
        return self.parts.pop(0), Scored.from_frames(notes, scores, outputs=outputs)

    def require_ready(self) -> None:
        """Waits until the bundle is open; raises ArtifactError where it is refused."""
        told = read_frame(self.output)
        if told is None:
            raise self._ended()
        if told:
            got, expected, next_step = json.loads(told)
            raise ArtifactError(got, expected=expected, next_step=next_step)

    def _ended(self) -> PipelineError:
        code = self.process.wait(_STOP_SECONDS)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return PipelineError(
            f"a process that answers ended ({how})",
            expected="it answers until all rows are done",
            next_step="run the same command again: parts that are done stay; if it ends again, with --workers 1",
        )


class Answerers:
    """Processes that answer with one bundle; they end with the block, and with this process."""

    def __init__(self, bundle: Bundle, *, count: int) -> None:
        self._outputs = len(bundle.task.labels)
        command = [sys.executable, "-m", MODULE, str(bundle.folder), bundle.hash]
        self._all: list[_Answerer] = []
        for _ in range(count):
            process = subprocess.Popen(
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # Ctrl-C is for this process, which then ends them.
                start_new_session=True,
                env=chosen_environment(os.environ) | _own(),
            )
            self._all.append(_Answerer(process))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for answerer in self._all:
            answerer.process.kill()  # it writes no file
            with suppress(BrokenPipeError):
                answerer.input.close()
            answerer.output.close()
        for answerer in self._all:
            answerer.process.wait(_STOP_SECONDS)

    def require_ready(self) -> None:
        """Waits until every process has opened the bundle.

        Raises:
            ArtifactError: the bundle is refused.
        """
        for answerer in self._all:
            answerer.require_ready()

    def answer(
        self, parts: Iterator[InputPart], *, waiting: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[InputPart, Scored]]:
        """The parts with their answers, in the order in which they are done.

        Args:
            waiting: called each time before it is waited for an answer.
        """
        with selectors.DefaultSelector() as ready:
            for answerer in self._all:
                ready.register(answerer.output, selectors.EVENT_READ, answerer)
            # One each, then the second: all begin at once.
            for _ in range(_AHEAD):
                for answerer in self._all:
                    self._hand_on(answerer, parts)
            while any(answerer.parts for answerer in self._all):
                waiting()
                for key, _ in ready.select():
                    answerer = cast(_Answerer, key.data)
                    found = answerer.receive(self._outputs)
                    self._hand_on(answerer, parts)
                    yield found

    def _hand_on(self, answerer: _Answerer, parts: Iterator[InputPart]) -> None:
        if (part := next(parts, None)) is not None:
            answerer.send(part)


def _own() -> dict[str, str]:
    """Variables with which the processes find our code, and use one core each.

    The signature was checked by who opened the bundle; they open the one with its hash, or none.
    """
    return {
        POLICY_VARIABLE: "off",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
