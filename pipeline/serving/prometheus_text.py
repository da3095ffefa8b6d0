"""Writes `/metrics`: a server's counters in the text format of Prometheus, version 0.0.4.

Counters are the sums over all workers, so it does not matter which worker a scrape meets. What belongs to one
process (its memory, the model that it serves) has the label `worker`, the number of its slot.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from pipeline.serving.tally import BUCKETS, Tally, Totals, Worker

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PROCESSES = Path("/proc")
Sample = tuple[str, float]
_HELP: Mapping[str, tuple[str, str]] = {
    "modelyard_requests_total": ("counter", "Requests answered, by route and status"),
    "modelyard_request_duration_seconds": (
        "histogram",
        "Seconds from a request's headers to the end of its answer, by route",
    ),
    "modelyard_refusals_total": ("counter", "Requests refused before any work, by reason"),
    "modelyard_texts_computed_total": ("counter", "Texts, or pairs, whose answer was computed"),
    "modelyard_log_lines_lost_total": ("counter", "Lines of the access log that had no room"),
    "modelyard_requests_waiting": ("gauge", "Requests that wait for their turn"),
    "modelyard_requests_running": ("gauge", "Requests that have a thread of the model"),
    "modelyard_ready": ("gauge", "1 if the worker that answers this has a model and does not stop"),
    "modelyard_model_info": ("gauge", "The model that each worker serves"),
    "process_resident_memory_bytes": ("gauge", "Memory of each worker, in bytes"),
}


def labels_of(**values: str) -> str:
    """`{name="value",…}`, with what the format does not take as it is escaped."""
    escaped = {
        name: value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        for name, value in values.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"


def metrics_text(tally: Tally, *, ready: bool) -> str:
    """The whole page."""
    totals = tally.totals()
    families = {
        "modelyard_requests_total": [
            (labels_of(route=route, status=status), float(found))
            for (route, status), found in totals.requests.items()
        ],
        "modelyard_refusals_total": [
            (labels_of(reason=reason), float(found)) for reason, found in totals.refusals.items()
        ],
        **{f"modelyard_{name}_total": [("", float(n))] for name, n in totals.counts.items()},
        **{f"modelyard_{name}": [("", float(level))] for name, level in totals.levels.items()},
        "modelyard_ready": [("", float(ready))],
        "modelyard_model_info": [
            ("{" + f'worker="{worker.number}",{worker.note}' + "}", 1.0)
            for worker in totals.workers
            if worker.note
        ],
        "process_resident_memory_bytes": [*_memory(totals.workers)],
    }
    lines = [_family(name, samples) for name, samples in families.items() if samples]
    return "".join([*lines, *_durations(totals)])


def model_note(*, product: str, variant: str, version: str, bundle_hash: str) -> str:
    """The labels of `modelyard_model_info`, as a worker notes them for the others."""
    labels = labels_of(product=product, variant=variant, version=version, hash=bundle_hash)
    return labels[1:-1]


def _family(name: str, samples: Iterable[Sample]) -> str:
    lines = [f"{name}{labels} {value:.17g}\n" for labels, value in samples]
    return "".join([_head(name), *lines])


def _head(name: str) -> str:
    kind, words = _HELP[name]
    return f"# HELP {name} {words}.\n# TYPE {name} {kind}\n"


def _durations(totals: Totals) -> Iterator[str]:
    name = "modelyard_request_duration_seconds"
    yield _head(name)
    ends = [*(f"{end:g}" for end in BUCKETS), "+Inf"]
    for route, histogram in totals.seconds.items():
        upto: Sequence[int] = [*accumulate(histogram.buckets)]
        if not upto[-1]:
            continue
        for end, found in zip(ends, upto, strict=True):
            yield f"{name}_bucket{labels_of(route=route, le=end)} {found}\n"
        yield f"{name}_sum{labels_of(route=route)} {histogram.sum:.17g}\n"
        yield f"{name}_count{labels_of(route=route)} {upto[-1]}\n"


def _memory(workers: Iterable[Worker]) -> Iterator[Sample]:
    """Resident bytes of each worker; nothing where the system does not say them as Linux does."""
    for worker in workers:
        try:
            pages = int((_PROCESSES / str(worker.pid) / "statm").read_text().split()[1])
        except OSError:
            continue
        yield labels_of(worker=str(worker.number)), float(pages * os.sysconf("SC_PAGE_SIZE"))
