"""gate releases what meets the product's requirements, and says plainly why or why not."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline import evaluate, gate, measure
from pipeline.core.artifacts.certificates import Certificate
from pipeline.core.artifacts.data_reports import Manifest, TeacherTraining
from pipeline.core.artifacts.variant_reports import Scorecard, Timings
from pipeline.core.artifacts.verdicts import Verdict
from pipeline.core.errors import ArtifactError, PipelineError
from pipeline.core.files import read_json, sha256_tree, write_json
from pipeline.core.params import Params, parse_params
from pipeline.core.paths import Paths
from pipeline.core.provenance import lineage
from pipeline.core.variants import Variant
from pipeline.report.model_card import Release, model_card
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.text_model import TextModel
from tests.support.killed_stage import python
from tests.support.small_disk import small_disk
from tests.support.tiny_workspace import at, compressed_workspace, write_settings

EASY = {
    "min_quality": 0.1,
    "max_quality_drop": 0.9,
    "latency_p95_ms": 1000.0,
    "size_mb": 50.0,
    "memory_mb": 2000.0,
    "max_slice_gap": 1.0,
    "max_swap_gap": 1.0,
}


def requiring(params: Params, **limits: float) -> Params:
    values = params.model_dump(by_alias=True)
    values["product"]["requirements"].update(EASY | limits)
    return parse_params(values)


def verdict_of(paths: Paths) -> Any:
    return read_json(paths.read("gate", "verdict.json"))


def certificate_of(paths: Paths) -> Any:
    return read_json(paths.read("gate", "bundle", "certificate.json"))


def card_of(paths: Paths) -> str:
    return (paths.read("gate", "bundle") / "MODEL_CARD.md").read_text(encoding="utf-8")


def copy_of(paths: Paths, target: Path) -> Paths:
    shutil.copytree(paths.root, target / "copy")
    return Paths(root=target / "copy")


@contextmanager
def edited(file: Path) -> Iterator[Any]:
    """The content of a JSON file, which is written back."""
    content = read_json(file)
    yield content
    write_json(file, content)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Params, Paths]:
    params, paths = compressed_workspace(tmp_path_factory)
    evaluate.run(params, at(paths, "evaluate"))
    measure.run(params, at(paths, "measure"))
    gate.run(requiring(params), at(paths, "gate"))
    return params, paths


def test_the_released_variant_is_small_and_its_bundle_answers_its_golden_requests(built) -> None:
    verdict, bundle = verdict_of(built[1]), open_bundle(built[1].read("gate", "bundle"))
    assert verdict["passed"]
    assert verdict["released"] == bundle.description.variant
    assert len(bundle.description.golden) == 8
    model = TextModel.from_bundle(bundle, threads=1)
    assert bundle.description.golden_differences(model.answer) == []
    hashed = {name.removesuffix("_sha256") for name in bundle.description.lineage}
    assert hashed == {"records", "code_lock", "params"}


def test_the_bill_of_materials_is_cyclonedx_and_names_what_the_model_was_made_from(built) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    params, paths = built
    folder = paths.read("gate", "bundle")
    text = (folder / "bom.cdx.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = read_json(folder / "bom.cdx.json")
    parts = {part["bom-ref"]: part for part in bill["components"]}
    for source in Manifest.read(paths).sources:
        part = parts[f"data:{source.name}"]
        assert part["hashes"][0]["content"] == source.sha256
        assert source.licence in str(part["licenses"])
    assert parts["checkpoint"]["name"] == params.prepare.checkpoint.name
    assert "torch" in parts["library:torch"]["purl"]
    files = read_json(folder / "manifest.json")["files"]
    packed = {p["name"]: p["hashes"][0]["content"] for p in parts.values() if p["type"] == "file"}
    assert packed == {name: digest for name, digest in files.items() if name != "bom.cdx.json"}
    model = bill["metadata"]["component"]
    measured = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert {figure["slice"] for figure in measured} == {"validation", "test"}
    stated = {entry["name"].removeprefix("modelyard:") for entry in model["properties"]}
    assert stated == lineage(params, paths).keys()
    refs = {entry["ref"] for entry in model["modelCard"]["modelParameters"]["datasets"]}
    assert refs <= parts.keys()


def test_test_quality_stands_at_the_baselines_the_teacher_and_the_released_variant_alone(
    built,
) -> None:
    _, paths = built
    released = verdict_of(paths)["released"]
    entries = read_json(paths.read("gate", "scorecard.json"))["variants"]
    assert len(entries) == 13
    scored = {entry["name"] for entry in entries if "test" in entry["quality"]}
    of_models = {name for name in scored if not name.startswith("baseline-")}
    assert of_models == {"teacher-torch", released}
    baseline = next(e for e in entries if e["name"] == "baseline-nblr")
    assert baseline["size_bytes"] is None
    assert baseline["latency_ms"] is None


def test_every_check_of_the_verdict_has_the_keys_of_the_contract(built) -> None:
    _, paths = built
    checks = verdict_of(paths)["checks"]
    proofs = {"licences", "certificates", "data_reject_share"}
    assert {check["name"].split(":")[0] for check in checks} == EASY.keys() | proofs
    for check in checks:
        assert set(check) == {"name", "limit", "value", "interval", "unit", "outcome"}


def test_copies_which_have_a_limit_of_their_own_do_not_count_as_rejected(
    built, tmp_path: Path
) -> None:
    params, paths = built[0], copy_of(built[1], tmp_path)
    with edited(paths.output("validate") / "report.json") as report:
        report["labelled"] |= {"rows_out": 113, "rejects": {"empty": 1, "copy of another row": 6}}
        report["shares"]["copies"] = 0.05
    gate.run(requiring(params), at(paths, "gate"))
    [check] = [c for c in verdict_of(paths)["checks"] if c["name"] == "data_reject_share"]
    assert (check["value"], check["limit"]) == (0.008333, 0.05)


def test_a_second_run_has_the_same_bytes(built) -> None:
    params, paths = built
    before = sha256_tree(paths.output("gate"))
    gate.run(requiring(params), at(paths, "gate"))
    assert sha256_tree(paths.output("gate")) == before


def test_the_card_tells_origin_waiver_intervals_and_certificates(built) -> None:
    card = card_of(built[1])
    for part in ("demonstration only", "Apache-2.0", "with negation", "batch 1, 1 thread, "):
        assert part in card
    assert card.index("## Quality") < card.index("## Lineage")
    section = card[card.index("## Certificates") : card.index("## Speed")]
    for part in ("against torch", "MatMulInteger", "its own float32", "temperature", "bit for bit"):
        assert part in section
    assert "40 unlabelled texts (30 sentences of the corpus, 10 validation texts)" in section


@pytest.fixture(scope="module")
def release(built) -> Release:
    """The release that `built` has packed, to write other cards of it."""
    params, paths = requiring(built[0]), built[1]
    verdict = Verdict.read(paths)
    return Release(
        params=params,
        variant=Variant(*verdict.released.split("-")),
        scorecard=Scorecard.read(paths),
        verdict=verdict,
        certificate=Certificate.read(paths),
        sources=Manifest.read(paths).sources,
        has_corpus=True,
        origin=TeacherTraining.read(paths),
        machine=Timings.read(paths).machine,
        lineage=lineage(params, paths),
    )


def test_the_card_says_whose_weights_the_student_started_from(built, release: Release) -> None:
    assert model_card(release) == card_of(built[1])
    params, told = release.params, {}
    for start, layers in (("checkpoint", None), ("random", None), ("random", [1])):
        pretrain = params.pretrain.model_copy(update={"start": start})
        distill = params.distill.model_copy(update={"teacher_layers": layers})
        changed = params.model_copy(update={"pretrain": pretrain, "distill": distill})
        card = model_card(replace(release, params=changed))
        section = card[card.index("## Training") : card.index("## Quality")]
        told[start if layers is None else "teacher"] = section
    assert "starts from layers and embeddings of all-minilm-l6-v2" in told["checkpoint"]
    assert "starts from" not in told["random"]
    assert "starts from layers, embeddings and head of the fine-tuned teacher" in told["teacher"]
    assert "the licence of all-minilm-l6-v2, Apache-2.0, holds" in told["teacher"]


def test_the_card_says_where_there_was_no_corpus(release: Release) -> None:
    card = model_card(replace(release, has_corpus=False))
    assert "There was no corpus of unlabelled texts" in card
    assert (
        "unlabelled text"
        not in card[card.index("The released model is") :].partition("There was no corpus")[0]
    )
    assert "There was no corpus" not in model_card(release)


def test_the_card_says_how_the_teacher_learned(release: Release) -> None:
    def card(**taught: Any) -> str:
        plain = {"related_rows": 0, "adapted_tokens": 0, "seeds": {"1": 0.8}, "kept": "mean"}
        return model_card(replace(release, origin=TeacherTraining(**plain | taught)))

    told = {0: card(), 1234: card(related_rows=1234, adapted_tokens=2000)}
    assert "adapted to 2,000 tokens of the domain by masked language modelling" in told[1234]
    assert "adapted" not in told[0]
    assert "fine-tuned first on the labels of 1,234 corpus documents, then on" in told[1234]
    assert "fine-tuned on the labelled rows" in told[0]
    assert "trainings" not in told[0]
    two = {"1": 0.8, "2": 0.9}
    assert "Of 2 such trainings the mean of the weights is taken" in card(seeds=two)
    assert "Of 2 such trainings the best on validation is taken" in card(seeds=two, kept="best")


def test_an_impossible_requirement_gives_a_table_and_leaves_the_bundle_alone(built) -> None:
    params, paths = built
    before = sha256_tree(paths.output("gate"))
    with pytest.raises(PipelineError) as caught:
        gate.run(requiring(params, size_mb=0.000001, min_quality=1.0), at(paths, "gate"))
    message = str(caught.value)
    for part in ("nearest first", "short by", "size_mb", "min_quality", "student-int8", "next:"):
        assert part in message
    assert sha256_tree(paths.output("gate")) == before


def test_a_limit_inside_the_interval_is_inconclusive_and_named(built, tmp_path: Path) -> None:
    params, paths = built[0], copy_of(built[1], tmp_path)
    card = {e["name"]: e for e in read_json(paths.read("evaluate", "variants.json"))["variants"]}
    accuracy = min(
        entry["quality"]["validation"]["accuracy"]
        for name, entry in card.items()
        if name.endswith(("fp32", "int8"))
    )
    gate.run(requiring(params, min_quality=accuracy), at(paths, "gate"))
    verdict = verdict_of(paths)
    check = next(c for c in verdict["checks"] if c["name"] == "min_quality")
    low, high = check["interval"]
    assert low < accuracy < high
    assert check["outcome"] == "inconclusive" or low >= accuracy
    assert ("Inconclusive" in verdict["reason"]) == any(
        c["outcome"] == "inconclusive" for c in verdict["checks"]
    )


@pytest.mark.parametrize("damage", ["missing", "not passed"])
def test_a_variant_without_its_certificate_is_not_released(built, tmp_path, damage) -> None:
    root = copy_of(built[1], tmp_path)
    with edited(root.output("quantize") / "certificate.json") as certificate:
        for entry in certificate["models"].values():
            entry["passed"] = False
        if damage == "missing":
            certificate["models"].clear()
    gate.run(requiring(built[0]), at(root, "gate"))
    verdict = verdict_of(root)
    assert verdict["released"].endswith("-fp32")
    assert not verdict["considered"]["student-int8"]["qualifies"]


def test_the_certificate_says_all_that_was_proved_of_the_released_files(built) -> None:
    _, paths = built
    bundle = open_bundle(paths.read("gate", "bundle"))
    certificate = certificate_of(paths)
    model = bundle.description.variant.split("-")[0]
    exported = read_json(paths.read("export", "certificate.json"))["models"][model]
    assert certificate["parity"] == exported
    assert "padded batch against each text alone" in certificate["parity"]["differences"]
    assert certificate["operators"]["operators"]["MatMulInteger"] > 0
    assert certificate["agreement"]["rows"] == 60
    assert 0 <= certificate["agreement"]["value"] <= 1
    assert certificate["calibration"]["temperature"] > 0
    assert certificate["files"] == {
        "model.onnx": bundle.model.sha256,
        "tokenizer.json": bundle.tokenizer.sha256,
    }


def test_what_int8_and_compression_cost_is_told_in_points_with_intervals(built) -> None:
    drop = certificate_of(built[1])["quality_drop"]
    checks = {check["name"]: check for check in verdict_of(built[1])["checks"]}
    lost = checks["max_quality_drop"]
    assert drop["to_teacher"]["value"] == pytest.approx(100 * lost["value"])
    assert drop["to_teacher"]["interval"] == pytest.approx([100 * end for end in lost["interval"]])
    low, high = drop["to_own_fp32"]["interval"]
    assert low <= drop["to_own_fp32"]["value"] <= high


def test_int8_would_answer_otherwise_in_batches_and_is_served_alone(built) -> None:
    told = certificate_of(built[1])["batch_invariance"]
    assert (told["passed"], told["served"]) == (True, "alone")
    assert told["one_request"]["largest_change"] == 0.0
    assert all(change["largest_change"] > 0 for change in told["batched"].values())
    assert (told["texts"], told["from"]) == (40, {"corpus": 30, "validation": 10})


@pytest.mark.parametrize("key", ["operators", "differences", "pad_token_id"])
def test_a_certificate_that_leaves_something_out_stops_the_release_and_leaves_the_bundle_alone(
    built, tmp_path, key: str
) -> None:
    root = copy_of(built[1], tmp_path)
    stage = "quantize" if key == "operators" else "export"
    with edited(root.output(stage) / "certificate.json") as certificate:
        for entry in certificate["models"].values():
            del entry[key]
    before = sha256_tree(root.output("gate"))
    with pytest.raises(ArtifactError, match=f"without {key}"):
        gate.run(requiring(built[0]), at(root, "gate"))
    assert sha256_tree(root.output("gate")) == before


def test_a_source_of_unwaived_licence_stops_the_release(built, tmp_path) -> None:
    root = copy_of(built[1], tmp_path)
    with edited(root.output("collect") / "manifest.json") as manifest:
        manifest["sources"][0]["name"] = "found-somewhere"
    with pytest.raises(PipelineError, match="licences"):
        gate.run(requiring(built[0]), at(root, "gate"))


@pytest.mark.soak
def test_a_full_disk_is_one_message_and_with_room_the_bundle_is_the_same(
    built: tuple[Params, Paths], tmp_path: Path
) -> None:
    paths = copy_of(built[1], tmp_path)
    write_settings(paths.root, requiring(built[0]).model_dump(by_alias=True))
    whole = python(paths.root, "-m", "pipeline.gate")
    assert whole.returncode == 0, whole.stderr
    undisturbed = sha256_tree(paths.read("gate", "bundle"))
    bundle = paths.read("gate", "bundle")
    shutil.rmtree(paths.output("gate"))
    with small_disk(paths.output("gate"), kilobytes=100) as disk:
        failed = python(paths.root, "-m", "pipeline.gate")
        assert failed.returncode == 1, failed.stdout + failed.stderr
        assert "gate failed\n  got: the disk is full: " in failed.stderr
        assert str(paths.output("gate")) in failed.stderr
        assert "bytes are free there" in failed.stderr
        assert "Traceback" not in failed.stderr
        assert not bundle.exists()
        disk.grow()
        done = python(paths.root, "-m", "pipeline.gate")
        assert done.returncode == 0, done.stderr
        assert sha256_tree(bundle) == undisturbed
