"""Tries a bundle on a copy of real traffic beside the one in production: begins, tells, ends, promotes.

    modelyard shadow start FOLDER [--canary 5%] [--promote]

The server lets the candidate answer in idle time (pipeline/serving/shadow.py) and writes pairs down; the
judge (pipeline/judge) reads them. Nothing is promoted unless that is asked, and then by the release that
any bundle takes.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.console.candidate_words import ShadowStatus, verdict_in_words
from flows.release import keep_origin, passed_verdict, release_bundle, release_limits
from pipeline.core.errors import ReleaseError
from pipeline.judge.candidacy import Candidacy
from pipeline.judge.judgement import Allowance, Judge, JudgeLimits
from pipeline.judge.pair_log import Missed, PairLog
from pipeline.judge.pairs import Pair
from pipeline.release import ledger
from pipeline.release.server_process import running_server, tries_candidates
from pipeline.release.state import ReleaseState

if TYPE_CHECKING:
    from pipeline.release.rollout import ReleaseResult

WAIT_SECONDS = 1.0


def begin(
    root: Path, bundle: Path, *, canary: float = 0.0, other_labels: float | None = None
) -> ShadowStatus:
    """Copies and checks a bundle as a release does, then lets the server try it.

    Args:
        bundle: its folder.
        canary: share of the requests that it answers itself, 0 to 1.
        other_labels: share of the requests that may get another label; None takes the usual one.

    Raises:
        ReleaseError: nothing is in production or no server runs, the gate did not pass the bundle, it
            serves already, another one is being tried, or the candidate's own server fails its checks.
        ArtifactError: the bundle is damaged.
    """
    from pipeline.release.blessing import bless
    from pipeline.release.rollout import bundle_product, copy_bundle, open_own

    root = root.resolve()
    state = ReleaseState(root, bundle_product(bundle))
    passed_verdict(state, bundle)
    with state.lock():
        source = open_own(state, bundle)
        champion = _require_place(state, source.hash)
        copy = copy_bundle(state, source)
        keep_origin(state, bundle)
        bless(state, copy, release_limits(root, bundle, state.product))
        candidacy = Candidacy(
            bundle=copy.hash,
            folder=state.release(copy.hash).relative_to(state.folder).as_posix(),
            canary=canary,
            limits=_limits(other_labels),
        )
        if canary:
            why = f"{canary:.1%} of the requests, until the judge or a person ends it"
            _note(state, "canary", candidacy, champion, why)
        candidacy.save(state.candidate)
    return _read(state, candidacy, champion)


def status(root: Path, product: str) -> ShadowStatus:
    """The candidate that is tried, and the verdict.

    Raises:
        ReleaseError: none is.
    """
    state = ReleaseState(root.resolve(), product)
    champion, candidacy = state.current(), Candidacy.load(state.candidate)
    if candidacy is None or champion is None:
        raise ReleaseError(
            f"no candidate of {product} is tried",
            expected="one beside the bundle in production",
            next_step="begin: `modelyard shadow start FOLDER`, artifacts/gate/bundle say",
        )
    return _read(state, candidacy, champion)


def end(root: Path, product: str) -> ShadowStatus:
    """Stops the server from trying the candidate; the pairs stay. Returns how it stood.

    Raises:
        ReleaseError: none is tried.
    """
    state = ReleaseState(root.resolve(), product)
    with state.lock():
        found = status(root, product)
        state.candidate.unlink()
        _note_end(state, found, promoted=found.champion == found.candidate)
    return found


def promote(
    root: Path, product: str, *, wait: bool, seconds: float = WAIT_SECONDS, **options: Any
) -> "ReleaseResult":
    """Releases the candidate if the judge says so.

    Args:
        wait: wait for the verdict as long as more requests can bring one.
        seconds: from one look to the next.
        options: further ones of `release_bundle`.

    Raises:
        ReleaseError: the judge says "roll back", or nothing yet; or the release failed.
        ChampionChangedError: another bundle came into production meanwhile.
    """
    found = status(root, product)
    while wait and found.open:
        time.sleep(seconds)
        found = status(root, product)
    if found.judgement.outcome != "promote":
        raise _not_promoted(found)
    state = ReleaseState(root.resolve(), product)
    pairs = found.judgement.decided_at
    result = release_bundle(
        root=root,
        bundle=state.release(found.candidate),
        mlflow_run_id=None,
        why=f"the judge said promote after {pairs:,} requests beside {found.champion[:12]}",
        expected_previous=found.champion,
        **options,
    )
    with state.lock():
        state.candidate.unlink(missing_ok=True)
        _note_end(state, found, promoted=True)
    return result


def _read(state: ReleaseState, candidacy: Candidacy, champion: str) -> ShadowStatus:
    """Reads the file of pairs, and says how the candidate stands by it."""
    log = PairLog(state.pairs, champion=champion, candidate=candidacy.bundle)
    judge, dropped, refused = Judge(candidacy.limits), 0, None
    for line in log.read_new():
        if isinstance(line, Pair):
            judge.take(line)
            refused = None  # it has been loaded since
        elif isinstance(line, Missed):
            dropped, refused = dropped + line.dropped, line.refused or refused
    return ShadowStatus(
        champion=champion,
        candidate=candidacy.bundle,
        canary=candidacy.canary,
        judgement=judge.judgement(),
        dropped=dropped,
        damaged=log.damaged,
        refused=refused,
        file=str(log.path.relative_to(state.root)),
    )


def _require_place(state: ReleaseState, candidate: str) -> str:
    """The champion's hash, if a candidate may be tried beside it."""
    champion, tried, server = (
        state.current(),
        Candidacy.load(state.candidate),
        running_server(state),
    )
    if champion is None or server is None:
        raise ReleaseError(
            f"no server of {state.product} with a released model",
            expected="a bundle in production, whose requests the candidate gets too",
            next_step="release one, or `modelyard serve`; the first needs no shadow",
        )
    if not tries_candidates(server):
        raise ReleaseError(
            "a server that an older version started, which tries no candidates",
            expected="a server of this version",
            next_step="run `make stop`, then `make serve`",
        )
    if champion == candidate or tried is not None:
        what = "in production" if champion == candidate else "beside another candidate"
        raise ReleaseError(
            f"the bundle {candidate[:12]}, {what}",
            expected="one candidate at a time, and another bundle than the one in production",
            next_step="build another one, or end with `modelyard shadow stop`",
        )
    return champion


