"""Loads the tokenizer of a research model, and proves that the runtime reads texts as it does."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from pipeline.core.errors import ArtifactError, DataError
from pipeline.core.foreign_files import refuse_foreign
from pipeline.core.sections import PrepareParams
from pipeline.core.variants import TOKENIZER_FILE
from pipeline.runtime.reader import TextReader, open_tokenizer
from pipeline.runtime.task import Request
from pipeline.training.token_rows import tokenize

_PADS = ("[PAD]", "<pad>", "<PAD>", "<|pad|>", "<|endoftext|>")
_ODD = (
    "naïve café — ½ of it 👩‍👩‍👧 …",
    "한국어 문장과 日本語, हिन्दी",
    "e\u0301 and \u200b nothing",
    "  two  spaces,\ta tab\nand a line  ",
    "ALL CAPITALS and http://example.org/?q=1#x",
)
_SAVE = (
    'python -c "from transformers import AutoTokenizer; '
    "AutoTokenizer.from_pretrained('FOLDER').save_pretrained('FOLDER')\""
)


def load_found_tokenizer(folder: Path, *, of: str, is_module: bool) -> PreTrainedTokenizerBase:
    """The tokenizer in a folder: of a module, what tokenizer.json alone says.

    Raises:
        ArtifactError, DataError: there is no tokenizer.json, it does not load, or it has no padding token.
    """
    file = folder / TOKENIZER_FILE
    if not file.is_file():
        raise ArtifactError(
            f"{of}: no {TOKENIZER_FILE}",
            expected="a tokenizer.json of the tokenizers library: a server needs no other file",
            next_step=f"write it, where the tokenizer is one of transformers, with {_SAVE}; or train one "
            "with `tokenizers` and `save('tokenizer.json')`",
        )
    refuse_foreign(file, of=of, expected="a tokenizer of the tokenizers library, as JSON")
    try:
        if is_module:
            tokenizer: PreTrainedTokenizerBase = PreTrainedTokenizerFast(
                tokenizer_file=str(file), **_padding_of(file)
            )
        else:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # `tokenizers` raises plain Exceptions
        told = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ArtifactError(
            f"{of}: its tokenizer does not load: {told}",
            expected="a tokenizer.json that tokenizers and transformers read",
            next_step="save it again with the version of constraints.txt",
        ) from error
    if tokenizer.pad_token_id is None:
        raise ArtifactError(
            f"{of}: its tokenizer has no padding token",
            expected="one, so that parity can be proved for padded batches, too",
            next_step="name it before saving: `tokenizer.enable_padding(pad_id=…, pad_token=…)`, or "
            "`pad_token` in tokenizer_config.json; any token will do that texts do not contain",
        )
    if not open_tokenizer(file).encode("").ids:
        raise ArtifactError(
            f"{of}: its tokenizer makes no token of an empty text",
            expected="a token before or after every text: of some texts nothing else may be left",
            next_step="frame texts, and train with that: `tokenizer.post_processor = "
            "processors.TemplateProcessing(single='[CLS] $A', special_tokens=[('[CLS]', 2)])`",
        )
    return tokenizer


def kind_of_tokenizer(folder: Path) -> str:
    """`WordPiece`, `BPE`, `Unigram` or `WordLevel`."""
    return str(_described(folder / TOKENIZER_FILE).get("model", {}).get("type", "unknown"))


def require_same_reading(
    tokenizer: PreTrainedTokenizerBase,
    file: Path,
    requests: Sequence[Request],
    *,
    params: PrepareParams,
    of: str,
) -> None:
    """Refuses a tokenizer that the runtime would read otherwise: in short, long, and odd texts.

    Raises:
        ArtifactError: naming the first text of which the ids differ.
    """
    reader = TextReader(file, max_length=params.max_length, window_stride=params.window_stride)
    for request in [*requests, *_odd_requests(requests)]:
        texts = (request,) if isinstance(request, str) else request
        expected = tokenize(
            tokenizer,
            [texts[0]],
            seconds=list(texts[1:]),
            max_length=params.max_length,
            window_stride=params.window_stride,
        ).ids
        try:
            found = [row.ids for row in reader.read(request)[0]]
        except DataError as error:
            raise _unreadable(of, texts, str(error)) from error
        if found != expected:
            raise _unreadable(
                of,
                texts,
                f"ids {found[0][:8]} … {found[0][-4:]} for {expected[0][:8]} … {expected[0][-4:]}",
                cuts_left=tokenizer.truncation_side == "left",
            )


def _odd_requests(requests: Sequence[Request]) -> list[Request]:
    """Texts with rare characters, and one that is longer than a model reads."""
    if requests and not isinstance(requests[0], str):
        first, long = requests[0][0], " ".join(request[1] for request in requests) * 2
        return [(first, odd) for odd in (*_ODD, long)]
    return [*_ODD, " ".join(str(request) for request in requests) * 2]


def _unreadable(
    of: str, texts: Sequence[str], got: str, *, cuts_left: bool = False
) -> ArtifactError:
    return ArtifactError(
        f"{of}: the runtime reads {texts[-1][:40]!r} otherwise than its tokenizer: {got}",
        expected="the same ids, or the served model is another than the one that was trained",
        next_step="set `truncation_side` to right: the runtime keeps the beginning of a long text"
        if cuts_left
        else "save the tokenizer with `save_pretrained`, so that tokenizer.json holds all that it does, "
        "and train with that",
    )


def _padding_of(file: Path) -> dict[str, str]:
    """The padding token of a tokenizer.json as a keyword; empty where it has none."""
    described = _described(file)
    padding = described.get("padding") or {}
    if padding.get("pad_token"):
        return {"pad_token": padding["pad_token"]}
    added = {token.get("content") for token in described.get("added_tokens", [])}
    vocabulary = described.get("model", {}).get("vocab", {})
    known = added | (
        set(vocabulary) if isinstance(vocabulary, dict) else {v[0] for v in vocabulary}
    )
    return next(({"pad_token": pad} for pad in _PADS if pad in known), {})


def _described(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_bytes())
    return found
