"""optimum-onnx in an environment of its own: the fine-tuned teacher to int8 ONNX, dynamically.

    python -m benchmarks.peers.optimum_peer MODEL FOLDER PRESET

PRESET is a processor's (`avx512_vnni`, `avx2`, `arm64`), otherwise at its defaults. Leaves
`model_quantized.onnx`.
"""

import argparse
from pathlib import Path


def quantize(model: Path, folder: Path, preset: str) -> None:
    """Export with optimum, quantize with its preset."""
    from optimum import onnxruntime as ort  # type: ignore[import-not-found]

    exported = ort.ORTModelForSequenceClassification.from_pretrained(model, export=True)
    config = getattr(ort.AutoQuantizationConfig, preset)(is_static=False)
    ort.ORTQuantizer.from_pretrained(exported).quantize(save_dir=folder, quantization_config=config)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("preset", choices=["avx512_vnni", "avx512", "avx2", "arm64"])
    options = parser.parse_args()
    quantize(options.model, options.folder, options.preset)


if __name__ == "__main__":
    main()
