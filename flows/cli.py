"""`modelyard`, the command line of this project; `modelyard VERB --help` explains a verb.

`--product FILE` in any verb means another product than that of product.yaml. Exit codes: 0 done; 1
after one message (what it got, what it expected, what to do next); 2 after a wrong call; 130 when
stopped. `make` calls the same verbs. Modules are imported when their verb
runs, so that `modelyard build` with nothing to do imports neither Prefect nor MLflow nor torch.
"""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.execution.stop_signals import stop_once
from pipeline.core.disk import disk_full
from pipeline.core.errors import PipelineError
from pipeline.core.progress import say
from pipeline.core.telemetry import switch_off_telemetry

if TYPE_CHECKING:
    from flows.planning.resolution import Variation

MAKE_VARIABLE = "MODELYARD_SET"
"""Holds make's SET: `section.key=value` words, quoted as in a shell."""
PRODUCT_VARIABLE = "MODELYARD_PRODUCT"
"""Holds make's PRODUCT: a product file, or the name of a product that has one."""

MENDING = ("build", "retrain", "ui", "serve")
"""The verbs that first mend what killed processes left."""

Runner = Callable[[argparse.Namespace], int | None]
"""Runs a verb; returns the exit code, or None for 0."""
Adder = Callable[[Runner, str], argparse.ArgumentParser]
"""Adds a verb by the function that runs it, which has its name, and what it does."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb; returns the exit code."""
    options = parse_arguments(sys.argv[1:] if arguments is None else arguments)
    switch_off_telemetry()
    stop_once()  # so that stages are ended and the worktree is removed
    try:
        if options.verb in MENDING:
            _mend(Path.cwd())
        code: int | None = options.run(options)
    except (PipelineError, OSError) as error:
        told = error if isinstance(error, PipelineError) else disk_full(error)
        if told is None:
            raise
        say("")
        print(f"{options.verb} failed\n  {told}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command to go on.", file=sys.stderr, flush=True)
        return 130
    return code or 0


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The verb and its options; `section.key=value` may be anywhere among them."""
    parser = make_parser()
    options, rest = parser.parse_known_args(arguments)
    # Taken out, so that what this process starts does not take it for its own.
    product = os.environ.pop(PRODUCT_VARIABLE, "")
    if "product" in options:
        options.product = options.product or product
    if not hasattr(options, "changes"):
        if rest:
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        return options
    # argparse hands back the words after an option, which it does not take for the positional.
    options.changes = [*options.set, *options.changes, *rest]
    for word in options.changes:
        if "=" not in word or word.startswith("-"):
            parser.error(f"{word!r}: expected section.key=value, for example finetune.epochs=1")
    try:
        options.changes = [*shlex.split(os.environ.pop(MAKE_VARIABLE, "")), *options.changes]
    except ValueError as error:
        parser.error(f"SET: {error}, for a value is quoted as in a shell")
    return options


def make_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="modelyard", description="From raw text to a compressed model that is served."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(run: Runner, text: str) -> argparse.ArgumentParser:
        name, whole = run.__name__.removeprefix("_"), f"{text[:1].upper()}{text[1:]}."
        added = verbs.add_parser(name, help=text, description=whole)
        added.set_defaults(run=run)
        return added

    _add_new(verb(_new, "look at a file of labelled texts and write the product file for it"))
    _add_data(
        verb(
            _data, "check files of texts; fetch sources; name data versions, list and compare them"
        )
    )
    _add_labels(
        verb(
            _labels,
            "publish what people labelled; take labels from other tools, write them for others",
        )
    )
    _add_guide(verb(_guide, "write a first guide for the people who label"))
    build = verb(_build, "run the stages that are stale, then release what the gate passed")
    _add_changes(build)
    flag = partial(build.add_argument, action="store_true")
    flag("--no-release", "--no-deploy", help="stop after the gate")
    flag("--release", "--deploy", help="also release a build with key=value")
    _add_adopt(verb(_adopt, "take a model that was trained elsewhere to a served bundle"))
    _add_release_verbs(verb)
    _add_retrain(verb(_retrain, "build a commit from new data; release only what is not worse"))
    _add_changes(verb(_search, "try recipes until one meets product.requirements"))
    _add_serving_verbs(verb)
    _add_batch(verb(_batch, "answer all texts of a file with the released model"))
    compare = verb(_compare, "show the models of all builds here in one table")
    compare.add_argument("--all", action="store_true", help="variants without a test figure, too")
    _add_product(compare, "builds of this product alone")
    _add_annotate(verb(_annotate, "serve the page on which people label rows; print their links"))
    _add_glue(verb(_glue, "fine-tune on the GLUE tasks; table, report and submission"))
    _add_looking_verbs(verb)
    return parser


def _add_new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="CSV, TSV, JSON or Parquet; it is not changed")
    parser.add_argument("--yes", action="store_true", help="ask nothing: take what is found")
    parser.add_argument("--name", default="", help="name of the product; else after the file")
    parser.add_argument("--text", default="", metavar="COLUMN", help="the column of the texts")
    parser.add_argument("--label", default="", metavar="COLUMN", help="the column of the labels")
    labels = "names of the labels, where nobody has labelled the texts yet"
    parser.add_argument("--labels", default="", metavar="NAME,NAME", help=labels)
    second = "the column of the second texts, for a product of pairs"
    parser.add_argument("--second-text", default="", metavar="COLUMN", help=second)
    corpus = "more texts of the same kind, without labels"
    parser.add_argument("--corpus", type=Path, metavar="FILE", help=corpus)
    parser.add_argument("--out", type=Path, default=Path("product.yaml"), metavar="FILE")
    parser.add_argument("--force", action="store_true", help="overwrite a product file")


def _add_data(parser: argparse.ArgumentParser) -> None:
    from flows.data_verbs import add_data_verbs

    add_data_verbs(parser)


def _add_labels(parser: argparse.ArgumentParser) -> None:
    from flows.labels_verbs import add_label_verbs

    add_label_verbs(parser)


def _add_guide(parser: argparse.ArgumentParser) -> None:
    from flows.guide_verbs import add_guide_verbs

    add_guide_verbs(parser)


def _add_changes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "changes", nargs="*", metavar="section.key=value", help="parameters for this run alone"
    )
    parser.add_argument("--set", action="append", default=[], help=argparse.SUPPRESS)
    parser.add_argument("--profile", help="name of a file in profiles/, applied first")
    _add_product(parser, "a product file, or its product's name; else product.yaml")


def _add_adopt(parser: argparse.ArgumentParser) -> None:
    from flows.adopt import add_adopt

    add_adopt(parser)
    _add_product(parser, "a product file, or its product's name; else product.yaml")


def _add_retrain(parser: argparse.ArgumentParser) -> None:
    _add_changes(parser)
    flag = partial(parser.add_argument, action="store_true")
    parser.add_argument("--branch", default="", help="build its newest commit; else the one here")
    flag("--working-tree", help="build the files as they are here, committed or not")
    parser.add_argument(
        "--commit-to", default="", metavar="BRANCH", help="commit the results there"
    )
    parser.add_argument("--key", default="", help="of a trigger: the work of one key is done once")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for record and ledger")
    flag("--accept-champion", help="vouch for the champion: compare with it alone")
    flag("--as-written", help="forget changes that an earlier retraining was released with")


def _add_product(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--product", default="", metavar="FILE", help=text)


def _add_release_verbs(verb: Adder) -> None:
    named = "a product file, or a product's name; else product.yaml"
    release = verb(_release, "release a bundle: copy, try, promote, verify, register")
    release.add_argument("bundle", nargs="?", type=Path, help="its folder; else artifacts/gate's")
    release.add_argument("--port", type=int, help="where a new server should listen")
    # The spellings before there were verbs for it.
    release.add_argument("--rollback", nargs="?", const="", help=argparse.SUPPRESS)
    release.add_argument("--at", type=datetime.fromisoformat, help=argparse.SUPPRESS)
    rollback = verb(_rollback, "bring back the bundle that served before, or another one")
    rollback.add_argument("--to", default="", metavar="HASH", help="beginning of its hash")
    rollback.add_argument("--why", default="asked for", metavar="TEXT", help="for the ledger")
    rollback.add_argument("--port", type=int, help="where a new server should listen")
    releases = verb(_releases, "list what was ever in production, oldest first")
    at = verb(_at, "say what answered at a time")
    at.add_argument("time", type=datetime.fromisoformat, help="local, unless it names a zone")
    for parser in (releases, at):
        parser.add_argument("--json", action="store_true", help="for a program")
    verify = verb(_verify, "say whether anybody altered what releases wrote down")
    for parser in (release, rollback, releases, at):
        _add_product(parser, named)
    _add_shadow(verb(_shadow, "try a bundle on a copy of real traffic; say how it stands"))
    _add_product(verify, "of this product; else of every one that was released here")


def _add_shadow(parser: argparse.ArgumentParser) -> None:
    from flows.shadow_verbs import add_shadow_verbs

    add_shadow_verbs(parser)


def _add_serving_verbs(verb: Adder) -> None:
    serve = verb(_serve, "serve the released model, detached; print its address")
    serve.add_argument("--port", type=int, help="else MODELYARD_PORT, else 8000; or the next free")
    _add_product(serve, "a product file, or a product's name; else product.yaml")
    _add_edge(verb(_edge, "write a folder that runs the released model in a browser; compare it"))
    ui = verb(_ui, "start Prefect, MLflow and the worker that runs forms and schedules")
    ui.add_argument("--prefect-port", type=int, default=4200, help="4200 or the next free one")
    ui.add_argument("--mlflow-port", type=int, default=5000, help="5000 or the next free one")
    verb(_stop, "stop what serve and ui started")
    tidy = verb(_tidy, "remove what nothing names any more; say what and how much")
    tidy.add_argument(
        "--keep", type=_count, default=10, metavar="N", help="newest to keep; else 10"
    )
    tidy.add_argument("--dry-run", action="store_true", help="say it and remove nothing")


def _add_batch(parser: argparse.ArgumentParser) -> None:
    from flows.batch_verb import add_options

    add_options(parser)


def _add_edge(parser: argparse.ArgumentParser) -> None:
    from flows.edge import add_edge_options

    add_edge_options(parser)
    _add_product(parser, "a product file, or a product's name; else product.yaml")


def _count(text: str) -> int:
    """A number of things, for argparse; 0 or more."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r}: expected 0 or more")
    return int(text)


