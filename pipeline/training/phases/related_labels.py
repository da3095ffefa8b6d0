"""Intermediate training: the checkpoint learns a related task's labels before the product's.

A model that has learned a related task with many labels needs fewer of the product's own (STILTs,
Phang, Févry and Bowman 2018). The related labels come with the corpus.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.training_sections import RelatedParams
from pipeline.models.new_vocabulary import has_new_words
from pipeline.problem.problems import problem_named
from pipeline.text.batching import epoch_batches
from pipeline.training.curve import Curve
from pipeline.training.fast.tokens_in_use import tokens_in_use
from pipeline.training.loop import Training, train
from pipeline.training.objectives.by_problem import gold_objective
from pipeline.training.optimizer import LayerRates
from pipeline.training.phases.trained_once import TrainedOnce
from pipeline.training.token_rows import TokenRows, tokenize
from pipeline.training.validation import QUALITY, Validation


@dataclass(frozen=True, kw_only=True)
class RelatedLabels:
    """The phase's settings and its rows, with targets in the product's form, `(rows, width)`.

    Attributes:
        validation: the product's validation rows. They are measured, and decide nothing here.
    """

    params: Params
    optimisation: RelatedParams
    rows: TokenRows
    ids: list[str]
    targets: NDArray[np.float64]
    validation: Validation
    phase: TrainedOnce

    @classmethod
    def read(
        cls,
        params: Params,
        paths: Paths,
        *,
        tokenizer: PreTrainedTokenizerBase,
        validation: Validation,
    ) -> "RelatedLabels | None":
        """The phase that `finetune.related` describes; None without it, or without related rows."""
        if params.finetune.related is None:
            return None
        found = pq.read_table(paths.read("prepare", "related.parquet"))
        found = found.slice(0, params.finetune.related.max_rows)
        if not found.num_rows:
            return None
        rows = tokenize(tokenizer, found["text"].to_pylist(), max_length=params.prepare.max_length)
        return cls(
            params=params,
            optimisation=params.finetune.related,
            rows=rows,
            ids=rows.names(found["id"].to_pylist()),
            targets=np.array(found["target"].to_pylist(), dtype=np.float64),
            validation=validation,
            phase=TrainedOnce(paths.checkpoints, "related"),
        )

    def apply(self, model: PreTrainedModel, *, later_tokens: int) -> float:
        """Trains `model` in place, once for all seeds; returns its quality on validation.

        Args:
            later_tokens: what the seeds read afterwards.
        """

        def learn() -> PreTrainedModel:
            problem = self.params.product.problem
            scale = problem_named(problem).scale(self.targets)
            learned = self.targets if scale is None else scale.standard(self.targets)
            objective = gold_objective(self.rows, learned, problem=problem, weights=None)
            training = Training(
                task="finetune related",
                optimisation=self.optimisation,
                compute=self.params.compute,
                batches=partial(epoch_batches, self.rows.lengths),
                checkpoints=self.phase.checkpoints,
                curve=Curve(self.phase.curve_file, figures=[QUALITY]),
                validate=self.validation.quality,
                average=self.params.finetune.average,
                layer_rates=LayerRates(
                    model,
                    self.params.finetune.layer_decay,
                    new_words=has_new_words(self.params.prepare),
                ),
                row_ids=self.ids,
                later_tokens=later_tokens,
            )
            with tokens_in_use(model, self.rows, self.validation.rows):
                train(model, objective, training)
            return model

        self.phase.load_into(model, train=learn, seed=self.params.compute.seed)
        model.eval()
        return float(self.validation.quality(model)[QUALITY])
