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
    """A model in the comparison, its `engine` None if it could not be made; `note` says why.

    Attributes:
        bytes, zipped: size of its weights files, and their size after zlib; None if unknown.
    """

    engine: Engine | None = None
    bytes: int | None = None
    zipped: int | None = None
    note: str = ""

    @classmethod
    def of_files(cls, engine: Engine, *files: Path) -> "Contender":
        size = sum(file.stat().st_size for file in files)
        return cls(engine, bytes=size, zipped=sum(map(zipped_bytes, files)))


@dataclass(frozen=True, kw_only=True)
class Field:
    """Makes the contenders from a build in the clone `root`, where peers have their environments.

    Attributes:
        release: `<model>-<precision>` of the variant that the gate chose.
    """

    root: Path
    params: Params
    release: str
    peers: tuple[str, ...]

    def contenders(self, paths: Paths, work: Path, *, seed: int) -> dict[str, Contender]:
        """The contenders of a build by name, in the order of the table.

        Args:
            work: folder for the models that are trained here.
            seed: of the student on hard labels.
        """
        model = self.release.split("-")[0]
        own = (TEACHER, "teacher-fp32", "teacher-int8", f"{model}-fp32", f"{model}-int8", STUDENT)
        found = {name: self._built(Variant(*name.split("-")), paths) for name in own}
        student = HardLabelStudent(self.params, paths).train(work / "hard-labels", seed=seed)
        hard_labels = TorchEngine(student, self._task)
        found[HARD_LABELS] = Contender.of_files(hard_labels, student / WEIGHTS_FILE)
        found[LINEAR] = self._linear(paths)
        makers = {"optimum": (OPTIMUM, self._optimum), "model2vec": (MODEL2VEC, self._model2vec)}
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

    def _built(self, variant: Variant, paths: Paths) -> Contender:
        folder, file = variant.folder(paths), variant.file(paths)
        if variant.is_onnx:
            return Contender.of_files(OnnxEngine(file, folder / TOKENIZER_FILE, self._task), file)
        return Contender.of_files(TorchEngine(folder, self._task), file)

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
        return Contender.of_files(OnnxEngine(file, teacher / TOKENIZER_FILE, self._task), file)

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
        return Contender.of_files(PeerEngine(peer, folder), *sorted(folder.glob("*.safetensors")))
