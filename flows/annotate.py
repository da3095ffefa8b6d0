"""People label rows of the last build on a page of this machine; their labels are published later.

    modelyard annotate [--people ann,bob:lead] [--port 8300] [--host ADDRESS] [--qr] [--product NAME] [--order active] [--json]

Prints a private link a person and serves until Ctrl-C. What people answer is in
.modelyard/annotation/<product>/, where no stage looks: labelling makes nothing stale and disturbs no
build. `modelyard labels` publishes it to annotations/ (pipeline/annotation/publishing.py).
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from flows.console.qr_code import can_be_drawn, qr_code
from flows.execution.row_scores import Scorer, rescoring, score_request
from flows.execution.rows_to_label import annotation_folder, goal_of, keep_answers, rows_of
from flows.planning.resolution import Variation, resolved
from pipeline.annotation.assignment import Assignment
from pipeline.annotation.gold_items import GOLD_FILE, read_gold
from pipeline.annotation.guide_versions import GUIDE_FILE, GUIDE_FOLDER, publish_guide
from pipeline.annotation.label_server import run_server
from pipeline.annotation.people import invited, named, read_people, write_people
from pipeline.annotation.published_votes import owner_of
from pipeline.annotation.row_file import RowFile
from pipeline.annotation.store import PEOPLE_FILE, Store
from pipeline.annotation.suggestions import Suggestions
from pipeline.core.addresses import is_loopback
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options of the command line.

    Attributes:
        people: as of `pipeline.annotation.people.named`; empty for those who are known.
        new_links: whether links that were printed before end.
        double: share of the rows that two people label.
        qr: whether a QR code is drawn under each link; else where a phone can open it and a terminal is there.
        order: `random`, or `active` for rows from which a model learns most.
        random_share: share of the rows that is asked by chance alone where the order is active.
        suggestions: share of the rows with a model's answer in sight.
    """

    product: str
    people: str
    port: int
    host: str
    double: float
    new_links: bool
    json: bool
    qr: bool = False
    order: Literal["random", "active"] = "random"
    random_share: float = 0.2
    suggestions: float = 0.0


def annotate(root: Path, request: Request, *, scorer: Scorer = rescoring) -> None:
    """Serves the page until it is stopped.

    Args:
        scorer: makes the function that scores rows beside the server.

    Raises:
        DataError: validate has not run, or a name is none.
        PipelineError: a server of the product runs already.
    """
    params = resolved(root, Variation(product=request.product))
    folder = annotation_folder(root, params.product.name)
    rows = rows_of(root, params.product.name, said=request.product)
    keep_answers(root, root)
    wanted = named(request.people) if request.people else {}
    file, assignment = folder / PEOPLE_FILE, assignment_of(params)
    annotations = Paths(root).annotations
    gold = read_gold(annotations / GOLD_FILE, assignment)
    people, tokens = invited(read_people(file), wanted, others_end=request.new_links)

    def started(url: str, store: Store) -> None:
        write_people(file, people)
        if lost := len(gold) - len(store.gold):
            say(
                f"{lost:,} of {len(gold):,} gold items are left out: their rows are not in the data."
            )
        _tell(store, {name: f"{url}/#{token}" for name, token in tokens.items()}, request)

    is_active = request.order == "active"
    wants_scores = is_active or request.suggestions > 0
    tell = _quiet if request.json else say
    scoring = scorer(score_request(root, params, rows), root=root, tell=tell)
    run_server(
        folder,
        rows=rows,
        people=people,
        assignment=assignment,
        double_share=request.double,
        random_share=request.random_share if is_active else 1.0,
        suggestions=Suggestions(share=request.suggestions, seed=params.compute.seed),
        rescore=scoring if wants_scores else None,
        tell=tell,
        host=request.host,
        port=request.port,
        started=started,
        guide_file=guide_file(annotations, params.product.name),
        gold=gold,
        goal=goal_of(root, params.product.name),
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
        assignment=assignment_of(params),
        seed=params.compute.seed,
    )
    guide = partial(publish_guide, folder / GUIDE_FOLDER)
    return publish(found, Paths(root).annotations, product=params.product.name, guide=guide)


