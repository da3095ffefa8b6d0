"""Loads the tokenizer that belongs to a checkpoint, and refuses one that training cannot use.

Where transformers does not find a tokenizer, it makes an empty one, and training runs to the end
with it.
"""

from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from pipeline.core.errors import ArtifactError
from pipeline.core.foreign_files import refuse_foreign

_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")
_MORE = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt")
_ROLES = ("pad_token", "cls_token", "sep_token")
_SAVE_AGAIN = "save the tokenizer of this checkpoint again with `save_pretrained`"


def own_tokenizer(folder: Path, *, next_step: str) -> PreTrainedTokenizerBase:
    """The tokenizer in the folder of a checkpoint, which pads and frames texts.

    Args:
        next_step: what to do where no saving helps.

    Raises:
        ArtifactError: there is none, it cannot be loaded, it has no tokenizer.json to serve with,
            or it lacks the tokens that pad a batch or frame a text.
        DataError: one of its files is empty, a git-lfs pointer or a web page.
    """
    files = [path for pattern in _FILES for path in sorted(folder.glob(pattern))]
    if not files:
        raise ArtifactError(
            f"no tokenizer in {folder}",
            expected=f"one of: {', '.join(_FILES)}",
            next_step="save the tokenizer into the folder of its checkpoint",
        )
    for file in [*files, *(folder / name for name in _MORE if (folder / name).is_file())]:
        refuse_foreign(file, of=f"checkpoint {folder.name}", expected="a part of its tokenizer")
    tokenizer = _loaded(folder)
    if not tokenizer.is_fast:
        raise ArtifactError(
            f"the tokenizer in {folder} is a {type(tokenizer).__name__}, written in Python",
            expected="one that has a tokenizer.json, which training and the server read",
            next_step=next_step,
        )
    _check_tokens(tokenizer, folder, next_step)
    return tokenizer


def _loaded(folder: Path) -> PreTrainedTokenizerBase:
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, local_files_only=True
        )
        return tokenizer
    except Exception as error:  # `tokenizers` raises plain Exceptions
        raise ArtifactError(
            f"the tokenizer in {folder}: {_first_line(error)}",
            expected="a tokenizer that transformers can load",
            next_step=_SAVE_AGAIN,
        ) from error


def _check_tokens(tokenizer: PreTrainedTokenizerBase, folder: Path, next_step: str) -> None:
    """Raises ArtifactError where texts could not be padded, framed or encoded at all."""
    missing = [role for role in _ROLES if getattr(tokenizer, role) is None]
    if missing:
        raise ArtifactError(
            f"the tokenizer in {folder} has no {', '.join(missing)}",
            expected="a pad_token, so that texts of different lengths can share a batch, and a"
            " cls_token and sep_token around each text",
            next_step=f"if the vocabulary has such tokens, name them in tokenizer_config.json"
            f" (`pad_token`: …); otherwise {next_step}",
        )
    try:
        # Calling the tokenizer itself would change what its backend pads and cuts off.
        encoding = tokenizer.backend_tokenizer.encode("a")
    except Exception as error:  # `tokenizers` raises plain Exceptions
        raise ArtifactError(
            f"the tokenizer in {folder} cannot encode a text: {_first_line(error)}",
            expected="a tokenizer whose vocabulary has its own unknown token",
            next_step=_SAVE_AGAIN,
        ) from error
    pairs = zip(encoding.ids, encoding.attention_mask, strict=True)
    ids = [number for number, real in pairs if real]  # without padding
    if not ids or ids[0] not in tokenizer.all_special_ids:
        raise ArtifactError(
            f"the tokenizer in {folder} puts no {tokenizer.cls_token} before a text",
            expected="a tokenizer.json whose post_processor frames each text, as in pretraining",
            next_step=_SAVE_AGAIN,
        )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