def _add_annotate(parser: argparse.ArgumentParser) -> None:
    people = (
        "who labels, with a role where it is not annotator: ann,bob:lead; else all who are known"
    )
    parser.add_argument("--people", default="", metavar="NAME,NAME", help=people)
    parser.add_argument("--port", type=_count, default=8300, help="8300 or the next free one")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; else this machine"
    )
    drawn = "draw a QR code of each link; a terminal gets one where --host is given"
    parser.add_argument("--qr", action="store_true", help=drawn)
    double = "share of the rows that two people label blind; else 0.2"
    parser.add_argument("--double", type=_share, default=0.2, metavar="SHARE", help=double)
    order = "rows from which a model learns most first, or all by chance; else active"
    parser.add_argument("--order", choices=["active", "random"], default="active", help=order)
    by_chance = "share of the rows that an active order leaves to chance; else 0.2"
    parser.add_argument("--random-share", type=_share, default=0.2, metavar="SHARE", help=by_chance)
    shown = "share of the rows with a model's answer in sight, at most 0.9; else 0"
    parser.add_argument("--suggestions", type=_share, default=0.0, metavar="SHARE", help=shown)
    ends = "links that were printed before stop working"
    parser.add_argument("--new-links", action="store_true", help=ends)
    parser.add_argument("--json", action="store_true", help="for a program")
    _add_product(parser, "a product file, or its product's name; else product.yaml")


