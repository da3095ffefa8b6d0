"""Hashes of what a model was built from: rows, code and parameters."""

from pipeline.core.artifacts.adoption import Adoption
from pipeline.core.files import read_json, sha256_file, sha256_json
from pipeline.core.params import Params
from pipeline.core.paths import Paths


def lineage(params: Params, paths: Paths) -> dict[str, str]:
    """Hashes of the rows, of the gate's code, and of the parameters that the gate reads; of the
    note of an adopted model where there is one.
    """
    declared = [
        params.product.model_dump(mode="json"),
        params.prepare.checkpoint.model_dump(mode="json"),
        params.prepare.max_length,
        params.prepare.window_stride,
        params.evaluate.thresholds,
        params.evaluate.abstain_quality,
    ]
    adopted = Adoption.found(paths)
    return {
        "records_sha256": sha256_file(paths.read("prepare", "records.parquet")),
        "code_lock_sha256": sha256_json(read_json(paths.code_lock)["gate"]),
        "params_sha256": sha256_json(declared),
        **({} if adopted is None else {"adopted_sha256": sha256_json(adopted.as_json())}),
    }
