"""Training of Keras 3 models, on any of its backends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from .. import _core
from .._onnx_side_by_side import takes_matrix
from .trainers import Trainer, flat_matrix, two_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .config import TrainingConfig
    from .trainers import Array, Batch


class KerasTrainer(Trainer):
    """A compiled model that gives probabilities, [N, 1] for two classes, else [N, K].

    A model with one input takes all tensors side by side, [N, F]; one with several takes them by name.
    """

    framework = f"Keras {keras.__version__} ({keras.backend.backend()})"

    def __init__(self, model: Any, tensors: Sequence[_core.TensorInfo], num_classes: int) -> None:
        super().__init__(model, tensors, num_classes)
        if not model.built:
            try:
                model(np.zeros((1, self.width), np.float32))
            except Exception as error:  # of all kinds that a model may raise
                reason = next(iter(str(error).splitlines()), type(error).__name__)
                taken = f"all inputs side by side, [N, {self.width}]"
                raise _core.ConfigError(f"the Keras model is not built, and can't take {taken}: {reason}") from error

    def begin(self, _config: TrainingConfig, _steps_per_epoch: int) -> None:
        if not getattr(self.model, "compiled", False):
            raise _core.ConfigError("the Keras model is not compiled: call compile(optimizer=..., loss=...) on it")
        self._loss_name = self.model.loss if isinstance(self.model.loss, str) else type(self.model.loss).__name__

    def step(self, batch: Batch) -> float:
        logs = self.model.train_on_batch(
            self._inputs(batch), self._target(batch), sample_weight=batch.get("weights"), return_dict=True
        )
        return float(logs["loss"])

    def end_epoch(self) -> None:
        self.model.reset_metrics()

    def probabilities(self, batch: Batch) -> Array:
        return two_columns(np.asarray(self.model.predict_on_batch(self._inputs(batch))))

    def _inputs(self, batch: Batch) -> Any:
        if takes_matrix(self.model, "keras"):
            return flat_matrix(batch, self.inputs)
        if not getattr(self.model, "inputs", None):
            return {name: batch[name] for name in self.inputs}
        return {tensor.name: batch[tensor.name] for tensor in self.model.inputs}

    def _target(self, batch: Batch) -> Array:
        target: Array = np.asarray(batch["target"])
        if self._loss_name.lower().replace("_", "") == "categoricalcrossentropy":
            one_hot: Array = np.eye(self.num_classes, dtype=np.float32)[target]
            return one_hot
        if self._loss_name.lower().replace("_", "") == "binarycrossentropy":
            return target.astype(np.float32).reshape(-1, 1)
        return target

    def save(self, path: Path) -> None:
        weights = {f"weight_{i}": value for i, value in enumerate(self.model.get_weights())}
        optimizer = {f"optimizer_{i}": np.asarray(v.value) for i, v in enumerate(self.model.optimizer.variables)}
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **weights, **optimizer)

    def load(self, path: Path) -> None:
        with np.load(path) as state:
            count = sum(name.startswith("weight_") for name in state)
            self.model.set_weights([state[f"weight_{i}"] for i in range(count)])
            if not self.model.optimizer.built:
                self.model.optimizer.build(self.model.trainable_variables)
            for i, variable in enumerate(self.model.optimizer.variables):
                if f"optimizer_{i}" in state:
                    variable.assign(state[f"optimizer_{i}"])

    def describe(self) -> str:
        return f"{self.model.name} of {self.model.count_params():,} parameters"
