"""Training of Keras 3 models, on any of its backends."""

from __future__ import annotations

import re
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
        if getattr(self.model.loss, "from_logits", False):
            raise _core.ConfigError(
                "the Keras model gives logits (from_logits=True): end it with a softmax or a sigmoid, so that it gives "
                "probabilities"
            )
        self._loss_name = self.model.loss if isinstance(self.model.loss, str) else type(self.model.loss).__name__

    def step(self, batch: Batch) -> float:
        logs = self.model.train_on_batch(
            self._inputs(batch), self._target(batch), sample_weight=batch.get("weights"), return_dict=True
        )
        return float(logs["loss"])

    def end_epoch(self) -> None:
        self.model.reset_metrics()

    def probabilities(self, batch: Batch) -> Array:
        given = np.asarray(self.model.predict_on_batch(self._inputs(batch)))
        self._has_one_column = given.ndim == 1 or given.shape[1] == 1
        scores = two_columns(given)
        if scores.shape[1] != self.num_classes:
            raise _core.ModelError(f"the model gives {scores.shape[1]} numbers for {self.num_classes} classes")
        if scores.min() < -1e-6 or scores.max() > 1 + 1e-6:
            raise _core.ModelError(
                f"the model gives {scores.min():.4g} to {scores.max():.4g}, which are no probabilities: end it with a "
                "softmax or a sigmoid"
            )
        return scores

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

    def labels_of_output(self, classes: list[str]) -> list[str]:
        return classes[1:] if self._has_one_column else classes

    def options(self) -> str:
        try:
            # Keras counts its automatic names: dense_1, dense_2, ...
            return re.sub(r'_\d+"', '"', str(self.model.to_json()))
        except (NotImplementedError, TypeError, ValueError):  # a subclass that does not say
            return self.describe()

    def save(self, path: Path) -> None:
        known = {"weight": self._variables(), "optimizer": self.model.optimizer.variables}
        state = {
            f"{kind}_{i}": keras.ops.convert_to_numpy(v) for kind, all_ in known.items() for i, v in enumerate(all_)
        }
        if keras.backend.backend() == "torch":  # whose own generator Keras' dropout draws from
            state["random"] = _torch().get_rng_state().numpy()
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **state)

    def load(self, path: Path) -> None:
        with np.load(path) as state:
            for i, variable in enumerate(self._variables()):
                variable.assign(state[f"weight_{i}"])
            if not self.model.optimizer.built:
                self.model.optimizer.build(self.model.trainable_variables)
            for i, variable in enumerate(self.model.optimizer.variables):
                if f"optimizer_{i}" in state:
                    variable.assign(state[f"optimizer_{i}"])
            if "random" in state:
                _torch().set_rng_state(_torch().from_numpy(state["random"]))

    def _variables(self) -> list[Any]:
        # Those of random generators too, but not the optimizer's.
        taught = {id(variable) for variable in self.model.optimizer.variables}
        return [variable for variable in self.model.variables if id(variable) not in taught]

    def describe(self) -> str:
        return f"{type(self.model).__name__} of {self.model.count_params():,} parameters"


def _torch() -> Any:
    import torch

    return torch
