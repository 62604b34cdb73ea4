"""One way of training for each framework: what the loop over epochs asks of a model."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ..loader import Loader
    from .config import TrainingConfig

    Array = np.ndarray[Any, np.dtype[Any]]
    Batch = Mapping[str, Any]


class Trainer(ABC):
    """A model that is trained batch by batch. Batches are dicts of tensor name to array, as `feed` gives them."""

    framework: str
    #: Whether the model learns from all rows at once, so that one epoch is all there is.
    whole = False

    def __init__(self, model: Any, tensors: Sequence[_core.TensorInfo], num_classes: int) -> None:
        self.model = model
        self.inputs = [tensor.name for tensor in tensors]
        self.width = width_of(tensors)
        self.num_classes = num_classes

    def feed(self, loader: Loader) -> Iterator[Batch]:
        """The batches of the loader's next epoch."""
        return loader.numpy()

    @abstractmethod
    def begin(self, _config: TrainingConfig, _steps_per_epoch: int) -> None:
        """Before the first step."""

    @abstractmethod
    def step(self, batch: Batch) -> float:
        """Learns from one batch; its mean loss."""

    def end_epoch(self) -> None:  # noqa: B027 - most have nothing to do
        """After the last batch of an epoch."""

    @abstractmethod
    def probabilities(self, batch: Batch) -> Array:
        """Of each class, [N, K]."""

    @abstractmethod
    def save(self, path: Path) -> None:
        """Writes all that training goes on from."""

    @abstractmethod
    def load(self, path: Path) -> None:
        """Reads what `save` wrote."""

    def exported(self) -> Any:
        """The model to bundle: its outputs are probabilities."""
        return self.model

    def labels_of_output(self, classes: list[str]) -> list[str]:
        """The classes that the exported model's columns are of."""
        return classes

    def options(self) -> str:
        """All that the model was made with, as text: a training that goes on must have the same."""
        return self.describe()

    def describe(self) -> str:
        """A line for the report."""
        return type(self.model).__name__


def two_columns(scores: Array) -> Array:
    """Scores [N] or [N, 1] of the second of two classes as [N, 2]; others as they are."""
    if scores.ndim == 2 and scores.shape[1] != 1:
        return scores
    flat = scores.reshape(-1)
    return np.stack([1 - flat, flat], 1)


def flat_matrix(batch: Batch, inputs: Sequence[str]) -> Array:
    """All inputs side by side, [N, F] float32: what models of tables take."""
    parts = [np.asarray(batch[name]) for name in inputs]
    if len(parts) == 1 and parts[0].ndim == 2 and parts[0].dtype == np.float32:
        return parts[0]
    return np.concatenate([part.reshape(len(part), -1).astype(np.float32) for part in parts], 1)


def width_of(tensors: Sequence[_core.TensorInfo]) -> int:
    """Elements of a row of all tensors side by side."""
    return sum(int(np.prod(tensor.shape, dtype=np.int64)) for tensor in tensors)


def make_trainer(model: Any, tensors: Sequence[_core.TensorInfo], num_classes: int) -> Trainer:
    """The trainer for a model object, told by its classes' modules; nothing is imported that the model does not use."""
    families = {cls.__module__.split(".")[0] for cls in type(model).__mro__}
    if "torch" in families and "keras" not in families:
        from ._torch import TorchTrainer

        return TorchTrainer(model, tensors, num_classes)
    if "keras" in families:
        from ._keras import KerasTrainer

        return KerasTrainer(model, tensors, num_classes)
    if callable(getattr(model, "fit", None)) and callable(getattr(model, "predict_proba", None)):
        from ._estimator import EstimatorTrainer

        return EstimatorTrainer(model, tensors, num_classes)
    raise _core.ConfigError(
        f"a model of type {type(model).__module__}.{type(model).__name__} can't be trained: it must be a PyTorch "
        "module, a compiled Keras model, or a classifier with fit and predict_proba (scikit-learn, XGBoost)"
    )


def takes_one_matrix(forward: Any, inputs: Sequence[str]) -> bool:
    """Whether `forward` has one parameter, that names no tensor, for several tensors."""
    parameters = list(inspect.signature(forward).parameters.values())
    alone = len(parameters) == 1 and parameters[0].kind not in (parameters[0].VAR_POSITIONAL, parameters[0].VAR_KEYWORD)
    return alone and parameters[0].name not in inputs and len(inputs) > 1


def arguments_of(forward: Any, inputs: Sequence[str]) -> list[str]:
    """The tensors that a model's `forward` takes: those its parameters name, else all in order."""
    parameters = [
        parameter.name
        for parameter in inspect.signature(forward).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and parameter.default is parameter.empty
    ]
    return parameters if parameters and set(parameters) <= set(inputs) else list(inputs)
