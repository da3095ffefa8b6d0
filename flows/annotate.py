"""People label rows of the last build on a page of this machine; their labels are published later.

    modelyard annotate [--people ann,bob:lead] [--port 8300] [--product NAME] [--json]

Prints a private link a person and serves until Ctrl-C. What people answer is in
.modelyard/annotation/<product>/, where no stage looks: labelling makes nothing stale and disturbs no
build. `modelyard labels` publishes it to annotations/ (pipeline/annotation/publishing.py).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.execution.rows_to_label import annotation_folder, rows_of
from flows.planning.resolution import Variation, resolved
from pipeline.annotation.assignment import Assignment
from pipeline.annotation.label_server import run_server
from pipeline.annotation.people import invited, named, read_people, write_people
from pipeline.annotation.row_file import RowFile
from pipeline.annotation.store import PEOPLE_FILE, Store
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say

_GUIDE = "guide.md"


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options of the command line.

    Attributes:
        people: as of `pipeline.annotation.people.named`; empty for those who are known.
        new_links: whether links that were printed before end.
        double: share of the rows that two people label.
    """

    product: str
    people: str
    port: int
    host: str
    double: float
    new_links: bool
    json: bool


def annotate(root: Path, request: Request) -> None:
    """Serves the page until it is stopped.

    Raises:
        DataError: validate has not run, or a name is none.
        PipelineError: a server of the product runs already.
    """
    params = resolved(root, Variation(product=request.product))
    folder = annotation_folder(root, params.product.name)
    rows = rows_of(root, params.product.name, said=request.product)
    wanted = named(request.people) if request.people else {}
    file = folder / PEOPLE_FILE
    people, tokens = invited(read_people(file), wanted, others_end=request.new_links)

    def started(url: str, store: Store) -> None:
        write_people(file, people)
        _tell(store, {name: f"{url}/#{token}" for name, token in tokens.items()}, request)

    run_server(
        folder,
        rows=rows,
        people=people,
        assignment=assignment_of(root, params),
        double_share=request.double,
        host=request.host,
        port=request.port,
        started=started,
    )


def publish_votes(root: Path, product: str) -> dict[str, Any]:
    """Publishes what people answered to annotations/; returns the manifest.

    Raises:
        DataError: validate has not run, or a log is damaged.
    """
    from pipeline.annotation.publishing import publication, publish

    params = resolved(root, Variation(product=product))
    folder = annotation_folder(root, params.product.name)
    found = publication(
        folder,
        rows=RowFile(rows_of(root, params.product.name, said=product)),
        people=read_people(folder / PEOPLE_FILE),
        assignment=assignment_of(root, params),
        seed=params.compute.seed,
    )
    return publish(found, Paths(root).annotations, product=params.product.name)


def assignment_of(root: Path, params: Params) -> Assignment:
    """The question that the product puts to its annotators, with the guide as it is in annotations/."""
    product, guide = params.product, Paths(root).annotations / _GUIDE
    return Assignment(
        product=product.name,
        problem=product.problem,
        labels=tuple(product.labels),
        pairs=product.pairs,
        guide=guide.read_text(encoding="utf-8") if guide.is_file() else "",
    )


def as_text(manifest: Mapping[str, Any]) -> str:
    """The manifest of what was published, in words."""
    given = ", ".join(f"{name} {count:,}" for name, count in manifest["people"].items()) or "nobody"
    lines = [f"{manifest['rows']:,} rows with {manifest['votes']:,} labels ({given})"]
    if manifest["alpha"] is not None:
        low, high = manifest["interval"]
        lines.append(
            f"agreement: Krippendorff's alpha {manifest['alpha']:.3f} (95 % interval {low:.3f} to"
            f" {high:.3f}) on {manifest['double_rows']:,} rows that two or more people labelled"
        )
    else:
        lines.append(
            "agreement: not measured, for no row has labels of two people that could differ"
        )
    left_out = {"skipped": manifest["skips"], **manifest["left_out"]}
    lines += [f"left out: {count:,}, {why}" for why, count in left_out.items() if count]
    return "\n".join(lines)


def _tell(store: Store, links: Mapping[str, str], request: Request) -> None:
    """Prints the links and how many rows wait."""
    if request.json:
        people = [{"name": name, "link": link} for name, link in links.items()]
        say(json.dumps({"people": people, "queue": store.unlabelled}, ensure_ascii=False))
        return
    width = max(map(len, links))
    for name, link in links.items():
        say(f"{name:<{width}}  {link}")
    for person, size in store.torn.items():
        say(
            f"{person}: {size} bytes of an unfinished line were set aside; it was never acknowledged."
        )
    say(
        f"{store.unlabelled:,} rows wait for a label. Each link is one person's: give it to nobody else."
    )
    say("Ctrl-C stops the page; every label that it showed as saved is on the disk.")