def _share(text: str) -> float:
    """A share for argparse; 0 to 1."""
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number from 0 to 1, such as 0.2")
    return share


def _add_glue(parser: argparse.ArgumentParser) -> None:
    _add_changes(parser)
    rows = parser.add_mutually_exclusive_group(required=True)
    rows.add_argument("--data", type=Path, metavar="DIR", help="official files, one folder a task")
    rows.add_argument("--datasets", metavar="NAME_OR_FOLDER", help="what `datasets` reads")
    parser.add_argument("--tasks", default="", help="CoLA,MRPC,…; else all that are there")
    parser.add_argument("--encoder", type=Path, metavar="FOLDER", help="a checkpoint's folder")
    parser.add_argument("--seeds", default="1", help="1,2,3")
    parser.add_argument("--seen", metavar="NAMES", help="data sets the encoder was trained on")


def _add_looking_verbs(verb: Adder) -> None:
    stage = verb(_stage, "run one stage by hand, in the environment of a build")
    stage.add_argument("stage", metavar="NAME", help="prune, for example")
    _add_product(stage, "on what this product's last build left; else product.yaml")
    how = stage.add_mutually_exclusive_group()
    how.add_argument("--force", action="store_true", help="even where it is up to date")
    how.add_argument("--plain", action="store_true", help="without DVC, for a debugger")
    explain = verb(_explain, "say what a parameter is, where it is read, what reruns")
    explain.add_argument("key", metavar="section.key")
    explain.add_argument("--json", action="store_true", help="for a program")
    explain.add_argument("--profile", help="name of a file in profiles/, applied first")
    _add_product(explain, "a product file, or its product's name; else product.yaml")
    why = verb(_why, "say why the last retrainings ran, and how they ended")
    why.add_argument("count", nargs="?", type=int, default=5, metavar="N", help="how many; else 5")
    why.add_argument("--json", action="store_true", help="for a program")
    _add_product(why, "of this product alone")
    _add_changes(verb(_check, "say whether a build could start, without building"))


