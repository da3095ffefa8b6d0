"""The registry: each released bundle as one MLflow model version, and the alias `champion`.

MLflow keeps its data in `mlflow.db`, or a team's database, and `mlartifacts` of the project, where a bare `mlflow ui`
looks. Both are given as absolute URIs, so that any working folder finds them.
"""

import importlib.metadata
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.model import ModelInfo
from mlflow.models.signature import ModelSignature
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.types import ColSpec, DataType, Schema

from pipeline.core.databases import without_password
from pipeline.core.errors import ReleaseError
from pipeline.core.paths import Paths
from pipeline.release.mlflow_database import ensure_database, quiet_mlflow
from pipeline.runtime.bundle import Bundle

ALIAS = "champion"
HASH_TAG = "bundle_sha256"
_CODE = Path(__file__).resolve().parents[2]
_MODEL_FILE = Path(__file__).with_name("registered_model.py")
_PAIR_MODEL_FILE = Path(__file__).with_name("registered_pair_model.py")
_RUNTIME_PACKAGES = ("core", "problem", "runtime")
"""Packages that `pipeline.runtime` may import from."""
_PAIR_SIGNATURE = ModelSignature(
    Schema([ColSpec(DataType.string, "text"), ColSpec(DataType.string, "second")])
)
"""MLflow reads the signature for single texts from a type hint; for a table it needs this one."""
_REQUIREMENTS = ("mlflow", "numpy", "onnxruntime", "pandas", "tokenizers")


def experiment_id(client: mlflow.MlflowClient, root: Path, name: str) -> str:
    """The id of an experiment, which is made where it is missing."""
    found = client.get_experiment_by_name(name)
    if found is None:
        return str(client.create_experiment(name, Paths(root).artifact_uri))
    return str(found.experiment_id)


class Registry:
    """The registered model of one product, which has the product's name."""

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self._root = root
        self._uri = Paths(root).tracking_uri
        ensure_database(root)
        with quiet_mlflow():
            self._client = mlflow.MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)

    def register(self, bundle: Bundle, run_id: str | None) -> str:
        """Returns the version of a verified bundle, and creates it if its hash has none.

        Args:
            run_id: the MLflow run that built it; None starts one for it, and so does one that this
                database does not have, for it was another's.
        """
        if (version := self.version_of(bundle.hash)) is not None:
            return version
        try:
            with quiet_mlflow():
                return self._register(bundle, run_id)
        except MlflowException as error:
            raise ReleaseError(
                f"MLflow could not register {self.name}: {error}",
                expected=f"to record it in {without_password(self._uri)}",
                next_step="check that the disk is not full and the database answers and is not locked, then rerun",
            ) from error

    def version_of(self, bundle_hash: str) -> str | None:
        """The version of this bundle; None if it is not registered."""
        token: str | None = None
        while token is None or token:
            page = self._client.search_model_versions(f"name = '{self.name}'", page_token=token)
            for version in page:
                if version.tags.get(HASH_TAG) == bundle_hash and version.status == "READY":
                    return str(version.version)
            token = page.token or ""
        return None

    def champion(self) -> str | None:
        """The version that has the alias `champion`; None if none has."""
        try:
            return str(self._client.get_model_version_by_alias(self.name, ALIAS).version)
        except MlflowException as error:
            # A missing alias is reported as an invalid value, a missing model as a missing resource.
            absent = ErrorCode.Name(RESOURCE_DOES_NOT_EXIST)
            if error.error_code == absent or "alias" in str(error).lower():
                return None
            raise

    def set_champion(self, version: str | None) -> None:
        """Moves the alias to `version`; None removes it."""
        if version is not None:
            self._client.set_registered_model_alias(self.name, ALIAS, version)
        elif self.champion() is not None:
            self._client.delete_registered_model_alias(self.name, ALIAS)

    def _has_run(self, run_id: str) -> bool:
        try:
            self._client.get_run(run_id)
        except MlflowException as error:
            if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
                raise
            return False
        return True

    def _register(self, bundle: Bundle, run_id: str | None) -> str:
        run = run_id if run_id is not None and self._has_run(run_id) else None
        own = run is None
        if run is None:
            experiment = experiment_id(self._client, self._root, self.name)
            opened = self._client.create_run(experiment, run_name=f"release {bundle.hash[:12]}")
            run = str(opened.info.run_id)
        mlflow.set_tracking_uri(self._uri)
        mlflow.set_registry_uri(self._uri)
        # MLflow logs a model to the experiment that is set, not to that of the given run.
        mlflow.set_experiment(experiment_id=self._client.get_run(run).info.experiment_id)
        model_id = str(_log_model(bundle, run).model_id)
        if own:
            self._client.set_terminated(run)
        if not self._client.search_registered_models(f"name = '{self.name}'"):
            self._client.create_registered_model(self.name)
        version = self._client.create_model_version(
            self.name,
            source=self._client.get_logged_model(model_id).artifact_location,
            run_id=run,
            tags={HASH_TAG: bundle.hash},
            model_id=model_id,
            # The files are on this machine already, so there is nothing to wait for.
            await_creation_for=0,
        )
        return str(version.version)


def _log_model(bundle: Bundle, run_id: str) -> ModelInfo:
    # MLflow reads the signature from the example input.
    example: Any = list(bundle.description.examples)
    if bundle.task.pairs:
        example = pd.DataFrame(example, columns=["text", "second"])
    with _runtime_code() as code:
        info: ModelInfo = Model.log(
            artifact_path=None,
            flavor=mlflow.pyfunc,
            name="model",
            run_id=run_id,
            python_model=str(_PAIR_MODEL_FILE if bundle.task.pairs else _MODEL_FILE),
            artifacts={"bundle": bundle.folder.resolve().as_uri()},
            code_paths=[str(code)],
            input_example=example,
            signature=_PAIR_SIGNATURE if bundle.task.pairs else None,
            pip_requirements=[
                f"{name}=={importlib.metadata.version(name)}" for name in _REQUIREMENTS
            ],
        )
    return info


@contextmanager
def _runtime_code() -> Iterator[Path]:
    """A copy of the runtime and the packages it imports, to store with the registered model."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "pipeline"
        for package in _RUNTIME_PACKAGES:
            source = _CODE / "pipeline" / package
            shutil.copytree(source, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copyfile(_CODE / "pipeline/__init__.py", copy / "__init__.py")
        yield copy
