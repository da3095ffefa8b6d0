"""The benchmark of compression: its contenders, peers and folds, on tiny models."""

import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.compression import open_field
from benchmarks.support import folds as cross_fitting
from benchmarks.support.engines import LinearEngine, OnnxEngine, TorchEngine
from benchmarks.support.folds import built_folds, fold_splits
from benchmarks.support.hard_labels import HardLabelStudent
from benchmarks.support.peers import Peer, PeerEngine, PeerError
from benchmarks.support.turns import Turn, take_turn
from pipeline.core.errors import DataError, PipelineError
from pipeline.core.files import write_json
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.sections import SplitShares
from pipeline.data.tables import read_table
from pipeline.models import linear
from pipeline.runtime.task import Task
from pipeline.training.labelled_rows import read_split
from tests.support.example_artifacts import baseline_verdict
from tests.support.repository import REPOSITORY
from tests.support.tiny_workspace import compressed_workspace, write_parquet

Workspace = tuple[Params, Paths]


def test_every_row_is_tested_in_one_fold_with_all_of_its_cluster() -> None:
    clusters = [f"cluster {number // 2}" for number in range(2000)]
    shares = SplitShares(train=0.7, validation=0.1, test=0.2)
    splits = [fold_splits(clusters, number=n, folds=5, shares=shares) for n in range(5)]
    for row in range(2000):
        assert [split[row] for split in splits].count("test") == 1
    assert all(split[::2] == split[1::2] for split in splits)
    assert splits[0].count("test") / 2000 == pytest.approx(0.2, abs=0.05)
    assert splits[0].count("validation") / 2000 == pytest.approx(0.1, abs=0.05)


def test_the_versions_of_peers_are_pinned() -> None:
    for path in (REPOSITORY / "benchmarks" / "peers").glob("*.txt"):
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        assert all("==" in line for line in lines), path.name


@pytest.fixture
def peer(tmp_path: Path) -> Peer:
    """A peer of the standard library alone: it answers with the length of a text."""
    folder = tmp_path / "benchmarks"
    (folder / "support").mkdir(parents=True)
    (folder / "peers").mkdir()
    shutil.copy(REPOSITORY / "benchmarks" / "support" / "turns.py", folder / "support")
    (folder / "peers" / "tiny_peer.py").write_text(
        "import sys\n"
        "from benchmarks.support.turns import serve_turns\n"
        "if sys.argv[1] == 'learn':\n    sys.exit('nothing to learn from')\n"
        "if sys.argv[1] == 'brief':\n    sys.exit()\n"
        "serve_turns(len)\n"
    )
    (folder / "peers" / "tiny.txt").write_text("no-such-package==1\n")
    python = Peer(tmp_path, "tiny").environment / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    return Peer(tmp_path, "tiny")


def test_a_peer_takes_turns_in_its_own_environment(peer: Peer, tmp_path: Path) -> None:
    with PeerEngine(peer, tmp_path).turns(1) as take:
        assert take(Turn(["a", "bb"])) == [1.0, 2.0]
        assert len(take(Turn(["a"], requests=2))) == 2


def test_a_peer_that_ends_says_so_whenever_it_is_asked(peer: Peer) -> None:
    with peer.turns("brief", threads=1) as take:
        for _ in range(2):
            with pytest.raises(PeerError, match="process ended"):
                take(Turn(["a" * 100_000]))


def test_a_peer_that_fails_says_why(peer: Peer) -> None:
    with pytest.raises(PeerError, match="nothing to learn from"):
        peer.run("learn")


