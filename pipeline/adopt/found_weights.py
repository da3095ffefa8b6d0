"""Finds the weights of a research model, and refuses those that run code when they are loaded."""

from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.core.foreign_files import refuse_foreign
from pipeline.core.variants import WEIGHTS_FILE

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle")
_CONVERT_MODULE = (
    'python -c "import torch, safetensors.torch as s; s.save_file({k: v.contiguous().clone() for k, v in '
    "torch.load('FILE', weights_only=True, map_location='cpu').items()}, 'model.safetensors')\""
)
_CONVERT_FOLDER = (
    'python -c "from transformers import AutoModelForSequenceClassification as M; '
    "M.from_pretrained('FOLDER', use_safetensors=False).save_pretrained('FOLDER')\""
)


def require_safetensors(folder: Path, *, of: str, is_module: bool) -> None:
    """Refuses a folder whose weights are pickled, or that has none.

    Args:
        of: the model, for messages.
        is_module: whether the weights are one file of a module, not a checkpoint of transformers.

    Raises:
        DataError: with the command that converts them.
    """
    if any(folder.glob("model*.safetensors")):
        if is_module:
            refuse_foreign(
                folder / WEIGHTS_FILE, of=of, expected="weights in the format safetensors"
            )
        return
    pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
    convert = _CONVERT_MODULE if is_module else _CONVERT_FOLDER
    convert = convert.replace("FILE", pickles[0]) if pickles else convert
    raise DataError(
        f"{of}: only pickled weights ({', '.join(pickles)})"
        if pickles
        else f"{of}: no {WEIGHTS_FILE}",
        expected=f"{WEIGHTS_FILE}: a pickle runs code when it is loaded, and nothing here loads one",
        next_step=(
            f"where you trust its origin, convert it there: {convert}"
            if pickles
            else "save them from the trained model: "
            "`safetensors.torch.save_model(model, 'model.safetensors')`"
            if is_module
            else f"save it again with `save_pretrained`, or convert it: {convert}"
        ),
    )