def variation_of(options: argparse.Namespace) -> "Variation":
    """How the command's build differs from the one in the project's folder."""
    from flows.planning.resolution import Variation

    named, changes = vars(options), getattr(options, "changes", ())
    profile = named.get("profile") or ""
    return Variation(product=options.product, profile=profile, changes=tuple(changes))


def wants_release(options: argparse.Namespace) -> bool:
    """Whether to release: a build with `key=value` is an experiment, and only where that is asked."""
    names = ("NO_RELEASE", "NO_DEPLOY")
    if options.no_release or any(os.environ.get(name, "0") not in ("", "0") for name in names):
        return False
    return bool(options.release or options.profile or not options.changes)


def _run_flow(name: str, **parameters: Any) -> None:
    from flows.orchestration.flow_runs import run_flow

    run_flow(Path.cwd(), f"flows.orchestration.{name}", **parameters)


def _mend(root: Path) -> None:
    """Ends what killed processes left unfinished."""
    from flows.execution.reconcile import reconcile

    reconcile(root)


def _new(options: argparse.Namespace) -> None:
    from flows.new import Request, ask_on_terminal, make_product, require_terminal

    if not options.yes:
        require_terminal()
    request = Request(
        file=options.file,
        out=options.out,
        name=options.name,
        text=options.text,
        second=options.second_text,
        label=options.label,
        labels=[name.strip() for name in options.labels.split(",")] if options.labels else (),
        corpus=options.corpus,
        asks=not options.yes,
        force=options.force,
    )
    make_product(Path.cwd(), request, ask=ask_on_terminal)
    product = "" if options.out == Path("product.yaml") else f" PRODUCT={options.out}"
    say(f"Next: make pipeline{product}")


def _data(options: argparse.Namespace) -> int:
    from flows.data_verbs import run_data_verb

    return run_data_verb(Path.cwd(), options)


