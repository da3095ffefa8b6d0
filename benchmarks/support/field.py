"""The models that benchmarks.compression compares: a build's, peers, and one trained here."""

import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.support.engines import Engine, LinearEngine, OnnxEngine, TorchEngine
from benchmarks.support.hard_labels import HardLabelStudent
from benchmarks.support.peer_table import HARD_LABELS, LINEAR, MODEL2VEC, OPTIMUM, STUDENT, TEACHER
from benchmarks.support.peers import Peer, PeerEngine, PeerError
from flows.planning.machine import describe_machine
from pipeline.compression.int8 import zipped_bytes
from pipeline.core.artifacts.data_reports import BaselineVerdict
from pipeline.core.files import write_text
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.variants import NAIVE_BAYES, TOKENIZER_FILE, WEIGHTS_FILE, Variant
from pipeline.models import linear
from pipeline.models.pretrained import resolve_checkpoint
from pipeline.runtime.task import Task
from pipeline.training.labelled_rows import read_split

PEERS = ("model2vec", "optimum")
_PRESETS = {"avx512_vnni": "avx512_vnni", "avx512f": "avx512", "avx2": "avx2", "asimd": "arm64"}
"""Instruction set → optimum's preset, the best first."""


@dataclass(frozen=True)
class Contender:
    """A model in the comparison.

    Attributes:
        engine: None if it could not be made; `note` says why.
        bytes: size of its weights files; None if unknown.
        zipped: their size after zlib.
    """

    engine: Engine | None = None
    bytes: int | None = None
    zipped: int | None = None
    note: str = ""

    @classmethod
    def of_files(cls, engine: Engine, *files: Path) -> "Contender":
        """A contender whose weights are in `files`."""
        sizes = [file.stat().st_size for file in files]
        return cls(engine, bytes=sum(sizes), zipped=sum(map(zipped_bytes, files)))


@dataclass(frozen=True, kw_only=True)
class Field:
    """Makes the contenders from a build.

    Attributes:
        root: the clone, where peers have their environments.
        release: `<model>-<precision>` of the variant that the gate chose.
        peers: names of the peers to compare with.
    """

    root: Path
    params: Params
    release: str
    peers: tuple[str, ...]

    def contenders(self, paths: Paths, work: Path, *, seed: int) -> dict[str, Contender]:
        """The contenders by name, in the order of the table.

        Args:
            paths: of a build.
            work: folder for the models that are trained here.
            seed: of the student on hard labels.
        """
        model = self.release.split("-")[0]
        onnx = [("teacher", "fp32"), ("teacher", "int8"), (model, "fp32"), (model, "int8")]
        found = {TEACHER: self._torch(Variant("teacher", "torch"), paths)}
        found |= {f"{name}-{precision}": self._onnx(Variant(name, precision), paths)
                  for name, precision in onnx}  # fmt: skip
        found[STUDENT] = self._torch(Variant("student", "torch"), paths)
        student = HardLabelStudent.read(self.params, paths).train(work / "hard-labels", seed=seed)
        hard_labels = TorchEngine(student, self._task)
        found[HARD_LABELS] = Contender.of_files(hard_labels, student / WEIGHTS_FILE)
        found[LINEAR] = self._linear(paths)
        makers = {"optimum": (OPTIMUM, self._optimum),
                  "model2vec": (MODEL2VEC, self._model2vec)}  # fmt: skip
        for peer, (name, make) in makers.items():
            if peer in self.peers:
                try:
                    found[name] = make(paths, work)
                except PeerError as error:
                    say(f"{name}  left out: {error}")
                    found[name] = Contender(note=f"left out: {error}")
        return found

    @property
    def _task(self) -> Task:
        return Task.from_settings(self.params.product, self.params.prepare)

    def _torch(self, variant: Variant, paths: Paths) -> Contender:
        engine = TorchEngine(variant.folder(paths), self._task)
        return Contender.of_files(engine, variant.file(paths))

    def _onnx(self, variant: Variant, paths: Paths) -> Contender:
        tokenizer = variant.folder(paths) / TOKENIZER_FILE
        engine = OnnxEngine(variant.file(paths), tokenizer, self._task)
        return Contender.of_files(engine, variant.file(paths))

    def _linear(self, paths: Paths) -> Contender:
        chosen = BaselineVerdict.read(paths).regularisation[NAIVE_BAYES]
        task = linear.LinearTask.of(self.params.product, self.params.baseline)
        engine = LinearEngine(paths.read("prepare", "records.parquet"), chosen, task)
        return Contender(engine, engine.bytes())

    def _optimum(self, paths: Paths, work: Path) -> Contender:
        peer, folder = Peer(self.root, "optimum"), work / "optimum"
        sets = describe_machine()["instruction_sets"]
        preset = next((name for kind, name in _PRESETS.items() if kind in sets), "avx2")
        peer.install()
        say(f"{OPTIMUM}  preset {preset}")
        teacher = paths.read("finetune", "model")
        peer.run(teacher, folder, preset)
        file = folder / "model_quantized.onnx"
        engine = OnnxEngine(file, teacher / TOKENIZER_FILE, self._task)
        return Contender.of_files(engine, file)

    def _model2vec(self, paths: Paths, work: Path) -> Contender:
        peer, folder = Peer(self.root, "model2vec"), work / "model2vec"
        peer.install()
        say(f"{MODEL2VEC}  is trained")
        rows = {}
        for name in ("train", "validation"):
            split = read_split(paths.read("prepare", "records.parquet"), name)
            rows[name] = {"texts": split.texts, "labels": split.label_ids.tolist()}
        write_text(work / "rows.json", json.dumps(rows))
        checkpoint = resolve_checkpoint(self.params.prepare.checkpoint)
        peer.run("learn", checkpoint, work / "rows.json", folder)
        engine = PeerEngine(peer, folder)
        return Contender.of_files(engine, *sorted(folder.glob("*.safetensors")))
