"""Training checkpoints: safetensors and JSON, atomic and hashed, outside DVC's outputs.

A checkpoint holds the weights and their moving average, the model's buffers, AdamW's moments,
torch's random state and the learning curve so far. A killed stage continues from it and ends with
the very weights of an uninterrupted run. The two newest are kept; a damaged one is skipped for the
one before.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from pipeline.core.errors import TrainingError
from pipeline.core.files import atomic_path, sha256_file, write_text
from pipeline.core.progress import say
from pipeline.core.stage import INPUT_KEY_VARIABLE

_KEPT = 2


@dataclass(frozen=True)
class Resumed:
    """The step, curve and losses of a checkpoint whose tensors have been restored."""

    step: int
    curve: list[dict[str, float]]
    losses: list[float]


class Checkpoints:
    """The checkpoints of one training run, in their own folder.

    The folder's name contains the stage's input key, so a run with other parameters, code or data
    never resumes from them.
    """

    def __init__(self, folder: Path, *, run: str = "main") -> None:
        self._folder = folder / os.environ.get(INPUT_KEY_VARIABLE, "unkeyed") / run

    def save(
        self,
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        average: torch.nn.Module | None = None,
        *,
        step: int,
        curve: Sequence[Mapping[str, float]],
        losses: Sequence[float],
    ) -> None:
        """Writes the state after `step` steps; `losses` are those since the curve's last point."""
        path = self._folder / f"step-{step:08d}.safetensors"
        with atomic_path(path) as temporary:
            state = {"step": step, "curve": list(curve), "losses": list(losses)}
            metadata = {name: json.dumps(value) for name, value in state.items()}
            save_file(_tensors(model, optimizer, average), temporary, metadata=metadata)
            digest = sha256_file(temporary)
        write_text(path.with_suffix(".sha256"), digest)
        for old in self._all()[:-_KEPT]:
            old.unlink()
            old.with_suffix(".sha256").unlink(missing_ok=True)

    def resume(
        self,
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        average: torch.nn.Module | None = None,
    ) -> Resumed | None:
        """Put the newest sound checkpoint back; None where there is none."""
        for path in reversed(self._all()):
            if _is_sound(path):
                resumed = _restore(path, model, optimizer=optimizer, average=average)
                say(f"resumed at step {resumed.step}")
                return resumed
            say(f"checkpoint {path.name} is damaged; the one before it is used")
        return None

    def save_best(self, model: torch.nn.Module) -> None:
        """Writes the best weights on validation so far."""
        best = {name: weight.detach().contiguous() for name, weight in model.named_parameters()}
        with atomic_path(self._best) as temporary:
            save_file(best, temporary)
        write_text(self._best.with_suffix(".sha256"), sha256_file(self._best))

    def has_best(self) -> bool:
        """Whether undamaged best weights exist."""
        return _is_sound(self._best)

    def restore_best(self, model: torch.nn.Module) -> None:
        """Copies the best weights into `model`.

        Raises:
            TrainingError: their file is damaged or gone.
        """
        if not _is_sound(self._best):
            raise TrainingError(
                f"no sound {self._best.name} in {self._best.parent}",
                expected="the weights of the best epoch, as training wrote them",
                next_step="delete that folder and train again",
            )
        with safe_open(self._best, framework="pt") as file:
            for name, parameter in model.named_parameters():
                parameter.data.copy_(file.get_tensor(name))

    @property
    def _best(self) -> Path:
        return self._folder / "best.safetensors"

    def clear(self) -> None:
        """Deletes them: the run has ended well."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _all(self) -> list[Path]:
        return sorted(self._folder.glob("step-*.safetensors"))


def _is_sound(path: Path) -> bool:
    recorded = path.with_suffix(".sha256")
    return recorded.exists() and recorded.read_text(encoding="utf-8") == sha256_file(path)


def _tensors(
    model: torch.nn.Module, optimizer: torch.optim.Optimizer, average: torch.nn.Module | None
) -> dict[str, torch.Tensor]:
    tensors = {"random": torch.get_rng_state()}
    tensors |= {name: tensor.contiguous() for name, tensor in _of_models(model, average)}
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{key}.{name}"] = value.detach().contiguous()
    if torch.cuda.is_available():
        tensors["random_cuda"] = torch.cuda.get_rng_state()
    return tensors


def _of_models(
    model: torch.nn.Module, average: torch.nn.Module | None
) -> Iterator[tuple[str, torch.Tensor]]:
    """Names and tensors of the model and of its moving average, with the count of its updates."""
    for prefix, module in (("model", model), ("average", average)):
        if module is not None:
            for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
                yield f"{prefix}.{name}", tensor.detach()


def _restore(
    path: Path,
    model: torch.nn.Module,
    *,
    optimizer: torch.optim.Optimizer,
    average: torch.nn.Module | None,
) -> Resumed:
    with safe_open(path, framework="pt") as file:
        metadata: dict[str, str] = file.metadata()
        names = set(file.keys())
        for name, tensor in _of_models(model, average):
            tensor.copy_(file.get_tensor(name))
        for name, parameter in model.named_parameters():
            keys = {key: f"optimizer.{key}.{name}" for key in ("step", "exp_avg", "exp_avg_sq")}
            if state := {key: full for key, full in keys.items() if full in names}:
                optimizer.state[parameter] = {
                    key: file.get_tensor(full).to(parameter.device) for key, full in state.items()
                }
        torch.set_rng_state(file.get_tensor("random"))
        if "random_cuda" in names:
            torch.cuda.set_rng_state(file.get_tensor("random_cuda"))
    return Resumed(**{name: json.loads(value) for name, value in metadata.items()})
