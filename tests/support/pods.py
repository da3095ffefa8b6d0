"""The pods that the manifests of deploy/ describe, and what Kubernetes' restricted standard asks of them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support.repository import REPOSITORY

KUBERNETES = REPOSITORY / "deploy" / "kubernetes"
KSERVE = REPOSITORY / "deploy" / "kserve" / "inference_service.yaml"
KSERVE_FIELDS: Mapping[str, type] = {
    "minReplicas": int,
    "maxReplicas": int,
    "scaleMetric": str,
    "scaleTarget": int,
}
"""What a predictor may say beside the fields of a pod, as far as we use it: KServe's ComponentExtensionSpec."""


def read_manifest(path: Path) -> dict[str, Any]:
    """The one object of a manifest."""
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def manifests() -> dict[str, dict[str, Any]]:
    """The objects that the kustomization names, by kind."""
    listed = read_manifest(KUBERNETES / "kustomization.yaml")["resources"]
    found = [read_manifest(KUBERNETES / name) for name in listed]
    return {each["kind"]: each for each in found}


def pods() -> dict[str, dict[str, Any]]:
    """The pod specifications by who makes the pods: the Deployment, and KServe's predictor without its own fields."""
    predictor = read_manifest(KSERVE)["spec"]["predictor"]
    return {
        "deployment": manifests()["Deployment"]["spec"]["template"]["spec"],
        "kserve": {key: value for key, value in predictor.items() if key not in KSERVE_FIELDS},
    }


def unrestricted(pod: Mapping[str, Any]) -> Iterator[str]:
    """What keeps a pod from Kubernetes' restricted standard, and from a read-only file system."""
    of_pod = pod.get("securityContext", {})
    if not of_pod.get("runAsNonRoot") or not of_pod.get("runAsUser"):
        yield "may run as root"
    if of_pod.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "any system call"
    for volume in pod.get("volumes", ()):
        if not {"secret", "configMap", "emptyDir", "persistentVolumeClaim"} & volume.keys():
            yield f"the volume {volume['name']}"
    for container in pod["containers"]:
        own = container.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False:
            yield "may gain privileges"
        if own.get("capabilities", {}).get("drop") != ["ALL"] or own["capabilities"].get("add"):
            yield "has capabilities"
        if own.get("readOnlyRootFilesystem") is not True:
            yield "may write to its file system"
