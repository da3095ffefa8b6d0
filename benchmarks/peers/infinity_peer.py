"""infinity-emb with its engine of ONNX Runtime, in an environment of its own.

    python -m benchmarks.peers.infinity_peer BUNDLE PORT

It reads folders as transformers lays them out, so the bundle's model and tokenizer are put into one, with the
little of a configuration that ONNX Runtime needs. Its own code calls tokenizer and model.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from benchmarks.peers.raw_model import own_folder, read_place
from pipeline.runtime.bundle import MODEL, TOKENIZER, open_bundle


def main() -> None:
    """Serves until it is killed."""
    folder, port = read_place(__doc__ or "")
    home = own_folder()
    # It takes the path of a model's file within the folder from where it runs.
    os.chdir(laid_out(folder, home / "model"))
    os.environ |= {"HF_HOME": str(home / "hub"), "DO_NOT_TRACK": "1"}
    command = [sys.executable, "-m", "infinity_emb.cli", "v2", "--model-id", "."]
    options = ["--served-model-name", "bundle", "--engine", "optimum", "--device", "cpu"]
    # It warms up with longer texts than the model reads, and cuts none.
    options.append("--no-model-warmup")
    place = ["--host", "127.0.0.1", "--port", str(port)]
    os.execv(sys.executable, [*command, *options, *place])  # noqa: S606


def laid_out(bundle: Path, folder: Path) -> Path:
    """Writes the bundle's model as a folder of transformers; returns the folder."""
    task = open_bundle(bundle).task
    folder.mkdir()
    shutil.copyfile(bundle / MODEL, folder / MODEL)
    shutil.copyfile(bundle / TOKENIZER, folder / TOKENIZER)
    numbered = dict(enumerate(task.labels))
    configuration = {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "id2label": numbered,
        "label2id": {label: number for number, label in numbered.items()},
        "max_position_embeddings": task.max_length,
    }
    tokenizer = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": task.max_length,
        "model_input_names": ["input_ids", "attention_mask"],
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
    }
    (folder / "config.json").write_text(json.dumps(configuration), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    return folder


if __name__ == "__main__":
    main()
