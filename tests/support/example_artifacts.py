"""Small but whole hand-over files: what stages leave for others, with figures that a test chooses."""

from typing import Any

from pipeline.core.artifacts import certificates, variant_reports
from pipeline.core.artifacts.data_reports import BaselineVerdict, DataReport, SourceRecord
from pipeline.core.artifacts.verdicts import Check, Verdict
from pipeline.core.params import Params
from pipeline.core.variants import CHARACTERS, MAJORITY, NAIVE_BAYES, TFIDF

PARITY: dict[str, Any] = {
    "passed": True,
    "differences": {"longest": 1e-7},
    "largest_difference": 1e-7,
    "tolerance": 1e-4,
    "bytes": 4000,
    "sha256": "a" * 64,
}
INT8: dict[str, Any] = {
    "passed": True,
    "operators": {"MatMulInteger": 7},
    "quantized_embeddings": 2,
    "float_matrix_products": 0,
    "large_float_weights": [],
    "float_operators": [],
    "bytes": 1000,
    "bytes_before": 4000,
    "compared_texts": 60,
    "made_from": "a" * 64,
    "sha256": "0" * 64,
}
_EXPORTED = {"pad_token_id": 0, "opset": 17, "segments": False, "texts_with_equal_tokens": 24}
_QUANTIZED = {
    "zipped_bytes": 900,
    "label_agreement": 1.0,
    "largest_probability_difference": 0.01,
    "sensitivity": None,
}


def parity(**changes: Any) -> certificates.ParityCertificate:
    """Export's certificate of one model."""
    return certificates.ParityCertificate(**PARITY | _EXPORTED | changes)


def operators(**changes: Any) -> certificates.OperatorCertificate:
    """Quantize's certificate of one model."""
    return certificates.OperatorCertificate(**INT8 | _QUANTIZED | changes)


def language_model_parity(**changes: Any) -> certificates.LanguageModelParity:
    """Export's certificate of the language model."""
    return certificates.LanguageModelParity(**PARITY | {"family": "bilm"} | changes)


def language_model_int8(**changes: Any) -> certificates.LanguageModelInt8:
    """Quantize's certificate of the language model."""
    return certificates.LanguageModelInt8(
        **INT8 | {"bits_a_token": certificates.BitsPerToken(fp32=8.0, int8=8.1)} | changes
    )


def slice_report(
    name: str, gap: float | None = None, interval: list[float] | None = None
) -> variant_reports.SliceReport:
    """A slice of 40 rows, or one of too few rows."""
    score = None if gap is None else 0.8 - gap
    rows = 2 if gap is None else 40
    return variant_reports.SliceReport(
        name=name, rows=rows, score=score, gap=gap, interval=interval
    )


def swap_report(
    kind: str, gap: float | None = None, interval: list[float] | None = None
) -> variant_reports.SwapReport:
    """A kind of English words that 40 texts hold, or too few; of 40 answers, two change."""
    measured = {"changed": 2, "changed_interval": [0.01, 0.16], "gap": gap, "interval": interval}
    none: dict[str, Any] = dict.fromkeys(measured)
    return variant_reports.SwapReport(
        language="English",
        kind=kind,
        rows=2 if gap is None else 40,
        **(none if gap is None else measured),
    )


def accuracy(value: float) -> variant_reports.Quality:
    """This accuracy, known to within two points."""
    return variant_reports.Quality(
        figures={"accuracy": value}, intervals={"accuracy": [value - 0.02, value + 0.02]}
    )


def variant_report(name: str, *, quality: float, size_bytes: int) -> variant_reports.VariantReport:
    """A classifier of this accuracy on validation."""
    return variant_reports.VariantReport(
        name=name,
        size_bytes=size_bytes,
        parameters=10,
        decision=variant_reports.DecisionReport(thresholds=None, abstain_below=None),
        quality=variant_reports.BySplit[variant_reports.Quality](validation=accuracy(quality)),
        answered=None,
        difference_to_teacher=variant_reports.Difference(
            metric="accuracy", value=0.0, interval=[0.0, 0.0]
        ),
        agreement=1.0,
        calibration_error=0.1,
        slices=[],
    )


