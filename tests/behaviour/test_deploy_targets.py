"""The image's recipe and the manifests agree with the server, and with the schemas of Kubernetes."""

import copy
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from pipeline.serving.drain import GRACE_SECONDS
from pipeline.serving.guard import FREE
from pipeline.serving.options import ServerOptions, read_options
from tests.support.image_recipe import (
    DOCKERFILE,
    chain_of,
    environment_of,
    installed_extra,
    read_stages,
    started_by,
    user_of,
)
from tests.support.pods import (
    KSERVE,
    KSERVE_FIELDS,
    KUBERNETES,
    manifests,
    pods,
    read_manifest,
    unrestricted,
)
from tests.support.repository import REPOSITORY

SCHEMAS = "1.34"
"""Version of Kubernetes whose schemas the manifests are held against."""
END_SECONDS = GRACE_SECONDS + 3
"""What a worker takes at most once the drain time is over (docs/guide/operations.md)."""
_PLACES = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
HADOLINT = shutil.which("hadolint", path=os.pathsep.join(_PLACES))
each_pod = pytest.mark.parametrize("maker", ["deployment", "kserve"])


def server_of(pod: dict[str, Any]) -> dict[str, Any]:
    (container,) = pod["containers"]
    return dict(container)


def options_of(pod: dict[str, Any]) -> ServerOptions:
    return read_options(server_of(pod)["args"])


# ---- the image ---------------------------------------------------------------------------


def test_the_last_stage_adds_a_release_to_the_server_and_runs_nothing() -> None:
    stages = read_stages(DOCKERFILE.read_text(encoding="utf-8"))
    assert [stage.name for stage in chain_of(stages, "release")] == ["server", "release"]
    assert installed_extra(stages["build"]) == ".[serve]"
    for name in ("server", "release"):
        assert stages[name].texts("RUN") == []
        assert stages[name].texts("ADD") == []
        assert all(copied.startswith("--from=") for copied in stages[name].texts("COPY"))


def test_a_container_is_no_root_and_starts_the_server_with_options_that_it_knows() -> None:
    chain = chain_of(read_stages(DOCKERFILE.read_text(encoding="utf-8")), "release")
    command = started_by(chain)
    assert user_of(chain) == (65534, 65534)
    assert command[:3] == ["python", "-m", "pipeline.serving.server"]
    options = read_options(command[3:])
    assert options == options_of(pods()["deployment"])
    assert f"/models/{options.bundle.name if options.bundle else ''}/" in " ".join(
        chain[-1].texts("COPY")
    )
    assert environment_of(chain)["PYTHONSAFEPATH"] == "1"


def test_the_build_sees_what_it_copies_and_nothing_else() -> None:
    build = read_stages(DOCKERFILE.read_text(encoding="utf-8"))["build"]
    copied = {source for text in build.texts("COPY") for source in text.split()[:-1]}
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    assert kept == copied
    assert all((REPOSITORY / name).exists() for name in copied)


@pytest.mark.skipif(HADOLINT is None, reason="no hadolint for this system")
def test_hadolint_has_nothing_to_say_of_the_dockerfile() -> None:
    linted = subprocess.run(
        [str(HADOLINT), str(DOCKERFILE)], capture_output=True, text=True, check=False
    )
    assert (linted.stdout, linted.returncode) == ("", 0)


# ---- the manifests -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", manifests())
def test_each_manifest_fits_the_schema_of_its_kind(kind: str) -> None:
    kubernetes_validate.validate(manifests()[kind], SCHEMAS, strict=True)


def test_the_predictor_of_kserve_is_a_pod_with_fields_of_kserve() -> None:
    service = read_manifest(KSERVE)
    predictor = service["spec"]["predictor"]
    assert (service["apiVersion"], service["kind"]) == (
        "serving.kserve.io/v1beta1",
        "InferenceService",
    )
    assert service["spec"].keys() == {"predictor"}
    assert {
        name: type(predictor[name]) for name in KSERVE_FIELDS if name in predictor
    } == KSERVE_FIELDS
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": pods()["kserve"]}
    kubernetes_validate.validate({**pod, "metadata": {"name": "predictor"}}, SCHEMAS, strict=True)


