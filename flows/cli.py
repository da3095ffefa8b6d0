"""`modelyard`, the command line of this project; `modelyard VERB --help` explains a verb.

Exit codes: 0 done; 1 after one message (what it got, what it expected, what to do next); 2 after a
wrong call; 130 when stopped. `make` calls the same verbs. Modules are imported when their verb
runs, so that `modelyard build` with nothing to do imports neither Prefect nor MLflow nor torch.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from flows.console.arguments import parse_arguments
from flows.execution.telemetry import switch_off_telemetry
from pipeline.core.errors import PipelineError
from pipeline.core.progress import say


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb; returns the exit code."""
    options = parse_arguments(sys.argv[1:] if arguments is None else arguments)
    switch_off_telemetry()
    # As Ctrl-C, so that stages are ended and the worktree removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _VERBS[options.verb](options)
    except PipelineError as error:
        say("")
        print(f"{options.verb} failed\n  {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command to go on.", file=sys.stderr, flush=True)
        return 130
    return 0


def _profile(options: argparse.Namespace) -> list[str]:
    from flows.build import read_profile

    return read_profile(Path.cwd(), options.profile) if options.profile else []


def _all_changes(options: argparse.Namespace) -> list[str]:
    return [*_profile(options), *options.changes]


def wants_release(options: argparse.Namespace) -> bool:
    """A build with `key=value` is an experiment: it is released only where that is asked for."""
    names = ("NO_RELEASE", "NO_DEPLOY")
    forbidden = any(os.environ.get(name, "0") not in ("", "0") for name in names)
    if options.no_release or forbidden:
        return False
    return bool(options.release or options.profile or not options.changes)


def _build(options: argparse.Namespace) -> None:
    from flows.build import finish_without_work
    from flows.check import check_before_build

    root, release = Path.cwd(), wants_release(options)
    changes = _all_changes(options)
    if finish_without_work(root, changes=changes, release=release):
        return
    check_before_build(root)
    from flows.orchestration.prefect_server import run_flow

    say("Starting Prefect …")
    run_flow(root, "flows.orchestration.build_flow.build", changes=changes, release=release)


def _retrain(options: argparse.Namespace) -> None:
    from flows.orchestration.prefect_server import run_flow

    reason = "asked for on the command line"
    flow = "flows.orchestration.retrain_flow.retrain"
    run_flow(Path.cwd().resolve(), flow, changes=_all_changes(options), reason=reason)


def _search(options: argparse.Namespace) -> None:
    from flows.orchestration.prefect_server import run_flow

    flow = "flows.orchestration.search_flow.compress_search"
    run_flow(Path.cwd().resolve(), flow, changes=_all_changes(options))


def _release(options: argparse.Namespace) -> None:
    from flows.release import DEFAULT_BUNDLE, former_bundle, product_of, release_at, release_bundle

    root = Path.cwd().resolve()
    bundle, why = options.bundle or Path(DEFAULT_BUNDLE), "asked for"
    if options.at is not None:
        say(release_at(root, options.product or product_of(root), options.at))
        return
    if options.rollback is not None:
        bundle = former_bundle(root, options.product or product_of(root), options.rollback)
        why = "rolled back by hand"
    release = release_bundle(
        root=root, bundle=bundle, mlflow_run_id=None, why=why, port=options.port
    )
    say(f"Version {release.version} ({release.hash[:12]}): {release.outcome}. {release.address}/")


def _serve(options: argparse.Namespace) -> None:
    from flows.execution.network import requested_port
    from flows.release import product_of
    from flows.serve import serve

    root = Path.cwd()
    server = serve(root, options.product or product_of(root), options.port or requested_port())
    say(
        f"The model is served at {server.address.url}/  (process {server.pid}; `make stop` ends it)"
    )


def _ui(options: argparse.Namespace) -> None:
    from flows.ui import start_ui

    root = Path.cwd().resolve()
    services = start_ui(root, prefect_port=options.prefect_port, mlflow_port=options.mlflow_port)
    say(f"Prefect  {services.prefect_ui}/deployments")
    say(f"MLflow   {services.mlflow}")
    say("The worker runs what forms and schedules ask for. `make stop` ends all of it.")


def _stop_all(options: argparse.Namespace) -> None:
    del options
    from flows.ui import stop

    stopped = stop(Path.cwd().resolve())
    say(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing ran.")


def _compare(options: argparse.Namespace) -> None:
    from flows.compare import comparison, read_builds

    say(comparison(read_builds(Path.cwd()), every=options.all))


def _glue(options: argparse.Namespace) -> None:
    from flows.glue import evaluate_on_glue

    evaluate_on_glue(
        Path.cwd(),
        rows=options.data or options.datasets,
        encoder=options.encoder,
        tasks=options.tasks,
        seeds=options.seeds,
        seen=options.seen,
        profile=_profile(options),
        changes=options.changes,
    )


def _stage(options: argparse.Namespace) -> None:
    from flows.execution.by_hand import run_by_hand

    run_by_hand(Path.cwd(), options.stage, force=options.force, plain=options.plain)


def _explain(options: argparse.Namespace) -> None:
    from flows.explain import explain

    found = explain(Path.cwd(), options.key)
    if options.json:
        say(json.dumps(asdict(found), ensure_ascii=False, indent=2))
        return
    say(f"{found.key} = {json.dumps(found.value, ensure_ascii=False)}    ({found.kind})")
    say(f"  {found.meaning}")
    say(f"  read at: {', '.join(found.read) or 'no line by name'}")
    say(f"  declared by: {', '.join(found.declared_by) or 'no stage'}")
    say(f"  reruns: {', '.join(found.reruns) or 'no stage'}")


def _check(options: argparse.Namespace) -> None:
    from flows.check import checked

    for line in checked(Path.cwd(), changes=_all_changes(options)):
        say(line)
    say("A build can start.")


_VERBS: dict[str, Callable[[argparse.Namespace], None]] = {
    "build": _build,
    "release": _release,
    "retrain": _retrain,
    "search": _search,
    "serve": _serve,
    "ui": _ui,
    "stop": _stop_all,
    "compare": _compare,
    "glue": _glue,
    "stage": _stage,
    "explain": _explain,
    "check": _check,
}