def assignment_of(params: Params) -> Assignment:
    """The question that the product puts to its annotators."""
    product = params.product
    return Assignment(
        product=product.name,
        problem=product.problem,
        labels=tuple(product.labels),
        pairs=product.pairs,
    )


def guide_file(annotations: Path, product: str) -> Path | None:
    """The guide that people edit by hand; None where `annotations/` has the labels of another product."""
    return annotations / GUIDE_FILE if owner_of(annotations) in (None, product) else None


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
        lines += [
            f"           {name} {manifest[key]:.3f} ({low:.3f} to {high:.3f})"
            for name, key in (("Gwet's AC1", "ac1"), ("Fleiss' kappa", "kappa"))
            if manifest[key] is not None
            for low, high in [manifest[f"{key}_interval"]]
        ]
    else:
        lines.append(
            "agreement: not measured, for no row has labels of two people that could differ"
        )
    lines += [*_by_guide(manifest)]
    if manifest["disputed"] or manifest["adjudicated"]:
        lines.append(
            f"disputes: {manifest['adjudicated']:,} rows are adjudicated, {manifest['disputed']:,} are open"
            + " (an adjudicator decides them on the page)" * bool(manifest["disputed"])
        )
    left_out = {"skipped": manifest["skips"], **manifest["left_out"]}
    lines += [f"left out: {count:,}, {why}" for why, count in left_out.items() if count]
    return "\n".join(lines)


def _by_guide(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Lines on the guide: the agreement under each version, and a file that was not overwritten."""
    found = manifest["by_guide"]
    for each in found if len(found) > 1 else ():
        name = f"guide {each['guide'][:12]}" if each["guide"] else "without a guide"
        alpha = "not measured"
        if each["alpha"] is not None:
            low, high = each["interval"]
            alpha = f"alpha {each['alpha']:.3f} ({low:.3f} to {high:.3f})"
        yield f"  {name}: {each['votes']:,} labels, {alpha}, {each['double_rows']:,} rows of two or more people"
    if (manifest["guide"] or {}).get("edited_by_hand"):
        yield "annotations/guide.md was edited by hand and stays as it is; `modelyard annotate` takes it as the newest version"


def _quiet(line: str) -> None:
    """Says nothing: a program reads the first line alone."""


def _tell(store: Store, links: Mapping[str, str], request: Request) -> None:
    """Prints the links and how many rows wait."""
    if request.json:
        people = [{"name": name, "link": link} for name, link in links.items()]
        say(json.dumps({"people": people, "queue": store.unlabelled}, ensure_ascii=False))
        return
    width = max(map(len, links))
    for name, link in links.items():
        say(f"{name:<{width}}  {link}")
        if _draws(request):
            say(qr_code(link, colours=sys.stdout.isatty()))
    for person, size in store.torn.items():
        say(
            f"{person}: {size} bytes of an unfinished line were set aside; it was never acknowledged."
        )
    say(
        f"{store.unlabelled:,} rows wait for a label. Open a link in a browser; it is one person's: give it to nobody else."
    )
    product = f" --product {request.product}" if request.product else ""
    say("Ctrl-C stops the page; every label that it showed as saved is on the disk.")
    say(
        f"`modelyard labels{product}` hands the labels in, now or later; the next build learns from them."
    )
    if not is_loopback(request.host):
        say("Links and texts are sent without encryption: use a network that you trust.")
    elif request.qr:
        say(f"A phone cannot open {request.host}: give --host 0.0.0.0 as well.")


def _draws(request: Request) -> bool:
    """Whether QR codes are drawn."""
    wanted = request.qr or (not is_loopback(request.host) and sys.stdout.isatty())
    return wanted and can_be_drawn(sys.stdout.encoding)
