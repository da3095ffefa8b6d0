"""The nine tasks of GLUE (Wang et al. 2019) and its diagnostic rows, as their files have them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

ENTAILMENT = ("entailment", "not_entailment")


@dataclass(frozen=True, kw_only=True)
class GlueTask:
    """One task.

    Attributes:
        columns: names of the columns of the text, or of the first and the second text.
        label_column: name of the label's column in the files that have labels.
        labels: the answers as files and submissions spell them; empty for a score from 0 to 5.
        metrics: names in `pipeline.metrics.glue_metrics`; the first decides which seed is best.
        header: the columns of files that have no header line; empty where they have one.
        parts: where there are several development and test files, how their names end, and the name
            of each part's figures; empty where there is one of each.
    """

    name: str
    columns: tuple[str, ...]
    label_column: str = "label"
    labels: tuple[str, ...] = ("0", "1")
    metrics: tuple[str, ...] = ("accuracy",)
    header: tuple[str, ...] = ()
    parts: tuple[tuple[str, str], ...] = ()

    @property
    def is_regression(self) -> bool:
        """Whether the answer is a number."""
        return not self.labels

    @property
    def development(self) -> dict[str, str]:
        """File of the development rows → the name that its figures carry."""
        return {f"dev{end}.tsv": name for end, name in self._parts}

    @property
    def submissions(self) -> dict[str, str]:
        """File of the test rows → the file in `submission.zip` that answers them."""
        return {f"test{end}.tsv": f"{name}.tsv" for end, name in self._parts}

    @property
    def _parts(self) -> tuple[tuple[str, str], ...]:
        return self.parts or (("", self.name),)


_PAIR = ("sentence1", "sentence2")
_F1 = ("f1", "accuracy")

_TASKS = (
    GlueTask(
        name="CoLA",
        columns=("sentence",),
        metrics=("matthews",),
        header=("source", "label", "mark", "sentence"),
    ),
    GlueTask(name="SST-2", columns=("sentence",)),
    GlueTask(name="MRPC", columns=("#1 String", "#2 String"), label_column="Quality", metrics=_F1),
    GlueTask(
        name="STS-B",
        columns=_PAIR,
        label_column="score",
        labels=(),
        metrics=("pearson", "spearman"),
    ),
    GlueTask(
        name="QQP", columns=("question1", "question2"), label_column="is_duplicate", metrics=_F1
    ),
    GlueTask(
        name="MNLI",
        columns=_PAIR,
        label_column="gold_label",
        labels=("contradiction", "entailment", "neutral"),
        parts=(("_matched", "MNLI-m"), ("_mismatched", "MNLI-mm")),
    ),
    GlueTask(name="QNLI", columns=("question", "sentence"), labels=ENTAILMENT),
    GlueTask(name="RTE", columns=_PAIR, labels=ENTAILMENT),
    GlueTask(name="WNLI", columns=_PAIR),
)
TASKS = MappingProxyType({task.name: task for task in _TASKS})
"""Every task that has training rows, in the order of the leaderboard."""

DIAGNOSTIC = "AX"
"""Folder, and submission, of the diagnostic rows, which the model of MNLI answers."""
_DIAGNOSTIC_FILES = ("AX/test.tsv", "AX/diagnostic.tsv", "AX/AX.tsv", "diagnostic/diagnostic.tsv")
"""Where the diagnostic rows may be; the benchmark's own script puts them at the last of these."""

SUBMISSIONS = MappingProxyType(
    {f"{DIAGNOSTIC}.tsv": TASKS["MNLI"]}
    | {file: task for task in TASKS.values() for file in task.submissions.values()}
)
"""Every file that the leaderboard asks for → the task whose answers it holds."""

SEEN = MappingProxyType(
    {"MultiNLI": ("MNLI",), "SNLI": ("MNLI",), "QQP": ("QQP",), "SQuAD": ("QNLI",)}
)
"""Data set that a checkpoint may have been trained on → the tasks with the same texts: its figures
there are too good. A task's own name stands for its own rows."""

OFFICIAL_ROWS = MappingProxyType(
    {
        "AX.tsv": 1104,
        "CoLA.tsv": 1063,
        "MNLI-m.tsv": 9796,
        "MNLI-mm.tsv": 9847,
        "MRPC.tsv": 1725,
        "QNLI.tsv": 5463,
        "QQP.tsv": 390965,
        "RTE.tsv": 3000,
        "SST-2.tsv": 1821,
        "STS-B.tsv": 1379,
        "WNLI.tsv": 146,
    }
)
"""Answers that the leaderboard expects in each file."""

PUBLISHED = MappingProxyType(
    {
        # Development figures of Sanh et al. 2019 (arXiv 1910.01108), table 1, in percent.
        "ELMo": {"CoLA": 44.1, "MNLI-m": 68.6, "MRPC": 76.6, "QNLI": 71.1, "QQP": 86.2, "RTE": 53.4,
             "SST-2": 91.5, "STS-B": 70.4, "WNLI": 56.3},
        "BERT-base": {"CoLA": 56.3, "MNLI-m": 86.7, "MRPC": 88.6, "QNLI": 91.8, "QQP": 89.6, "RTE": 69.3,
             "SST-2": 92.7, "STS-B": 89.0, "WNLI": 53.5},
        "DistilBERT": {"CoLA": 51.3, "MNLI-m": 82.2, "MRPC": 87.5, "QNLI": 89.2, "QQP": 88.5, "RTE": 59.9,
             "SST-2": 91.3, "STS-B": 86.9, "WNLI": 56.3},
    }
)  # fmt: skip
"""Figures of other models, from their papers, shown beside ours."""


def tasks_seen(names: Iterable[str]) -> set[str]:
    """The tasks whose figures are too good for a checkpoint that was trained on these data sets."""
    return {task for name in names for task in SEEN.get(name, (name,) if name in TASKS else ())}


def diagnostic_file(data: Path) -> Path | None:
    """The file of the diagnostic rows, below the folder of the official files; or None."""
    return next((data / name for name in _DIAGNOSTIC_FILES if (data / name).is_file()), None)
