"""measure: speed and memory of every variant on this machine, which machine.json names.

One request is a batch of one text of `measure.tokens` tokens; the tokenizer is timed apart. ONNX
variants run with the very session options that serve them. Figures belong to this machine alone, and
count only where it did little else: one measurement runs at a time, and a disturbed round is measured
again. On a machine that stays busy the stage ends with a BusyError, and nothing is kept.

Reads   machine.json, artifacts/prepare/records.parquet, artifacts/{finetune,distill,prune}/model/,
        artifacts/{export,quantize}/*/
Writes  artifacts/measure/{latency.json, metrics.json}
"""

from collections.abc import Mapping, Sequence
from itertools import cycle

import torch

from pipeline.core.artifacts.variant_reports import Latency, Percentiles, Timing, Timings
from pipeline.core.files import read_json
from pipeline.core.machine_lock import machine_folder, measuring_alone
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import Progress, say, track
from pipeline.core.sections import MeasureParams
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.variants import TEACHER, TOKENIZER_FILE, Variant, smallest_int8, variants_in
from pipeline.metrics.latency import Latency as Times
from pipeline.metrics.latency import Request, interleaved
from pipeline.metrics.machine_load import QuietMachine
from pipeline.metrics.processor_speed import SteadySpeed, keep_speed, known_speed
from pipeline.models.encoder import load_classifier
from pipeline.runtime.footprint import Footprint, measure_footprint
from pipeline.runtime.reader import TokenRow
from pipeline.runtime.task import Request as Text
from pipeline.runtime.task import Task, examples_of
from pipeline.runtime.text_model import TextModel
from pipeline.training.labelled_rows import read_split

_WARM_UP = 5
_WITH_TOKENIZER = " with tokenizer"
_TOKEN_ID = 5
_ARITHMETIC = "arithmetic"
_SPEED_PATIENCE = 60.0
"""Seconds of rounds that are measured again because the processor was slow: nobody here can end that."""


def run(params: Params, paths: Paths) -> Metrics:
    """Time all variants in turns, then measure the memory of the ONNX ones."""
    settings, variants = params.measure, variants_in(paths)
    task = Task.from_settings(params.product, params.prepare)
    validation = read_split(paths.read("prepare", "records.parquet"), "validation")
    texts = examples_of(params.product.examples, validation.texts, validation.seconds)
    requests: dict[str, Request] = {}
    for variant in variants:
        requests |= _requests(variant, texts, task=task, params=params, paths=paths)
    with measuring_alone(f"measure in {paths.root}", say=_say):
        latencies = _latencies(requests, settings)
        memory = {
            variant.name: measure_footprint(
                variant.file(paths),
                variant.folder(paths) / TOKENIZER_FILE,
                task=task,
                threads=settings.threads,
            )
            for variant in track(variants, "measure memory", len(variants))
            if variant.is_onnx
        }
    timings = [_timing(v.name, latencies, memory.get(v.name), params=params) for v in variants]
    Timings(
        machine=read_json(paths.machine), variants=timings, arithmetic_ms=latencies[_ARITHMETIC].p50
    ).write(paths)
    p95 = {timing.name: round(timing.latency_ms.p95, 3) for timing in timings}
    shown = smallest_int8(paths)
    headline = f"p95 {shown} {p95[shown]:.2f} ms, teacher {p95[TEACHER]:.1f} ms"
    return {"latency_p95_ms": p95, "headline": headline}


def _latencies(requests: Mapping[str, Request], settings: MeasureParams) -> dict[str, Times]:
    """Times every request, and the arithmetic of `SteadySpeed`, in rounds on a quiet machine at its usual speed."""
    folder = machine_folder()
    patience = 0.0 if settings.max_other_load is None else _SPEED_PATIENCE
    speed = SteadySpeed(known_speed(folder), patience, _say)
    quiet = QuietMachine(
        limit=settings.max_other_load, patience=settings.patience_seconds, say=_say
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        quiet.wait()
        found = interleaved(
            {_ARITHMETIC: speed.request, **requests},
            rounds=settings.rounds,
            requests_per_round=settings.requests_per_round,
            warm_up=_WARM_UP,
            progress=Progress("measure latency", settings.rounds * (len(requests) + 1)).update,
            counts=lambda: all([speed.was_steady(), quiet.was_quiet()]),
        )
        keep_speed(folder, speed.best_ms)
        return found
    finally:
        torch.set_num_threads(threads)


def _say(words: str) -> None:
    say(f"measure  {words}")


def _requests(
    variant: Variant, texts: Sequence[Text], *, task: Task, params: Params, paths: Paths
) -> dict[str, Request]:
    """Requests to time: one of token ids and, for an ONNX variant, those of `texts` in turn."""
    # Any token ids will do: the work depends on their number alone.
    ids = [_TOKEN_ID] * params.measure.tokens
    folder = variant.folder(paths)
    if not variant.is_onnx:
        classifier = load_classifier(folder, labels=params.product.labels).eval()
        feed = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids)).long()}

        def request() -> object:
            with torch.inference_mode():
                return classifier(**feed).logits.numpy()

        return {variant.name: request}
    model = TextModel.in_folder(folder, task=task, threads=params.measure.threads)
    row = TokenRow(ids, [0] * len(ids))
    requests = cycle(texts)
    return {
        variant.name: lambda: model.outputs(row),
        variant.name + _WITH_TOKENIZER: lambda: model.predict([next(requests)]),
    }


def _timing(
    name: str, latencies: Mapping[str, Times], memory: Footprint | None, *, params: Params
) -> Timing:
    """One variant's entry in latency.json; torch variants have no memory figure."""
    found, by_text = latencies[name], latencies.get(name + _WITH_TOKENIZER)
    return Timing(
        name=name,
        latency_ms=Latency(
            p50=found.p50,
            p95=found.p95,
            p95_all_requests=found.p95_all,
            batch=1,
            tokens=params.measure.tokens,
            threads=params.measure.threads,
        ),
        with_tokenizer_ms=Percentiles(p50=by_text.p50, p95=by_text.p95) if by_text else None,
        throughput_per_s=found.throughput_per_s,
        memory_mb=memory.bytes_peak / 1e6 if memory else None,
        memory_added_mb=(memory.bytes_peak - memory.bytes_imported) / 1e6 if memory else None,
    )


if __name__ == "__main__":
    run_stage("measure", run)
