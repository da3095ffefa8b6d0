"""One measurement at a time on a machine."""

from pathlib import Path

import pytest

from pipeline.core.machine_lock import FOLDER_VARIABLE, measuring_alone


def test_one_measurement_at_a_time_on_the_machine_whichever_clone_starts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    said: list[str] = []

    class EnoughError(Exception):
        pass

    def say(words: str) -> None:
        said.append(words)
        raise EnoughError

    with (
        measuring_alone("the first", say=say),
        pytest.raises(EnoughError),
        measuring_alone("the second", say=say),
    ):
        raise AssertionError
    assert said[0].startswith("waits for another measurement: the first, process")
    with measuring_alone("the second", say=say):
        pass