def _limits(other_labels: float | None) -> JudgeLimits:
    usual = JudgeLimits()
    if other_labels is None:
        return usual
    margin = usual.other_label.margin
    return JudgeLimits(other_label=Allowance(allowed=other_labels, margin=margin))


def _not_promoted(found: ShadowStatus) -> ReleaseError:
    return ReleaseError(
        f"candidate {found.candidate[:12]}: {verdict_in_words(found)}",
        expected="the verdict promote",
        next_step="end with `modelyard shadow stop`"
        if not found.open
        else "wait with `modelyard shadow promote --wait`, or release it without the judge",
    )


def _note_end(state: ReleaseState, found: ShadowStatus, *, promoted: bool) -> None:
    """Writes into the ledger that a canary has ended, and that a candidate was refused."""
    words = f"the judge: {verdict_in_words(found)}"
    candidacy = Candidacy(bundle=found.candidate, folder="", canary=found.canary)
    if found.canary:
        _note(state, "canary_ended", candidacy, found.champion, words)
    if found.judgement.outcome == "roll back" and not promoted:
        _note(state, "refused", candidacy, found.champion, words)


def _note(
    state: ReleaseState, event: ledger.Event, candidacy: Candidacy, champion: str, why: str
) -> None:
    entry = ledger.Entry(event=event, hash=candidacy.bundle, previous=champion, why=why)
    ledger.append(state, entry)