def timing(name: str, *, p95: float) -> variant_reports.Timing:
    """A variant of this time."""
    latency = {"p50": p95, "p95": p95, "p95_all_requests": p95}
    return variant_reports.Timing(
        name=name,
        latency_ms=variant_reports.Latency(**latency, batch=1, tokens=32, threads=1),
        with_tokenizer_ms=None,
        throughput_per_s=5.0,
        memory_mb=80.0,
        memory_added_mb=20.0,
    )


def scorecard_entry(
    name: str, *, quality: float, test: float | None = None, size_bytes: int, p95: float
) -> variant_reports.ScorecardEntry:
    """A classifier of this accuracy with a time, scored on test where `test` is given."""
    report = variant_report(name, quality=quality, size_bytes=size_bytes)
    entry = variant_reports.ScorecardEntry.join(report, timing(name, p95=p95))
    if test is None:
        return entry
    by_split = entry.quality.model_copy(update={"test": accuracy(test)})
    return entry.model_copy(update={"quality": by_split})


def check(name: str, **changes: Any) -> Check:
    """A passed check of the gate."""
    passed = {"limit": 8, "value": 5, "interval": None, "unit": "MB", "outcome": "passed"}
    return Check(name=name, **passed | changes)


def verdict(*checks: Check, passed: bool = True, released: str = "student-int8") -> Verdict:
    """A verdict of the gate."""
    return Verdict(passed=passed, released=released, reason="so", checks=[*checks], considered={})


def baseline_verdict() -> BaselineVerdict:
    """A verdict on baselines that were fitted with C = 1."""
    quality = {MAJORITY: 0.5, TFIDF: 0.6, NAIVE_BAYES: 0.7, CHARACTERS: 0.65}
    values = {
        "verdict": "yes",
        "worth_a_model": True,
        "best": NAIVE_BAYES,
        "quality_metric": "accuracy",
        "gain_over_majority": 0.2,
        "reason": "Words alone reach accuracy 0.700 on validation.",
        "quality": {
            name: dict.fromkeys(("validation", "test"), of) for name, of in quality.items()
        },
        "regularisation": {TFIDF: 1.0, NAIVE_BAYES: 1.0, CHARACTERS: 1.0},
        "rule": None,
        "outlook": None,
        "noise_ceiling": None,
    }
    return BaselineVerdict.parse(values, file="verdict.json")


def data_report(params: Params) -> DataReport:
    """A report of 120 labelled rows, of which one was taken out."""
    lengths = {"least": 1, "median": 20, "p95": 70, "most": 90}
    kinds = {"email": 0, "phone": 0, "url": 0}
    values = {
        "languages": [
            {"kind": "source", "table": "labelled", "name": "mine", "rows": 119}
            | {"languages": {"English": 118, "Korean": 1}},
            {"kind": "label", "table": "labelled", "name": "negative", "rows": 60}
            | {"languages": {"English": 60}},
        ],
        "limits": params.validate_.model_dump(),
        "labels": {"negative": 60, "positive": 59},
        "numbers": None,
        "shares": {"rejected": 0.008333, "copies": 0.0},
        "labelled": {
            "rows_in": 120,
            "rows_out": 119,
            "rejects": {"empty": 1},
            "characters": lengths,
        },
        "corpus": {"rows_in": 10, "rows_out": 10, "rejects": {}, "characters": lengths},
        "near_duplicates": {"clusters": 0, "rows_in_clusters": 0},
        "personal_data": {"labelled": kinds, "corpus": kinds},
        "identity_terms": [
            {"language": "English", "kind": "gender", "group": "women", "rows": 12}
            | {"labels": {"negative": 5, "positive": 7}, "words": {"she": 9, "her": 4}}
        ],
        "leaning_terms": [
            {"language": "English", "kind": "gender", "group": "women", "word": "her", "rows": 11}
            | {"label": "positive", "times": 1.8, "interval": [1.35, 1.95]}
        ],
        "note": "Short texts are common phrases.",
    }
    return DataReport.parse(values, file="report.json")


def source_record(**changes: Any) -> SourceRecord:
    """A file of the user's own texts, as collect's manifest has it."""
    named = {"name": "mine", "kind": "file", "origin": "data/mine.csv", "licence": "own"}
    found = {"waiver": None, "sha256": "a" * 64, "rows": 120, "bytes": 4000}
    return SourceRecord.parse(named | found | changes, file="manifest.json")