def _labels(options: argparse.Namespace) -> int:
    from flows.labels_verbs import run_label_verb

    return run_label_verb(Path.cwd(), options)


def _guide(options: argparse.Namespace) -> None:
    from flows.guide_verbs import run_guide_verb

    run_guide_verb(Path.cwd(), options)


def _build(options: argparse.Namespace) -> None:
    from flows.build import finish_without_work
    from flows.check import check_before_build

    root, release, variation = Path.cwd(), wants_release(options), variation_of(options)
    if finish_without_work(root, variation, release=release):
        return
    check_before_build(root)
    _run_flow("build_flow.build", **_form_of(variation), release=release)


def _adopt(options: argparse.Namespace) -> int:
    from flows.adopt import AdoptRequest, ProcessFailedError, adopt, make_rows

    if options.path is None:
        make_rows(Path.cwd(), variation_of(options))
        return 0
    model = AdoptRequest(
        path=options.path, class_name=options.class_name, name=options.name, licence=options.licence
    )
    try:
        adopt(
            Path.cwd(),
            model,
            variation_of(options),
            release=wants_release(options),
            port=options.port,
        )
    except ProcessFailedError:  # it has said why
        return 1
    return 0


def _retrain(options: argparse.Namespace) -> None:
    from flows.tracking.runs import done_before

    key = options.key
    if key and (done := done_before(Path.cwd(), key)) is not None:
        say(f"The work of the key {key!r} was done before, by run {done.id}: {done.why}")
        return
    _run_flow(
        "retrain_flow.retrain",
        **_form_of(variation_of(options)),
        reason=options.reason or (f"trigger {key}" if key else "by hand"),
        branch=options.branch,
        commit_to=options.commit_to,
        key=key,
        working_tree=options.working_tree,
        accept_champion=options.accept_champion,
        as_written=options.as_written,
    )


def _search(options: argparse.Namespace) -> None:
    _run_flow("search_flow.compress_search", **_form_of(variation_of(options)))


def _form_of(variation: "Variation") -> dict[str, Any]:
    """The variation as the parameters of a flow."""
    return asdict(variation) | {"changes": list(variation.changes)}


def _release(options: argparse.Namespace) -> None:
    from flows.build import release_last_build
    from flows.release import DEFAULT_BUNDLE, release_bundle

    if options.at is not None:
        _at(argparse.Namespace(product=options.product, time=options.at, json=False))
        return
    if options.rollback is not None:
        options.to, options.why = options.rollback, "asked for"
        _rollback(options)
        return
    root, bundle, port = Path.cwd(), options.bundle or Path(DEFAULT_BUNDLE), options.port
    if options.product and options.bundle is None:
        release_last_build(root, variation_of(options), port=port)
        return
    asked = {"mlflow_run_id": None, "why": "asked for", "port": port}
    release = release_bundle(root=root, bundle=bundle, **asked)
    say(f"{release.name}: {release.outcome}. {release.address}/")


def _rollback(options: argparse.Namespace) -> None:
    from flows.rollback import product_in_production, roll_back

    root = Path.cwd()
    product = product_in_production(root, options.product)
    roll_back(root, product, to=options.to, why=options.why, port=options.port)


def _releases(options: argparse.Namespace) -> None:
    from flows.releases import as_table, releases_of
    from flows.rollback import product_in_production

    root = Path.cwd()
    lines = releases_of(root, product_in_production(root, options.product))
    say(_json([asdict(line) for line in lines]) if options.json else as_table(lines))


def _at(options: argparse.Namespace) -> None:
    from flows.releases import answered
    from flows.rollback import product_in_production

    root = Path.cwd()
    answer = answered(root, product_in_production(root, options.product), options.time)
    say(_json(asdict(answer)) if options.json else answer.sentence)


def _verify(options: argparse.Namespace) -> None:
    from flows.releases import verify_releases

    say(verify_releases(Path.cwd(), options.product))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _shadow(options: argparse.Namespace) -> int:
    from flows.shadow_verbs import run_shadow_verb

    return run_shadow_verb(Path.cwd(), options)


