"""The files of a product's releases are read strictly, and one release at a time may change them."""

from dataclasses import asdict
from pathlib import Path

import pytest

from pipeline.core.errors import ReleaseError
from pipeline.core.files import write_json
from pipeline.release.state import Promotion, ReleaseState

PROMOTION = Promotion(hash=None, failed="b" * 64, champion="1", server=7)


@pytest.fixture(name="state")
def make_state(tmp_path: Path) -> ReleaseState:
    return ReleaseState(tmp_path, "tiny")


def test_a_promotion_comes_back_from_the_journal(state: ReleaseState) -> None:
    assert state.older_promotion() is None
    write_json(state.journal, asdict(PROMOTION))
    assert state.older_promotion() == PROMOTION


@pytest.mark.parametrize("change", [{"note": "by hand"}, {"failed": None}, {"server": "7"}])
def test_a_journal_of_another_shape_is_refused(
    state: ReleaseState, change: dict[str, object]
) -> None:
    write_json(state.journal, asdict(PROMOTION) | change)
    with pytest.raises(ReleaseError, match=next(iter(change))):
        state.older_promotion()


def test_the_lock_is_free_again_after_a_release(state: ReleaseState) -> None:
    with (
        state.lock(),
        pytest.raises(ReleaseError, match="under way"),
        ReleaseState(state.root, state.product).lock(),
    ):
        pytest.fail("two releases at a time")
    with state.lock():
        assert state.folder.exists()
