"""Research models as a team would bring them: transformers folders and Python files, with tokenizers."""

import shutil
import textwrap
from pathlib import Path

import torch
from safetensors.torch import save_model
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from pipeline import evaluate, export, gate, measure, quantize
from pipeline.adopt.take_in import take_in
from pipeline.core.artifacts.adoption import Adoption
from pipeline.core.params import Params, parse_params
from pipeline.core.paths import Paths
from pipeline.models import adopted
from tests.support import tiny_models
from tests.support.tiny_workspace import at, make_workspace

LABELS = ("negative", "positive")
EASY = {"min_quality": 0.1, "max_quality_drop": 0.9, "latency_p95_ms": 1000.0, "size_mb": 50.0}
EASY |= {"memory_mb": 2000.0, "max_slice_gap": 1.0, "max_swap_gap": 1.0}
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_SHAPES = {
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64},
    "electra": {
        "embedding_size": 16,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    },
}

CNN = '''
"""A convolution over token embeddings, after Kim 2014."""

import torch
from torch import nn


class ReviewCnn(nn.Module):
    labels = ["negative", "positive"]

    def __init__(self, vocabulary=300, width=24, channels=32):
        super().__init__()
        self.embeddings = nn.Embedding(vocabulary, width)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, channels, kernel, padding="same") for kernel in (1, 3, 5)
        )
        self.output = nn.Linear(3 * channels, 2)

    def forward(self, input_ids, attention_mask):
        mask = attention_mask[:, None, :]
        states = self.embeddings(input_ids).transpose(1, 2) * mask
        found = [conv(states).relu().masked_fill(mask == 0, -1e4) for conv in self.convolutions]
        return self.output(torch.cat([states.amax(-1) for states in found], dim=-1))
'''


def module_code(forward: str, init: str = "pass", name: str = "Model") -> str:
    """A Python file with a module of that forward over an embedding table `self.words` of width 16."""
    return (
        "import torch\nfrom torch import nn\n\n\n"
        f"class {name}(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.words = nn.Embedding(300, 16)\n"
        "        self.output = nn.Linear(16, 2)\n"
        f"{textwrap.indent(textwrap.dedent(init).strip(), '        ')}\n\n"
        "    def forward(self, input_ids, attention_mask):\n"
        f"{textwrap.indent(textwrap.dedent(forward).strip(), '        ')}\n"
    )


def write_module(folder: Path, code: str, *, tokenizer: str = "Unigram", name: str = "") -> Path:
    """A Python file with random weights of its one class, drawn wide, and a tokenizer beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "research.py"
    file.write_text(code, encoding="utf-8")
    torch.manual_seed(3)
    module = adopted.built(adopted.class_named(adopted.imported(file), name))
    with torch.no_grad():
        for weights in module.parameters():
            weights.normal_(0, 0.3)
    save_model(module, str(folder / "model.safetensors"))
    found_tokenizer(tokenizer).save(str(folder / "tokenizer.json"))
    return file


def write_transformers(
    folder: Path, family: str, *, tokenizer: str = "WordPiece"
) -> PreTrainedModel:
    """A transformers folder of a random classifier of that family."""
    torch.manual_seed(3)
    own = found_tokenizer(tokenizer)
    config = AutoConfig.for_model(
        family,
        vocab_size=own.get_vocab_size(),
        max_position_embeddings=64,
        initializer_range=0.3,
        id2label=dict(enumerate(LABELS)),
        label2id={label: number for number, label in enumerate(LABELS)},
        pad_token_id=0,
        **_SHAPES[family],
    )
    model: PreTrainedModel = AutoModelForSequenceClassification.from_config(config).eval()
    model.save_pretrained(folder)
    named = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=own, **named).save_pretrained(folder)
    return model


def found_tokenizer(kind: str) -> Tokenizer:
    """A small tokenizer of a kind, trained on the tiny models' texts, that frames a text."""
    texts = tiny_models.texts(200, seed=1)
    makers = {"WordPiece": _wordpiece, "BPE": _bpe, "Unigram": _unigram}
    tokenizer, trainer = makers[kind]()
    tokenizer.train_from_iterator(texts, trainer)
    frame = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=frame
    )
    return tokenizer


def _wordpiece() -> tuple[Tokenizer, trainers.Trainer]:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer, trainers.WordPieceTrainer(
        vocab_size=200, special_tokens=_SPECIAL, show_progress=False
    )


def _bpe() -> tuple[Tokenizer, trainers.Trainer]:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return tokenizer, trainers.BpeTrainer(
        vocab_size=300, special_tokens=_SPECIAL, initial_alphabet=alphabet, show_progress=False
    )


def _unigram() -> tuple[Tokenizer, trainers.Trainer]:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer, trainers.UnigramTrainer(
        vocab_size=120, special_tokens=_SPECIAL, unk_token="[UNK]", show_progress=False
    )


def product_folder(root: Path) -> tuple[Params, Paths]:
    """A workspace with the rows of a product and no model of any kind; every requirement is easy."""
    params, paths = make_workspace(root)
    for stage in ("pretrain", "finetune", "distill", "prune"):
        shutil.rmtree(paths.artifacts / stage)
    values = params.model_dump(by_alias=True)
    values["product"]["requirements"].update(EASY)
    values["measure"]["max_other_load"] = None
    return parse_params(values), paths


def taken_in(path: Path, params: Params, paths: Paths, **options: str) -> Adoption:
    """Takes a model in, in this process."""
    return take_in(path, params=params, paths=Paths(paths.root, "adopt"), **options)


def built_bundle(path: Path, root: Path) -> tuple[Params, Paths]:
    """A workspace in which a model was taken in and every stage from export to gate has run."""
    params, paths = product_folder(root)
    taken_in(path, params, paths)
    for name, stage in {
        "export": export,
        "quantize": quantize,
        "evaluate": evaluate,
        "measure": measure,
        "gate": gate,
    }.items():
        stage.run(params, at(paths, name))
    return params, paths
