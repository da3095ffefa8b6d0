"""The nine tasks of GLUE and its diagnostic set (Wang et al. 2019), as their official files spell them."""

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

MNLI_LABELS = ("contradiction", "entailment", "neutral")
ENTAILMENT = ("entailment", "not_entailment")
BINARY = ("0", "1")


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes:
        columns: of the text, or of the first and the second.
        label_column: name of it in the files that have labels.
        labels: strings of the answers in files and submissions; empty for a score from 0 to 5.
        metrics: names in `pipeline.metrics.glue_metrics`; the first is the one shown.
        development: file of the development rows → the name that its figures carry.
        submissions: file of the test rows → the file in `submission.zip` that answers them.
        header: the columns of files that have no header line; empty where they have one.
    """

    name: str
    columns: tuple[str, ...]
    label_column: str
    labels: tuple[str, ...]
    metrics: tuple[str, ...]
    development: MappingProxyType[str, str]
    submissions: MappingProxyType[str, str]
    header: tuple[str, ...] = ()

    @property
    def is_regression(self) -> bool:
        """Whether the answer is a number."""
        return not self.labels


def _task(
    name: str,
    columns: tuple[str, ...],
    label_column: str,
    labels: tuple[str, ...],
    metrics: tuple[str, ...],
    *,
    header: tuple[str, ...] = (),
) -> Task:
    return Task(
        name,
        columns,
        label_column,
        labels,
        metrics,
        MappingProxyType({"dev.tsv": name}),
        MappingProxyType({"test.tsv": f"{name}.tsv"}),
        header,
    )


_SENTENCES = ("sentence1", "sentence2")
_QUESTIONS = ("question1", "question2")

TASKS: MappingProxyType[str, Task] = MappingProxyType(
    {
        task.name: task
        for task in (
            _task(
                "CoLA",
                ("sentence",),
                "label",
                BINARY,
                ("matthews",),
                header=("source", "label", "mark", "sentence"),
            ),
            _task("SST-2", ("sentence",), "label", BINARY, ("accuracy",)),
            _task("MRPC", ("#1 String", "#2 String"), "Quality", BINARY, ("f1", "accuracy")),
            _task("STS-B", _SENTENCES, "score", (), ("pearson", "spearman")),
            _task("QQP", _QUESTIONS, "is_duplicate", BINARY, ("f1", "accuracy")),
            Task(
                "MNLI",
                _SENTENCES,
                "gold_label",
                MNLI_LABELS,
                ("accuracy",),
                MappingProxyType({"dev_matched.tsv": "MNLI-m", "dev_mismatched.tsv": "MNLI-mm"}),
                MappingProxyType(
                    {"test_matched.tsv": "MNLI-m.tsv", "test_mismatched.tsv": "MNLI-mm.tsv"}
                ),
            ),
            _task("QNLI", ("question", "sentence"), "label", ENTAILMENT, ("accuracy",)),
            _task("RTE", _SENTENCES, "label", ENTAILMENT, ("accuracy",)),
            _task("WNLI", _SENTENCES, "label", BINARY, ("accuracy",)),
        )
    }
)
"""Every task that has training rows, in the order of the leaderboard."""

DIAGNOSTIC = ("AX", "AX.tsv")
"""Folder and submission of the diagnostic rows, which the model of MNLI answers."""
_DIAGNOSTIC_FILES = ("AX/test.tsv", "AX/diagnostic.tsv", "AX/AX.tsv", "diagnostic/diagnostic.tsv")
"""Where the diagnostic rows may lie: the last is where the benchmark's own script puts them."""

SUBMISSIONS = tuple(
    sorted(
        [DIAGNOSTIC[1], *(name for task in TASKS.values() for name in task.submissions.values())]
    )
)
"""Every file that the leaderboard asks for."""

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

PUBLIC = MappingProxyType(
    {
        # Development figures of Sanh et al. 2019 (arXiv 1910.01108), table 1, in percent.
        "ELMo": MappingProxyType(
            {"CoLA": 44.1, "MNLI-m": 68.6, "MRPC": 76.6, "QNLI": 71.1, "QQP": 86.2, "RTE": 53.4,
             "SST-2": 91.5, "STS-B": 70.4, "WNLI": 56.3}
        ),
        "BERT-base": MappingProxyType(
            {"CoLA": 56.3, "MNLI-m": 86.7, "MRPC": 88.6, "QNLI": 91.8, "QQP": 89.6, "RTE": 69.3,
             "SST-2": 92.7, "STS-B": 89.0, "WNLI": 53.5}
        ),
        "DistilBERT": MappingProxyType(
            {"CoLA": 51.3, "MNLI-m": 82.2, "MRPC": 87.5, "QNLI": 89.2, "QQP": 88.5, "RTE": 59.9,
             "SST-2": 91.3, "STS-B": 86.9, "WNLI": 56.3}
        ),
    }
)  # fmt: skip
"""Figures to stand beside, from others' papers."""


def diagnostic_file(data: Path) -> Path | None:
    """The diagnostic rows below the folder of the official files; None where there are none."""
    return next((data / name for name in _DIAGNOSTIC_FILES if (data / name).is_file()), None)