def test_a_misspelt_field_does_not_pass() -> None:
    wrong = copy.deepcopy(manifests()["Deployment"])
    wrong["spec"]["template"]["spec"]["terminationGracePeriod"] = 30
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, SCHEMAS, strict=True)


@each_pod
def test_a_pod_is_restricted_and_writes_nowhere(maker: str) -> None:
    assert [*unrestricted(pods()[maker])] == []


@pytest.mark.parametrize(
    "loosen",
    [
        lambda pod: pod["securityContext"].pop("runAsNonRoot"),
        lambda pod: pod["securityContext"].pop("seccompProfile"),
        lambda pod: server_of(pod)["securityContext"].pop("readOnlyRootFilesystem"),
        lambda pod: server_of(pod)["securityContext"].pop("allowPrivilegeEscalation"),
        lambda pod: server_of(pod)["securityContext"]["capabilities"].pop("drop"),
        lambda pod: pod["volumes"].append({"name": "host", "hostPath": {"path": "/"}}),
    ],
)
def test_a_pod_that_may_more_is_noticed(loosen: Callable[[dict[str, Any]], object]) -> None:
    pod = copy.deepcopy(pods()["deployment"])
    loosen(pod)
    assert len([*unrestricted(pod)]) == 1


@each_pod
def test_probes_ask_routes_that_need_no_token(maker: str) -> None:
    server = server_of(pods()[maker])
    probes = [
        server[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")
    ]
    ports = {each.get("name", each["containerPort"]) for each in server["ports"]}
    assert {probe["path"] for probe in probes} <= FREE
    assert {probe["port"] for probe in probes} <= ports
    assert {each["containerPort"] for each in server["ports"]} == {options_of(pods()[maker]).port}


@each_pod
def test_a_pod_that_ends_is_known_to_be_unready_before_its_door_closes(maker: str) -> None:
    pod = pods()[maker]
    probe, drain = server_of(pod)["readinessProbe"], options_of(pod).drain
    noticed = probe["periodSeconds"] * probe["failureThreshold"] + probe["timeoutSeconds"]
    assert noticed < drain
    assert pod["terminationGracePeriodSeconds"] >= drain + END_SECONDS + 2


@each_pod
def test_token_and_public_key_are_files_of_mounted_volumes(maker: str) -> None:
    pod = pods()[maker]
    server = server_of(pod)
    variables = {each["name"]: each["value"] for each in server["env"]}
    mounts = {each["mountPath"] for each in server["volumeMounts"]}
    files = [variables["MODELYARD_TOKEN_FILE"], variables["MODELYARD_PUBLIC_KEY"]]
    assert {file.rpartition("/")[0] for file in files} == mounts
    assert {each["name"] for each in server["volumeMounts"]} == {
        each["name"] for each in pod["volumes"]
    }
    assert variables["MODELYARD_SIGNATURES"] == "require"


def test_both_targets_run_the_same_server() -> None:
    ours, theirs = (server_of(pods()[maker]) for maker in ("deployment", "kserve"))
    for name in ("args", "env", "resources", "securityContext", "volumeMounts"):
        assert ours[name] == theirs[name], name


def test_service_policy_and_budget_choose_the_deployments_pods_and_no_others() -> None:
    found = manifests()
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert labels
    assert found["Deployment"]["spec"]["selector"] == {"matchLabels": labels}
    assert found["Service"]["spec"]["selector"] == labels
    assert found["NetworkPolicy"]["spec"]["podSelector"] == {"matchLabels": labels}
    assert found["PodDisruptionBudget"]["spec"]["selector"] == {"matchLabels": labels}
    assert found["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "modelyard"
    assert found["NetworkPolicy"]["spec"]["egress"] == []


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on this machine")
def test_kustomize_builds_every_manifest_with_the_tag_of_the_release() -> None:
    command = ["kubectl", "kustomize", str(KUBERNETES)]
    built = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {each["kind"]: each for each in yaml.safe_load_all(built)}
    assert found.keys() == manifests().keys()
    image = server_of(found["Deployment"]["spec"]["template"]["spec"])["image"]
    assert image == "modelyard:release"
