"""A bundle opens only if every byte is as it was written."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.cleaning import CLEANING
from pipeline.core.errors import ArtifactError
from pipeline.core.files import sha256_file
from pipeline.problem.decision import Decision
from pipeline.runtime.bundle import open_bundle, write_bundle
from pipeline.runtime.language_model import LanguageModel
from pipeline.runtime.task import Task
from pipeline.runtime.text_model import TextModel
from tests.support.tiny_bundle import (
    EXAMPLES,
    certify,
    describe,
    make_tiny_bundle,
    make_tiny_model,
    rewrite_description,
    tiny_task,
)
from tests.support.tiny_language import write_language_model


@pytest.fixture(name="folder")
def make_folder(tmp_path: Path) -> Path:
    make_tiny_bundle(tmp_path / "bundle")
    return tmp_path / "bundle"


def write(folder: Path, task: Task | None = None, **changes: Any) -> str:
    """Writes a bundle of a tiny model, with changes to what `write_bundle` is given."""
    model, tokenizer = make_tiny_model(folder.parent / "model")
    described = describe(model, tokenizer, tiny_task())
    given = {
        "model": model,
        "tokenizer": tokenizer,
        "description": replace(described, task=task or tiny_task()),
        "model_card": "",
        "certificate": certify(model, tokenizer),
    }
    return write_bundle(folder, **(given | changes))


def test_a_written_bundle_opens_with_its_hash_task_and_golden_answers(tmp_path: Path) -> None:
    written = make_tiny_bundle(tmp_path / "bundle")
    bundle = open_bundle(tmp_path / "bundle")
    assert bundle.hash == written == sha256_file(tmp_path / "bundle" / "manifest.json")
    assert bundle.task == tiny_task()
    assert len(bundle.description.golden) == 3
    assert bundle.description.pad_token_id == 0
    # The same content gives the same hash, and another model another.
    assert make_tiny_bundle(tmp_path / "again") == written
    assert make_tiny_bundle(tmp_path / "other", seed=1) != written


FILES = ["model.onnx", "tokenizer.json", "bundle.json", "MODEL_CARD.md", "certificate.json"]


def alter(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def link(file: Path) -> None:
    file.rename(file.parent.parent / file.name)
    file.symlink_to(file.parent.parent / file.name)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        *((alter, name) for name in FILES),
        *((Path.unlink, name) for name in [*FILES, "manifest.json"]),
        (Path.touch, "payload.bin"),  # the manifest does not name it
        (link, "model.onnx"),
    ],
)
def test_a_file_altered_missing_added_or_linked_is_refused_by_name(
    folder: Path, change: Callable[[Path], None], name: str
) -> None:
    change(folder / name)
    with pytest.raises(ArtifactError, match=name):
        open_bundle(folder)


@pytest.mark.parametrize(
    "manifest",
    ["", "[]", "{}", '{"files": []}', '{"files": {"../model.onnx": "00"}}', "[" * 100_000],
    ids=["empty", "list", "no files", "list of files", "path outside", "too deep"],
)
def test_a_manifest_that_makes_no_sense_is_refused(folder: Path, manifest: str) -> None:
    (folder / "manifest.json").write_text(manifest)
    with pytest.raises(ArtifactError, match="manifest"):
        open_bundle(folder)


def test_hashes_are_checked_before_any_other_file_is_parsed(folder: Path) -> None:
    (folder / "bundle.json").write_text("not JSON")
    with pytest.raises(ArtifactError, match="SHA-256"):
        open_bundle(folder)


WRONG: dict[str, list[object]] = {
    "labels": [["only"], [1, 2]],
    "max_length": [0, "128"],
    "format": [5],
    "problem": ["ranking"],
    "pairs": [None, True],
    "window_stride": [0],
    "segments": [None],
    "decision": [{}, {"thresholds": [0.5], "abstain_below": None}],
    "golden": [[{"text": "a"}]],
    "golden_tolerance": [None],
    "cleaning": [CLEANING + 1, -1, "1"],
    "note": ["by hand"],
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, v) for key, values in WRONG.items() for v in values]
)
def test_a_description_of_another_shape_does_not_open(
    folder: Path, key: str, value: object
) -> None:
    rewrite_description(folder, lambda written: written | {key: value})
    with pytest.raises(ArtifactError, match="format 4"):
        open_bundle(folder)


@pytest.mark.parametrize("key", ["labels", "pairs", "golden", "audience", "lineage", "scale"])
def test_a_description_that_lacks_a_key_does_not_open(folder: Path, key: str) -> None:
    rewrite_description(folder, lambda written: {k: v for k, v in written.items() if k != key})
    with pytest.raises(ArtifactError, match=key):
        open_bundle(folder)


CONTRADICTING = {"labels": ("only",), "max_length": 0, "window_stride": 0, "pairs": True}
CONTRADICTING |= {"decision": Decision((0.5,)), "problem": "ranking"}


@pytest.mark.parametrize("key", CONTRADICTING)
def test_a_description_that_contradicts_itself_is_not_written(tmp_path: Path, key: str) -> None:
    with pytest.raises(ArtifactError, match="format 4"):
        write(tmp_path / "bundle", replace(tiny_task(), **{key: CONTRADICTING[key]}))
    assert not (tmp_path / "bundle").exists()


def test_a_failed_write_leaves_the_old_bundle(folder: Path) -> None:
    written = open_bundle(folder).hash
    with pytest.raises(FileNotFoundError):
        write(folder, model=folder.parent / "absent.onnx")
    assert open_bundle(folder).hash == written
    assert {path.name for path in folder.parent.iterdir()} == {"bundle", "model"}


def test_a_bundle_of_format_3_is_not_written_without_its_certificate(tmp_path: Path) -> None:
    model, tokenizer = make_tiny_model(tmp_path / "model")
    for certificate in (None, {}, certify(tokenizer, model)):
        with pytest.raises(ArtifactError, match=r"certificate\.json"):
            write(tmp_path / "bundle", certificate=certificate)
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize("given", ["of another model", "none"])
def test_a_certificate_of_other_files_is_refused_even_if_the_manifest_names_it(
    tmp_path: Path, given: str
) -> None:
    for seed, name in enumerate(("bundle", "other")):
        make_tiny_bundle(tmp_path / name, seed=seed)
    certificate = tmp_path / "bundle" / "certificate.json"
    certificate.write_bytes((tmp_path / "other" / "certificate.json").read_bytes())
    files = json.loads((tmp_path / "bundle" / "manifest.json").read_text())["files"]
    files["certificate.json"] = sha256_file(certificate)
    if given == "none":
        certificate.unlink()
        del files["certificate.json"]
    (tmp_path / "bundle" / "manifest.json").write_text(json.dumps({"files": files}))
    with pytest.raises(ArtifactError, match=r"certificate\.json"):
        open_bundle(tmp_path / "bundle")


def test_what_was_verified_is_loaded_whatever_the_folder_holds_by_then(tmp_path: Path) -> None:
    files = [tmp_path / "language" / name for name in ("model.onnx", "tokenizer.json")]
    write_language_model(tmp_path / "language", "bert")
    make_tiny_bundle(tmp_path / "bundle", language_model=(files[0], files[1]))
    make_tiny_bundle(tmp_path / "other", seed=1)
    bundle = open_bundle(tmp_path / "bundle")
    (tmp_path / "bundle").rename(tmp_path / "verified")
    shutil.copytree(tmp_path / "other", tmp_path / "bundle")
    for path in (tmp_path / "verified").iterdir():
        if not path.name.startswith("language"):
            path.write_bytes(b"written after the check")
    model = TextModel.from_bundle(bundle, threads=1)
    assert bundle.description.golden_differences(model.answer) == []
    assert bundle.model_card.startswith("# Tiny model")
    # Days later, when somebody asks for it, and without the bytes that were loaded before.
    later = bundle.for_later()
    assert later.files.keys() == {"language_model.onnx", "language_tokenizer.json"}
    assert LanguageModel.from_bundle(later) is not None
    (tmp_path / "verified" / "language_model.onnx").write_bytes(b"written after the check")
    with pytest.raises(ArtifactError, match=r"language_model\.onnx was written into"):
        LanguageModel.from_bundle(later)


def test_a_bundle_of_format_3_reads_texts_as_they_come_and_one_of_format_4_cleans_them(
    tmp_path: Path,
) -> None:
    make_tiny_bundle(tmp_path / "old", bundle_format=3)
    make_tiny_bundle(tmp_path / "new")
    old, new = (
        TextModel.from_bundle(open_bundle(tmp_path / name), threads=1) for name in ("old", "new")
    )
    assert "cleaning" not in json.loads((tmp_path / "old" / "bundle.json").read_text())
    assert old.answer("b<i>ad</i>") != old.answer("bad") == new.answer("b<i>ad</i>")


def test_a_bundle_cleans_by_the_rules_that_it_names(tmp_path: Path) -> None:
    models = {}
    for rules in (0, 1, 2):
        make_tiny_bundle(tmp_path / f"{rules}", task=tiny_task(cleaning=rules))
        models[rules] = TextModel.from_bundle(open_bundle(tmp_path / f"{rules}"), threads=1)
    named = "good &lt;p&gt; film"
    assert models[1].answer(named) == models[0].answer("good film")
    assert models[2].answer(named) == models[0].answer("good <p> film")
    assert models[1].answer(named) != models[2].answer(named)


def test_a_bundle_of_format_2_opens_without_a_certificate(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "old", bundle_format=2)
    assert not (tmp_path / "old" / "certificate.json").exists()
    assert open_bundle(tmp_path / "old").task == tiny_task(cleaning=0)


def test_a_bundle_of_format_1_opens_and_answers_like_a_new_one(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "old", bundle_format=1)
    make_tiny_bundle(tmp_path / "new")
    old, new = (open_bundle(tmp_path / name) for name in ("old", "new"))
    assert "decision" not in json.loads((tmp_path / "old" / "bundle.json").read_text())
    assert old.task == replace(new.task, cleaning=0)
    answers = [TextModel.from_bundle(bundle, threads=1).predict(EXAMPLES) for bundle in (old, new)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("problem", ["multi_label", "regression"])
def test_the_task_comes_back_from_the_bundle(tmp_path: Path, problem: str) -> None:
    decision = Decision((0.4, 0.6), 0.1) if problem == "multi_label" else Decision()
    task = tiny_task(problem, pairs=True, window_stride=4, decision=decision)
    make_tiny_bundle(tmp_path / "bundle", task=task)
    assert open_bundle(tmp_path / "bundle").task == task
