"""From a bundle to a folder for the browser that was compared with Python: the work of `modelyard edge`."""

import os
from dataclasses import dataclass
from pathlib import Path

from tokenizers import AddedToken

from pipeline.core.files import write_json
from pipeline.edge.browser_folder import WrittenFolder, write_browser_folder
from pipeline.edge.headless_chromium import find_chromium
from pipeline.edge.npm_packages import require_node
from pipeline.edge.parity_check import ParityRequests, check_parity
from pipeline.edge.parity_report import Parity
from pipeline.edge.parity_texts import hostile_texts, read_texts, sentences
from pipeline.runtime.bundle import Bundle, open_bundle
from pipeline.runtime.reader import open_tokenizer
from pipeline.runtime.signature import chosen_trust

REPORT = "parity.json"
NO_BROWSER = (
    "no Chromium on this machine (Debian, Ubuntu: apt-get install chromium; or set BROWSER_PATH)"
)
NOT_ASKED = "it was not asked for (--no-check)"


@dataclass(frozen=True, kw_only=True)
class EdgeRequest:
    """A folder to write, and how it is to be compared.

    Attributes:
        bundle: its folder; `out`: the folder to write.
        kept_packages: where packages of npm are kept between two calls.
        texts: a file of texts to compare on, one a line; None for words of the vocabulary.
        sentences, hostile: how many of each are compared.
    """

    bundle: Path
    out: Path
    kept_packages: Path
    texts: Path | None
    sentences: int
    hostile: int
    check: bool


@dataclass(frozen=True, kw_only=True)
class EdgeResult:
    """The written folder, and how it compared; `unchecked` says why it did not."""

    written: WrittenFolder
    parity: Parity | None
    unchecked: str | None

    @property
    def failed(self) -> bool:
        """Whether it was compared and found to differ."""
        return self.parity is not None and not self.parity.passed


def build_edge(request: EdgeRequest) -> EdgeResult:
    """Writes the folder, compares it, and leaves the report in it.

    Raises:
        PipelineError: the bundle is not as it should be, Node.js is missing, or the folder is another's.
    """
    require_node()
    own = None if request.texts is None else read_texts(request.texts)
    trust = chosen_trust(request.bundle, os.environ)
    bundle = open_bundle(request.bundle, trust=trust)
    written = write_browser_folder(bundle, request.out, kept_packages=request.kept_packages)
    browser = find_chromium() if request.check else None
    if browser is None:
        unchecked = NO_BROWSER if request.check else NOT_ASKED
        write_json(request.out / REPORT, {"checked": False, "why": unchecked})
        return EdgeResult(written=written, parity=None, unchecked=unchecked)
    parity = check_parity(bundle, request.out, _requests(bundle, request, own), browser=browser)
    write_json(request.out / REPORT, parity.as_dict())
    return EdgeResult(written=written, parity=parity, unchecked=None)


def _requests(bundle: Bundle, request: EdgeRequest, own: list[str] | None) -> ParityRequests:
    tokenizer = open_tokenizer(bundle.tokenizer)
    added: list[AddedToken] = [*tokenizer.get_added_tokens_decoder().values()]
    return ParityRequests.of(
        sentences(tokenizer, request.sentences, own=own or ()),
        hostile_texts(request.hostile, special=[token.content for token in added]),
        pairs=bundle.task.pairs,
    )
