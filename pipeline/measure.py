"""measure: speed and memory of every variant on this machine, which machine.json names.

One request is a batch of one text of `measure.tokens` tokens; the tokenizer is timed apart. ONNX
variants run with the very session options that serve them. Figures belong to this machine alone.

Reads   machine.json, artifacts/{finetune,distill,prune}/model/, artifacts/{export,quantize}/*/
Writes  artifacts/measure/{latency.json, metrics.json}
"""

from itertools import cycle
from typing import Any

import torch

from pipeline.core.files import read_json, write_json
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import Progress, track
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.variants import TOKENIZER_FILE, Variant, all_variants
from pipeline.metrics.latency import Latency, Request, interleaved
from pipeline.models.encoder import load_classifier
from pipeline.runtime.footprint import measure_footprint
from pipeline.runtime.reader import TokenRow
from pipeline.runtime.task import Task, request_of
from pipeline.runtime.text_model import TextModel

_WARM_UP = 5
_WITH_TOKENIZER = " with tokenizer"
_TOKEN_ID = 5


def run(params: Params, paths: Paths) -> Metrics:
    """Time all variants in turns, then weigh the ONNX ones."""
    requests: dict[str, Request] = {}
    for variant in all_variants():
        requests |= _requests(variant, params=params, paths=paths)
    progress = Progress("measure latency", params.measure.rounds * len(requests))
    latencies = interleaved(
        requests,
        rounds=params.measure.rounds,
        requests_per_round=params.measure.requests_per_round,
        warm_up=_WARM_UP,
        progress=progress.update,
    )
    variants = all_variants()
    memory = {
        variant.name: _memory(variant, params=params, paths=paths)
        for variant in track(variants, "measure memory", len(variants))
        if variant.is_onnx
    }
    entries = [_entry(v.name, latencies, memory.get(v.name), params=params) for v in variants]
    write_json(
        paths.out / "latency.json", {"machine": read_json(paths.machine), "variants": entries}
    )
    p95 = {entry["name"]: round(entry["latency_ms"]["p95"], 3) for entry in entries}
    headline = f"p95 pruned-int8 {p95['pruned-int8']:.2f} ms, teacher {p95['teacher-torch']:.1f} ms"
    return {"latency_p95_ms": p95, "headline": headline}


def _requests(variant: Variant, *, params: Params, paths: Paths) -> dict[str, Request]:
    """One request by given ids, and for an ONNX variant one by text."""
    # Ids of any tokens do: the work depends on their number alone.
    ids = [_TOKEN_ID] * params.measure.tokens
    if not variant.is_onnx:
        return {variant.name: _torch_request(variant, ids, params=params, paths=paths)}
    task = Task.asked(params.product, params.prepare)
    folder, threads = variant.folder(paths), params.measure.threads
    model = TextModel.in_folder(folder, task=task, threads=threads)
    row = TokenRow(ids, [0] * len(ids))
    requests = cycle([request_of(example) for example in params.product.examples])
    return {
        variant.name: lambda: model.outputs(row),
        variant.name + _WITH_TOKENIZER: lambda: model.predict([next(requests)]),
    }


def _torch_request(variant: Variant, ids: list[int], *, params: Params, paths: Paths) -> Request:
    torch.set_num_threads(params.measure.threads)
    model = load_classifier(variant.folder(paths), labels=params.product.labels).eval()
    feed = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids)).long()}

    def request() -> object:
        with torch.inference_mode():
            return model(**feed).logits.numpy()

    return request


def _memory(variant: Variant, *, params: Params, paths: Paths) -> dict[str, float]:
    """Megabytes (10⁶ bytes): the whole process at its peak, and what the model added to it."""
    found = measure_footprint(
        variant.file(paths),
        variant.folder(paths) / TOKENIZER_FILE,
        task=Task.asked(params.product, params.prepare),
        threads=params.measure.threads,
    )
    extra = found.bytes_peak - found.bytes_imported
    return {"memory_mb": found.bytes_peak / 1e6, "memory_added_mb": extra / 1e6}


def _entry(
    name: str, latencies: dict[str, Latency], memory: dict[str, float] | None, *, params: Params
) -> dict[str, Any]:
    """One variant in latency.json; torch variants have no memory figure."""
    found, by_text = latencies[name], latencies.get(name + _WITH_TOKENIZER)
    return {
        "name": name,
        "latency_ms": {
            "p50": found.p50,
            "p95": found.p95,
            "p95_all_requests": found.p95_all,
            "batch": 1,
            "tokens": params.measure.tokens,
            "threads": params.measure.threads,
        },
        "with_tokenizer_ms": None if by_text is None else {"p50": by_text.p50, "p95": by_text.p95},
        "throughput_per_s": found.throughput_per_s,
        **(memory or {"memory_mb": None, "memory_added_mb": None}),
    }


if __name__ == "__main__":
    run_stage("measure", run)
