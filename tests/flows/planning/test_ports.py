"""The port a person asks for is a port, or the message says what one is."""

import pytest

from flows.planning.ports import PORT_VARIABLE, asked_port
from pipeline.core.errors import ParameterError


def test_without_a_wish_it_is_8000(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PORT_VARIABLE, raising=False)
    assert asked_port() == 8000


def test_a_port_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PORT_VARIABLE, "9000")
    assert asked_port() == 9000


@pytest.mark.parametrize("text", ["abc", "", "0", "-1", "99999", "80.5"])
def test_what_is_no_port_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(PORT_VARIABLE, text)
    with pytest.raises(ParameterError, match=PORT_VARIABLE):
        asked_port()
