"""Knowledge distillation: the student learns the teacher's softened outputs (Hinton et al. 2015).

With several labels, each label's answer is softened by itself. A number cannot be softened: the
student learns the teacher's number.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from transformers import PreTrainedModel

from pipeline.models.features import features_read, layer_means, output_layer
from pipeline.text.batching import Ids, epoch_batches
from pipeline.training.objectives.by_problem import LOSSES
from pipeline.training.token_rows import TokenRows

MAPS = "feature_maps"
_SAMPLE = 4096
_SMALL = 1e-3
"""Added to each feature's deviation, so that a nearly constant feature is not scaled up."""


class Distillation:
    """The objective of `distill`, and of the recovery training after `prune`.

    Args:
        logits: the teacher's, `(rows, outputs)`.
        targets: gold targets, `(rows, width)`; ignored in rows without one.
        labelled: which rows have a gold target, `(rows,)`.
        temperature: softens both distributions; the loss is scaled by its square.
        hard_label_weight: weight of the loss against gold targets.
        features: the teacher's, in `feature_maps`' order, for a student inside `feature_maps`;
            empty to learn from the outputs alone.
    """

    def __init__(
        self,
        rows: TokenRows,
        logits: NDArray[np.float32],
        *,
        targets: NDArray[np.float64],
        labelled: NDArray[np.bool_],
        problem: str,
        temperature: float,
        hard_label_weight: float,
        features: Sequence["Features"] = (),
    ) -> None:
        self._rows, self.features = rows, features
        self._logits = torch.from_numpy(np.array(logits))  # a copy: logits may be mapped read-only
        self._targets = torch.from_numpy(targets.astype(np.float32))
        self._labelled = torch.from_numpy(labelled.astype(np.float32))
        self._losses = LOSSES[problem]
        self._temperature, self._hard = temperature, hard_label_weight

    def tokens(self, rows: Ids) -> int:
        return self._rows.tokens(rows)

    def loss(self, model: torch.nn.Module, rows: Ids, device: torch.device) -> torch.Tensor:
        """Weighted mean of soft and hard loss over the batch, plus the loss of the features."""
        student, features_loss = self._answers(model, rows, device)
        teacher = self._logits[rows].to(device)
        soft = self._losses.against_teacher(student, teacher, self._temperature)
        hard = self._losses.against_gold(student, self._targets[rows].to(device))
        weight = self._hard * self._labelled[rows].to(device)
        return ((1 - weight) * soft + weight * hard).mean() + features_loss

    def without_features(self) -> "Distillation":
        """A copy that learns from outputs alone, for a student outside `feature_maps`."""
        plain = copy(self)
        plain.features = ()
        return plain

    def _answers(
        self, model: torch.nn.Module, rows: Ids, device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor | float]:
        """The student's logits, `(batch, outputs)`, and the loss of the features."""
        batch = self._rows.batch(rows, device)
        if not self.features:
            return model(**batch).logits.float(), 0.0
        layers = range(1, len(self.features))
        with (
            features_read(model) as read,
            layer_means(model, layers, batch["attention_mask"]) as means,
        ):
            logits = model(**batch).logits.float()
        found = zip(self.features, model.get_submodule(MAPS), [read[0], *means], strict=True)  # type: ignore[call-overload]
        return logits, sum(features.loss(project, own, rows) for features, project, own in found)


@dataclass(frozen=True, kw_only=True)
class Features:
    """Hidden features of the teacher for each row, which the student learns to predict.

    Attributes:
        values: `(rows, width)`; may be a memory-mapped file.
        mean: of each feature, `(width,)`.
        deviation: of each feature, `(width,)`.
        weight: of their loss beside that of the outputs.
    """

    values: NDArray[np.float16]
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    weight: float

    @classmethod
    def of(cls, values: NDArray[np.float16], *, weight: float) -> "Features":
        """Features whose mean and deviation are estimated from a sample of the rows."""
        sample = np.asarray(values[:: max(1, len(values) // _SAMPLE)], dtype=np.float32)
        return cls(
            values=values,
            mean=sample.mean(axis=0),
            deviation=sample.std(axis=0) + _SMALL,
            weight=weight,
        )

    def loss(self, project: torch.nn.Module, own: torch.Tensor, rows: Ids) -> torch.Tensor:
        """Weighted mean squared error of the projected features, standardised as the teacher's.

        Args:
            project: maps the student's width to the teacher's.
            own: the student's features, `(batch, width)`.
        """
        wanted = (np.asarray(self.values[rows], dtype=np.float32) - self.mean) / self.deviation
        answer = project(own).float()
        return self.weight * functional.mse_loss(answer, torch.from_numpy(wanted).to(answer.device))


@contextmanager
def feature_maps(model: PreTrainedModel, features: Sequence[Features]) -> Iterator[None]:
    """Inside the block, the student has linear maps to the teacher's features.

    The maps are removed after it. The first one projects the inputs of the last linear layer, each
    further one the mean states after one encoder layer.
    """
    if not features:
        yield
        return
    first, *hidden = (one.values.shape[1] for one in features)
    sizes = [(output_layer(model).in_features, first)]
    sizes += [(int(model.config.hidden_size), width) for width in hidden]
    model.add_module(MAPS, torch.nn.ModuleList(torch.nn.Linear(*size) for size in sizes))
    try:
        yield
    finally:
        delattr(model, MAPS)


def transfer_batches(
    lengths: NDArray[np.int64],
    labelled: NDArray[np.bool_],
    *,
    repeats: int,
    batch_size: int,
    seed: int,
    epoch: int,
) -> list[Ids]:
    """The batches of an epoch: labelled rows appear `repeats` times, the others once."""
    rows = np.concatenate([np.repeat(np.flatnonzero(labelled), repeats), np.flatnonzero(~labelled)])
    batches = epoch_batches(lengths[rows], batch_size=batch_size, seed=seed, epoch=epoch)
    return [rows[batch] for batch in batches]
