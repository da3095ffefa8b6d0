"""Model2Vec in an environment of its own: it learns the rows, then answers.

    python -m benchmarks.peers.model2vec_peer learn CHECKPOINT ROWS.json FOLDER
    python -m benchmarks.peers.model2vec_peer serve FOLDER

`learn` distils static embeddings from the checkpoint at Model2Vec's defaults (256 dimensions), then
fine-tunes them with a classifier's head at its defaults, with our validation rows for early
stopping. What it leaves are safetensors and JSON. `serve` takes turns
(benchmarks/support/turns.py).
"""

import argparse
import json
from pathlib import Path

from benchmarks.support.turns import serve_turns


def learn(checkpoint: Path, rows: Path, folder: Path) -> None:
    """Distils, fine-tunes and saves. `rows` is JSON: split → `texts` and `labels`."""
    from model2vec.distill import distill  # type: ignore[import-not-found]
    from model2vec.train import StaticModelForClassification  # type: ignore[import-not-found]

    splits = json.loads(rows.read_text(encoding="utf-8"))
    train, validation = splits["train"], splits["validation"]
    model = StaticModelForClassification.from_static_model(
        model=distill(str(checkpoint), device="cpu")
    )
    model.fit(
        train["texts"],
        train["labels"],
        X_val=validation["texts"],
        y_val=validation["labels"],
        device="cpu",
    )
    model.to_pipeline().save_pretrained(str(folder))


def serve(folder: Path) -> None:
    """Answer with what `learn` left."""
    from model2vec.inference import StaticModelPipeline  # type: ignore[import-not-found]

    model = StaticModelPipeline.from_pretrained(str(folder))
    serve_turns(lambda text: int(model.predict([text])[0]))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    learning = commands.add_parser("learn")
    for name in ("checkpoint", "rows", "folder"):
        learning.add_argument(name, type=Path)
    commands.add_parser("serve").add_argument("folder", type=Path)
    options = parser.parse_args()
    if options.command == "learn":
        learn(options.checkpoint, options.rows, options.folder)
    else:
        serve(options.folder)


if __name__ == "__main__":
    main()
