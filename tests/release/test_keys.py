"""The project's keys are made once, whole, and readable by their owner alone."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature

from pipeline.core.errors import ReleaseError
from pipeline.release.keys import bundle_key, key_id, ledger_key, public_pem, read_public
from tests.support.repository import REPOSITORY

MAKE = """
import sys; from pathlib import Path; from pipeline.release.keys import ledger_key, public_pem
print(public_pem(ledger_key(Path(sys.argv[1]))).decode())
"""


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    first, again = ledger_key(tmp_path), ledger_key(tmp_path)
    assert public_pem(first) == public_pem(again)
    file = tmp_path / ".modelyard/keys/ledger.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["ledger.pem"]


def test_a_copied_key_gets_its_mode_back(tmp_path: Path) -> None:
    key = public_pem(ledger_key(tmp_path))
    file = tmp_path / ".modelyard/keys/ledger.pem"
    file.chmod(0o644)
    assert public_pem(ledger_key(tmp_path)) == key
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_public_half_tells_what_the_private_one_signed(tmp_path: Path) -> None:
    key = ledger_key(tmp_path)
    pem = public_pem(key)
    read_public(pem).verify(key.sign(b"head"), b"head")
    with pytest.raises(InvalidSignature):
        read_public(pem).verify(key.sign(b"head"), b"another")
    assert len(key_id(pem)) == 16
    with pytest.raises(ValueError, match="another kind"):
        read_public(public_pem(bundle_key(tmp_path)))


def test_processes_that_make_it_at_once_get_the_same_key(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MAKE, str(tmp_path)]
    started = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) for _ in range(4)]
    assert len({process.communicate()[0] for process in started}) == 1


def test_what_is_no_key_is_refused_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / ".modelyard/keys/ledger.pem"
    file.parent.mkdir(parents=True)
    file.write_text("no key")
    with pytest.raises(ReleaseError, match=r"ledger\.pem cannot be used"):
        ledger_key(tmp_path)
