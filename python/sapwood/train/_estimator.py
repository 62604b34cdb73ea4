"""Training of classifiers with fit and predict_proba: scikit-learn's, XGBoost's, LightGBM's."""

from __future__ import annotations

import importlib
import math
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np

from .trainers import Trainer, flat_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .. import _core
    from .config import TrainingConfig
    from .trainers import Array, Batch


class EstimatorTrainer(Trainer):
    """A classifier that learns from one table of all rows, [N, F] float32, held in memory."""

    whole = True

    def __init__(self, model: Any, tensors: Sequence[_core.TensorInfo], num_classes: int) -> None:
        super().__init__(model, tensors, num_classes)
        package = type(model).__module__.split(".")[0]
        self.framework = f"{package} {importlib.import_module(package).__version__}"

    def begin(self, _config: TrainingConfig, _steps_per_epoch: int) -> None:
        self._parts: list[tuple[Array, Array, Array | None]] = []

    def step(self, batch: Batch) -> float:
        self._parts.append((flat_matrix(batch, self.inputs), batch["target"], batch.get("weights")))
        return math.nan  # known once all rows are there

    def end_epoch(self) -> None:
        rows, labels, weights = zip(*self._parts, strict=True)
        self._parts = []
        options = {} if weights[0] is None else {"sample_weight": np.concatenate(weights)}
        self.model.fit(np.concatenate(rows), np.concatenate(labels), **options)

    def probabilities(self, batch: Batch) -> Array:
        given: Array = np.asarray(self.model.predict_proba(flat_matrix(batch, self.inputs)))
        result = np.zeros((len(given), self.num_classes), given.dtype)
        result[:, np.asarray(self.model.classes_, dtype=np.int64)] = given
        return result

    def save(self, path: Path) -> None:
        path.write_bytes(pickle.dumps(self.model))

    def load(self, path: Path) -> None:
        self.model = pickle.loads(path.read_bytes())  # noqa: S301 - a checkpoint of one's own

    def options(self) -> str:
        return str(self.model.get_params()) if hasattr(self.model, "get_params") else self.describe()

    def describe(self) -> str:
        return str(self.model).split("(")[0]