def test_an_environment_that_is_complete_is_left_alone(peer: Peer) -> None:
    wanted = (peer.root / "benchmarks" / "peers" / "tiny.txt").read_text()
    (peer.environment / ".complete").write_text(wanted)
    peer.install()  # made anew, it would ask for a package that there is none of
    assert (peer.environment / "bin" / "python").is_symlink()
    assert (peer.environment / ".complete").read_text() == wanted


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A built workspace of tiny models, its gate's choice and its baseline's C among them."""
    params, paths = compressed_workspace(tmp_path_factory)
    write_json(paths.output("gate") / "metrics.json", {"released": "pruned-int8"})
    baseline_verdict().save(paths.output("baseline") / "verdict.json")
    for name in ("student_tokenizer", "teacher_tokenizer"):
        shutil.copytree(paths.read("pretrain", "model"), paths.output("prepare") / name)
    return params, paths


def test_torch_and_onnx_answer_alike(workspace: Workspace) -> None:
    params, paths = workspace
    task = Task.from_settings(params.product, params.prepare)
    folder = paths.output("export") / "teacher"
    first = TorchEngine(paths.output("finetune") / "model", task).open(1)
    second = OnnxEngine(folder / "model.onnx", folder / "tokenizer.json", task).open(1)
    texts = read_split(paths.output("prepare") / "records.parquet", "test").texts
    assert take_turn(first, Turn(texts)) == take_turn(second, Turn(texts))


def test_the_linear_model_learns_its_rows_and_has_a_size(workspace: Workspace) -> None:
    params, paths = workspace
    records = paths.output("prepare") / "records.parquet"
    task = linear.LinearTask.of(params.product, params.baseline)
    engine = LinearEngine(records, 10.0, task)
    train = read_split(records, "train")
    assert take_turn(engine.open(1), Turn(train.texts)) == train.label_ids.tolist()
    assert engine.bytes() > 4 * len(train.texts)


def test_the_student_on_hard_labels_is_left_as_a_model(
    workspace: Workspace, tmp_path: Path
) -> None:
    params, paths = workspace
    place = {"kind": "folder", "path": str(paths.output("finetune") / "model"), "sha256": None}
    checkpoint = params.prepare.checkpoint.model_copy(update=place)
    changed = {
        "prepare": params.prepare.model_copy(update={"checkpoint": checkpoint}),
        "distill": params.distill.model_copy(update={"teacher_layers": [0]}),
    }
    student = HardLabelStudent(params.model_copy(update=changed), paths)
    folder = student.train(tmp_path / "hard", seed=1)
    tried = {path.name for path in tmp_path.iterdir()} - {"hard"}
    assert tried == {
        f"hard-{rate}-{start}"
        for rate in ("0.0001", "0.0003")
        for start in ("pretrained", "layers")
    }
    answer = TorchEngine(folder, Task.from_settings(params.product, params.prepare)).open(1)
    assert answer("a good film") in (0, 1)


@pytest.mark.soak
def test_contenders_are_got_together_and_an_absent_peer_says_why(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, paths = workspace

    def fail(_: Peer) -> None:
        raise PeerError("no network")

    monkeypatch.setattr(Peer, "install", fail)
    field = open_field(paths.root, paths, peers=["model2vec"])
    found = field.contenders(paths, tmp_path, seed=1)
    assert list(found) == [
        "teacher-torch", "teacher-fp32", "teacher-int8", "pruned-fp32", "pruned-int8",
        "student-torch", "hard-labels", "nblr", "model2vec",
    ]  # fmt: skip
    assert found["model2vec"].note == "left out: no network"
    assert found["nblr"].engine is not None
    with found["nblr"].engine.turns(1) as take:
        assert len(take(Turn(["a good film"], requests=2))) == 2


def test_without_a_build_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="make pipeline"):
        open_field(tmp_path, Paths(tmp_path), peers=[])


@pytest.fixture
def foldable(workspace: Workspace) -> Workspace:
    """The workspace with a corpus, and whole records whose labels the first word tells."""
    params, paths = workspace
    (paths.output("prepare") / "corpus").mkdir()
    write_parquet(paths.output("prepare") / "related.parquet", {"id": [], "text": [], "target": []})
    documents = {
        "id": [f"{1:016x}"],
        "text": ["This film was a very long story. It was not good at all."],
    }
    write_parquet(paths.output("label") / "corpus.parquet", documents)
    records = paths.output("prepare") / "records.parquet"
    rows = read_table(records)
    praised = [target == [1.0] for target in rows["target"]]
    rows["label"] = ["positive" if one else "negative" for one in praised]
    rows["text"] = [
        f"{'good' if one else 'bad'} {text.split()[0]}"
        for one, text in zip(praised, rows["text"], strict=True)
    ]
    write_parquet(records, rows)
    return params, paths


def test_a_fold_has_all_that_its_stages_read(
    foldable: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    params, paths = foldable
    monkeypatch.setattr(cross_fitting, "STAGES", ())
    tested: list[str] = []
    for fold in built_folds(params, paths, folds=2):
        tested += read_split(fold.read("prepare", "records.parquet"), "test").ids
        assert fold.read("pretrain", "model", "config.json").is_file()
        assert fold.read("prepare", "sentences.parquet").is_file()
        assert fold.read("prepare", "related.parquet").is_file()
    assert sorted(tested) == read_table(paths.output("prepare") / "records.parquet")["id"]


def test_a_fold_runs_the_stages_of_this_clone_and_not_twice(
    foldable: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    params, paths = foldable
    monkeypatch.setattr(cross_fitting, "STAGES", ("baseline",))
    # The repository's code in the place of the tiny workspace's, which has none.
    (paths.root / "pipeline").symlink_to(REPOSITORY / "pipeline")
    for _ in range(2):
        fold = next(built_folds(params, paths, folds=2))
        assert (fold.artifacts / "baseline" / "predictions.parquet").is_file()
    assert capsys.readouterr().out.count("baseline done") == 1


def test_a_stage_that_fails_in_a_fold_says_where_to_look(
    foldable: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    params, paths = foldable
    monkeypatch.setattr(cross_fitting, "STAGES", ("no_such_stage",))
    with pytest.raises(PipelineError, match=r"no_such_stage\.log"):
        next(built_folds(params, paths, folds=2))
