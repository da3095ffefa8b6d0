"""Blocks come out of a pipe as they went in, and the end of the other side is told."""

import io
import os
import threading

from pipeline.batch.frames import read_frame, write_frame


def test_blocks_of_any_size_pass_through_a_pipe_without_a_buffer() -> None:
    blocks = [b"", b"a", bytes(range(256)) * 4_000]
    source, sink = os.pipe()
    with os.fdopen(source, "rb", buffering=0) as reading, os.fdopen(sink, "wb", buffering=0) as to:

        def write() -> None:
            for block in blocks:
                write_frame(to, block)

        writer = threading.Thread(target=write)
        writer.start()
        assert [read_frame(reading) for _ in blocks] == blocks
        writer.join()


def test_a_stream_that_ends_gives_no_half_of_a_block() -> None:
    stream = io.BytesIO()
    write_frame(stream, b"whole")
    for size in (0, 3, 9):
        assert read_frame(io.BytesIO(stream.getvalue()[:size])) is None
