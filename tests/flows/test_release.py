"""The release as flows see it: the gate's verdict, what is kept for later, and the quick question."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.execution.network import free_port
from flows.release import (
    CurrentRelease,
    TrainRows,
    current_release,
    read_train_rows,
    release_bundle,
)
from flows.releases import answered
from flows.rollback import product_in_production, roll_back
from flows.serve import serve
from flows.ui import stop
from pipeline.core.errors import ReleaseError
from pipeline.core.process_identity import this_process
from pipeline.core.served_code import served_code
from pipeline.release import ledger
from pipeline.release.requests import served_hash
from pipeline.release.rollout import ReleaseResult
from pipeline.release.server_process import ServerProcess, is_outdated, running_server, server_note
from pipeline.release.state import ReleaseState
from tests.support.example_artifacts import check, verdict
from tests.support.repository import REPOSITORY
from tests.support.steady_load import steady_load
from tests.support.tiny_bundle import make_tiny_bundle

PRODUCT = "tiny-sentiment"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    make_tiny_bundle(tmp_path / "artifacts/gate/bundle")
    verdict().save(tmp_path / "artifacts/gate/verdict.json")
    yield tmp_path
    stop(tmp_path)


def released(root: Path, bundle: Path | None = None) -> ReleaseResult:
    """Releases a bundle, that of the gate if none is named, on a free port."""
    bundle = bundle or root / "artifacts/gate/bundle"
    return release_bundle(root=root, bundle=bundle, mlflow_run_id=None, port=free_port())


def test_a_release_is_found_stopped_and_served_again(root: Path) -> None:
    assert current_release(root, PRODUCT) is None
    release = released(root)
    address = release.address
    assert current_release(root, PRODUCT) == CurrentRelease(release.hash, address, healthy=True)

    assert stop(root) == [f"server of {PRODUCT}"]
    assert current_release(root, PRODUCT) == CurrentRelease(release.hash, None, healthy=False)

    server = serve(root, PRODUCT, free_port())
    assert served_hash(server.address) == release.hash
    again = serve(root, PRODUCT, free_port())
    assert again == server == running_server(ReleaseState(root, PRODUCT))
    assert answered(root, PRODUCT, datetime.now(UTC)).hash == release.hash


def test_a_rollback_is_asked_for_by_product_whatever_the_files_of_parameters_hold(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ReleaseError, match="0 released products"):
        product_in_production(root, "")
    make_tiny_bundle(root / "other", seed=7)
    first, second = released(root), released(root, root / "other")
    assert product_in_production(root, "") == PRODUCT
    (root / "product.yaml").write_text(f"product: {{name: {PRODUCT}, no_such_key: 1}}\nwrong: [")
    (root / "params.yaml").write_text("no: such: thing")
    assert product_in_production(root, "") == PRODUCT
    assert product_in_production(root, "another") == "another"
    back = roll_back(root, PRODUCT, why="a test", port=free_port())
    assert current_release(root, PRODUCT) == CurrentRelease(first.hash, back.address, healthy=True)
    assert f"({first.hash[:12]}): rolled back by hand. {back.address}/" in capsys.readouterr().out
    assert roll_back(root, PRODUCT, to=second.hash[:8], why="a test").hash == second.hash


def test_a_server_of_older_code_gets_new_workers_and_refuses_nobody(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state, release = ReleaseState(root, PRODUCT), released(root)
    before, noted = running_server(state), server_note(state)
    assert before is not None
    assert noted is not None
    monkeypatch.setattr("flows.serve.is_outdated", lambda _: True)
    with steady_load(f"{before.address.url}/") as seen:
        after = serve(root, PRODUCT, free_port())
    assert seen.failed == 0, seen.failures[:3]
    assert after == before == running_server(state)
    renewed = server_note(state)
    assert renewed is not None
    old = {worker.process for worker in noted.workers}
    assert old.isdisjoint(worker.process for worker in renewed.staying)
    assert served_hash(after.address) == release.hash
    assert "older code" in capsys.readouterr().out


def test_code_is_older_when_a_file_of_it_is_another_than_the_server_began_with(
    tmp_path: Path,
) -> None:
    for folder in ("core", "runtime", "serving/static"):
        (tmp_path / "pipeline" / folder).mkdir(parents=True)
        (tmp_path / "pipeline" / folder / "file.py").write_text("")
    code = served_code(tmp_path)
    server = ServerProcess(process=this_process(), host="127.0.0.1", port=1, code=code)
    (tmp_path / "pipeline/core/file.py").touch()
    assert not is_outdated(server, tmp_path)
    (tmp_path / "pipeline/serving/static/page.js").write_text("")
    assert is_outdated(server, tmp_path)


def test_what_the_gate_did_not_pass_is_not_released(root: Path) -> None:
    missed = check("min_quality", limit=0.9, value=0.7, outcome="failed")
    verdict(missed, passed=False).save(root / "artifacts/gate/verdict.json")
    with pytest.raises(ReleaseError, match="not passed"):
        released(root)
    assert current_release(root, PRODUCT) is None
    assert [entry.event for entry in ledger.read(ReleaseState(root, PRODUCT).ledger)] == ["refused"]


def test_serving_before_the_first_release_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="make pipeline"):
        serve(tmp_path, PRODUCT, free_port())


def test_the_training_rows_are_kept_for_a_later_comparison(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {"id": "b", "cluster": "a", "split": "train"},
        {"id": "a", "cluster": "a", "split": "train"},
        {"id": "c", "cluster": "c", "split": "validation"},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "records.parquet")
    train = read_train_rows(tmp_path / "records.parquet")
    assert train == TrainRows(ids=["a", "b"], clusters=["a"])


def test_asking_what_is_current_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from flows.release import current_release;"
        "current_release(Path.cwd(), 'a-product');"
        "print([m for m in ('prefect', 'mlflow', 'torch', 'onnxruntime') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