def _serve(options: argparse.Namespace) -> None:
    from flows.execution.network import requested_port
    from flows.release import product_named
    from flows.serve import serve, tell_registry

    root = Path.cwd()
    product = product_named(root, options.product)
    server = serve(root, product, options.port or requested_port())
    address = f"The model is served at {server.address.url}/"
    say(f"{address}  (process {server.pid}; `make stop` ends it)")
    tell_registry(root, product)


def _batch(options: argparse.Namespace) -> None:
    from flows.batch_verb import run

    run(Path.cwd(), options)


def _edge(options: argparse.Namespace) -> int:
    from flows.edge import write_edge

    return write_edge(Path.cwd(), options)


def _ui(options: argparse.Namespace) -> None:
    from flows.ui import start_ui

    ports = {"prefect_port": options.prefect_port, "mlflow_port": options.mlflow_port}
    services = start_ui(Path.cwd(), **ports)
    say(f"Prefect  {services.prefect_ui}/deployments")
    say(f"MLflow   {services.mlflow}")
    say("The worker runs what forms and schedules ask for. `make stop` ends all of it.")


def _stop(options: argparse.Namespace) -> None:
    del options
    from flows.ui import stop

    stopped = stop(Path.cwd())
    say(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing ran.")


def _tidy(options: argparse.Namespace) -> None:
    from flows.tidy import tidy

    tidy(Path.cwd(), keep=options.keep, dry_run=options.dry_run)
    if options.dry_run:
        say("Nothing was removed: --dry-run.")


def _compare(options: argparse.Namespace) -> None:
    from flows.compare import comparison, read_builds
    from flows.release import product_named

    root = Path.cwd()
    product = product_named(root, options.product) if options.product else ""
    say(comparison(read_builds(root, product=product), every=options.all))


def _annotate(options: argparse.Namespace) -> None:
    from flows.annotate import Request, annotate

    request = Request(
        product=options.product,
        people=options.people,
        port=options.port,
        host=options.host,
        double=options.double,
        order=options.order,
        random_share=options.random_share,
        suggestions=options.suggestions,
        new_links=options.new_links,
        json=options.json,
        qr=options.qr,
    )
    annotate(Path.cwd(), request)


def _glue(options: argparse.Namespace) -> None:
    from flows.glue import evaluate_on_glue

    evaluate_on_glue(Path.cwd(), options, variation_of(options))


def _stage(options: argparse.Namespace) -> None:
    from flows.execution.by_hand import run_by_hand

    how = {"force": options.force, "plain": options.plain}
    run_by_hand(Path.cwd(), options.stage, **how, variation=variation_of(options))


def _explain(options: argparse.Namespace) -> None:
    from flows.explain import explain

    found = explain(Path.cwd(), options.key, variation_of(options))
    if options.json:
        say(json.dumps(asdict(found), ensure_ascii=False, indent=2))
        return
    say(f"{found.key} = {json.dumps(found.value, ensure_ascii=False)}    ({found.kind})")
    say(f"  stands in: {found.file}")
    if found.here:
        say(f"  here: {found.here}")
    say(f"  {found.meaning}")
    say(f"  read at: {', '.join(found.read) or 'no line by name'}")
    say(f"  declared by: {', '.join(found.declared_by) or 'no stage'}")
    say(f"  reruns: {', '.join(found.reruns) or 'no stage'}")


def _why(options: argparse.Namespace) -> None:
    from flows.release import product_named
    from flows.why import as_json, as_text, last_runs

    root = Path.cwd()
    product = product_named(root, options.product) if options.product else ""
    runs = last_runs(root, count=options.count, product=product)
    say(as_json(runs) if options.json else as_text(runs))


def _check(options: argparse.Namespace) -> None:
    from flows.check import checked

    for line in checked(Path.cwd(), variation_of(options)):
        say(line)
    say("A build can start.")
