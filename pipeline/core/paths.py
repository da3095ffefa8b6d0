"""Where the project's files are: a path that several modules use is spelled here alone.

All paths start at a workspace: the repository, or a git worktree of it in which a build with other
parameters runs. A path that one module alone uses is spelled in that module, from `Paths.state`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pipeline.core.databases import MLFLOW_VARIABLE, team_database
from pipeline.core.errors import ArtifactError

BUILD_FILE = "build.yaml"
"""Name of the file that stages read; dvc.yaml declares keys of it."""


@dataclass(frozen=True)
class Paths:
    """The paths of one workspace.

    Attributes:
        root: the workspace: the folder that holds `dvc.yaml`.
        stage: the stage that runs, which decides `out` and `checkpoints`; empty outside a stage.
    """

    root: Path
    stage: str = ""

    @property
    def build(self) -> Path:
        """All values that a build here runs with, made of the files that people write."""
        return self.root / BUILD_FILE

    @property
    def recipe(self) -> Path:
        """How models are made: one section a stage."""
        return self.root / "params.yaml"

    @property
    def product(self) -> Path:
        """The user's product file; the framework's repository has none."""
        return self.root / "product.yaml"

    @property
    def demonstration(self) -> Path:
        """The product that is built where the user has written none."""
        return self.root / "products" / "movie-reviews.yaml"

    @property
    def dag(self) -> Path:
        return self.root / "dvc.yaml"

    @property
    def dvc_lock(self) -> Path:
        """DVC's record of what each stage was last run with."""
        return self.root / "dvc.lock"

    @property
    def code_lock(self) -> Path:
        return self.root / "code.lock.json"

    @property
    def machine(self) -> Path:
        return self.root / "machine.json"

    @property
    def arithmetic(self) -> Path:
        """Which arithmetic trains faster on this machine; the main root has it."""
        return self.root / "arithmetic.json"

    @property
    def data(self) -> Path:
        """The user's own files, versioned with the project."""
        return self.root / "data"

    @property
    def annotations(self) -> Path:
        return self.root / "annotations"

    @property
    def annotation_sheet(self) -> Path:
        """Rows that people should label; `label` writes it where too few have a label."""
        return self.output("label") / "to_annotate.csv"

    @property
    def splits(self) -> Path:
        """The ledgers of splits: which texts were dealt to which split, a file a product."""
        return self.root / "splits"

    @property
    def versions(self) -> Path:
        """The data versions that a person has named: Parquet files that DVC keeps, and a note of each."""
        return self.root / "versions"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def out(self) -> Path:
        """The output folder of the stage that runs."""
        return self.artifacts / self.stage

    @property
    def state(self) -> Path:
        """Folder that git and DVC ignore: releases, checkpoints, logs, pid files."""
        return self.root / ".modelyard"

    @property
    def checkpoints(self) -> Path:
        """Checkpoints of the stage that runs, outside DVC's outputs: a kill leaves them."""
        return self.all_checkpoints / self.stage

    @property
    def all_checkpoints(self) -> Path:
        """Training checkpoints of every stage, one folder each."""
        return self.state / "checkpoints"

    @property
    def stage_locks(self) -> Path:
        """The folder of the locks of work under way, which all workspaces share."""
        return self.state / "locks"

    @property
    def dvc_state(self) -> Path:
        """The folder where DVC notes which files it has read, which all workspaces share."""
        return self.state / "dvc"

    @property
    def failure(self) -> Path:
        """Why the last run of the stage failed; not there where it did not."""
        return self.state / "failures" / f"{self.stage}.json"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def services(self) -> Path:
        """Names the processes that `make ui` started, and their addresses."""
        return self.state / "ui.json"

    @property
    def mlflow_database(self) -> Path:
        """MLflow's runs and registered models, where a bare `mlflow ui` looks."""
        return self.root / "mlflow.db"

    @property
    def tracking_uri(self) -> str:
        """MLflow's address of the database, a team's or this project's own.

        Absolute, for worktrees and servers start elsewhere.
        """
        team = team_database(MLFLOW_VARIABLE, postgresql="psycopg2", sqlite="pysqlite")
        return team or sqlite_url(self.mlflow_database.resolve())

    @property
    def artifact_uri(self) -> str:
        """MLflow's address of the files of runs and models; absolute for the same reason."""
        return (self.root / "mlartifacts").resolve().as_uri()

    def output(self, stage: str) -> Path:
        """The folder that another stage wrote."""
        return self.artifacts / stage

    def read(self, stage: str, *parts: str) -> Path:
        """The path of what an earlier stage wrote; `ArtifactError` where nothing is there."""
        path = self.artifacts.joinpath(stage, *parts)
        if not path.exists():
            raise ArtifactError(
                f"{path.relative_to(self.root)} is missing",
                expected=f"the output of stage {stage}",
                next_step="run `make pipeline`, which builds what is missing",
            )
        return path


def sqlite_url(database: Path, driver: str = "") -> str:
    """SQLAlchemy's address of a SQLite file, wherever it lies.

    SQLAlchemy takes what follows a `?` for options and decodes nothing, so a path with such a sign is
    given as the URI that SQLite itself decodes.
    """
    path = str(database)
    if not re.search(r"[?#%]", path):
        return f"{f'sqlite+{driver}' if driver else 'sqlite'}:///{path}"
    # With the driver named, MLflow does not take the URI for a path and make folders of that name.
    return f"sqlite+{driver or 'pysqlite'}:///file:{quote(path)}?uri=true"
