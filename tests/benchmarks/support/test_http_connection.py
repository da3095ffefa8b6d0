"""An answer is read as far as a generator of load must know it: its status, its length, whether more may follow."""

import pytest

from benchmarks.support.http_connection import whole_answer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nConnection: close\r\n\r\n"


def test_an_answer_is_whole_once_its_length_is_there() -> None:
    assert whole_answer(OK) == (200, False)
    assert whole_answer(BUSY) == (503, True)
    assert [whole_answer(OK[:end]) for end in range(len(OK))] == [None] * len(OK)


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"SSH-2.0\r\n\r\n"]
)
def test_an_answer_of_unknown_length_is_a_fault(data: bytes) -> None:
    with pytest.raises(ValueError, match="Content-Length"):
        whole_answer(data)
