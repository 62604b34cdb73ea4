"""Training of classifiers from ROOT files: ``sapwood train config.yaml``, or `train` from Python.

>>> from sapwood.train import train
>>> result = train("config.yaml")
>>> print(result.metrics.auc, result.bundle)
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import random
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core, _onnxruntime
from ..dataset import Dataset
from ..dataset import open as open_dataset
from ..features import FeatureSpec
from .config import DataConfig, SplitConfig, TrainConfig, TrainingConfig
from .loop import Checkpoint, History, fit, test
from .metrics import Curve, Metrics
from .trainers import Trainer, make_trainer, width_of

if TYPE_CHECKING:
    from ..loader import Loader

__all__ = [
    "Curve",
    "DataConfig",
    "History",
    "Metrics",
    "SplitConfig",
    "TrainConfig",
    "TrainResult",
    "TrainingConfig",
    "train",
]


@dataclass(frozen=True)
class TrainResult:
    """What a training leaves."""

    model: Any  #: the framework's object, with the weights of the best epoch
    features: FeatureSpec  #: fitted
    history: History
    metrics: Metrics  #: on the test rows
    report: Path | None
    bundle: Path | None


def train(config: TrainConfig | Mapping[str, Any] | str | Path, *, resume: bool = False) -> TrainResult:
    """Train a classifier, and leave checkpoint, metrics, report and bundle in ``config.output``.

    config
        A `TrainConfig`, its plain data, or the path of a YAML file with it.
    resume
        Go on with the batch after the last checkpoint in ``config.output``, where there is one: to the same weights
        (bit for bit on CPUs) as if the training had not been interrupted.

    Raises ConfigError (an option, a model that can't be trained, a checkpoint of another training), and what opening
    and reading files raises.
    """
    if isinstance(config, Mapping):
        config = TrainConfig.from_dict(config)
    elif not isinstance(config, TrainConfig):
        config = TrainConfig.load(config)
    config.check()
    output = Path(config.output)
    dataset = open_dataset(config.data.files, config.data.tree)
    if config.data.limit is not None:
        dataset = dataset.limit(config.data.limit)
    dataset = dataset.define(**(config.data.define or {}))
    for condition in [config.data.filter] if isinstance(config.data.filter, str) else config.data.filter or []:
        dataset = dataset.filter(condition)
    features = _with_labels(_features(config.features), dataset)
    of_samples = [variable.expression for variable in features.labels[0].variables] == ["sample_label"]
    classes = _classes(config, dataset, of_samples=of_samples)
    if config.bundle and _onnxruntime.is_built():
        _core.check_servable(features._core)
    fitted = dataset.fit(features, threads=config.training.threads)
    loader = dataset.loader(
        fitted,
        batch_size=config.training.batch_size,
        shuffle=config.training.shuffle,
        seed=config.training.seed,
        memory=config.training.memory,
        threads=config.training.threads,
        rank=0,
        world_size=1,
    )
    _check_tensors(loader)
    parts = _split(loader, config.split)
    trainer = make_trainer(_model(config, parts[0], len(classes)), _input_tensors(parts[0]), len(classes))
    identity = _identity(config, dataset, fitted, trainer)
    history = fit(
        trainer,
        parts[0],
        parts[1],
        classes,
        config.training,
        Checkpoint(output / "checkpoint", identity),
        resume=resume,
    )
    metrics, scores, labels, weights = test(trainer, parts[2], classes)
    output.mkdir(parents=True, exist_ok=True)
    fitted.save(output / "features.json")
    (output / "metrics.json").write_text(json.dumps(metrics.to_dict(), indent=1, allow_nan=False), encoding="utf-8")
    report = None
    if importlib.util.find_spec("matplotlib"):
        from ._report import write_report

        report = write_report(
            output,
            title=config.name,
            dataset=dataset,
            loader=parts[0],
            model=trainer.describe(),
            history=history,
            metrics=metrics,
            scores=scores,
            labels=labels,
            weights=weights,
            classes=classes,
        )
    bundle = _export(config, trainer, fitted, dataset, classes, metrics, output) if config.bundle else None
    return TrainResult(trainer.model, fitted, history, metrics, report, bundle)


def _features(features: Any) -> FeatureSpec:
    if isinstance(features, FeatureSpec):
        return features
    if isinstance(features, Mapping):
        return FeatureSpec.from_dict({"format": "sapwood-features", "version": 1, **features})
    return FeatureSpec.load(features)


def _with_labels(features: FeatureSpec, dataset: Dataset) -> FeatureSpec:
    """With the samples' labels as ``target``, unless the specification has labels of its own."""
    if features.labels:
        if [group.name for group in features.labels] != ["target"]:
            raise _core.ConfigError("a classifier has one group of labels, called 'target': the class of each entry")
        return features
    if not dataset.labels:
        raise _core.ConfigError("no labels: give the files by class name, or the features a group of labels 'target'")
    plain = features.to_dict()
    target = {"name": "target", "variables": ["sample_label"], "dtype": "int64", "squeeze": True}
    return FeatureSpec.from_dict({**plain, "labels": [target]})


def _check_tensors(loader: Loader) -> None:
    """Raises ConfigError unless there is one label for each entry, and at most one weight; UnsupportedError for packed
    groups.
    """
    for tensor in loader.tensors:
        if tensor.axis != "N":
            raise _core.UnsupportedError(
                f"'{tensor.name}' is of a packed group, which this loop does not train on: pad it, or loop over "
                "Dataset.loader"
            )
        if tensor.role in ("label", "weight") and tensor.shape:
            raise _core.ConfigError(
                f"'{tensor.name}' has the shape {['N', *tensor.shape]}, must be one number for each entry: squeeze it"
            )
        if tensor.role == "weight" and tensor.name != "weights":
            raise _core.ConfigError(f"a classifier has one group of weights, called 'weights', not '{tensor.name}'")


def _identity(config: TrainConfig, dataset: Dataset, fitted: FeatureSpec, trainer: Trainer) -> dict[str, Any]:
    """What must not change when a training goes on: the rest of `config` may."""
    training = config.training
    return {
        "features": hashlib.sha256(fitted.to_json().encode()).hexdigest(),
        "entries of the files": [file.num_entries for file in dataset.files],
        "split": [config.split.validation, config.split.test],
        "model": trainer.describe(),
        "model's options": hashlib.sha256(trainer.options().encode()).hexdigest(),
        "seed": training.seed,
        "batch_size": training.batch_size,
        "learning_rate": training.learning_rate,
        "weight_decay": training.weight_decay,
        "epochs_per": training.epochs_per,
    }


def _classes(config: TrainConfig, dataset: Dataset, *, of_samples: bool) -> list[str]:
    """The classes' names. `of_samples`: labels are the samples' places."""
    classes = config.data.classes or dataset.labels or ["0", "1"]
    if of_samples and config.data.classes and config.data.classes != dataset.labels:
        raise _core.ConfigError(
            f"data.classes is {config.data.classes}, but the files are of {dataset.labels}, in this order: leave it out"
        )
    if of_samples:
        rows = dict.fromkeys(dataset.labels, 0)
        for file in dataset.files:
            rows[dataset.labels[file.sample]] += file.num_entries
        if empty := [name for name, count in rows.items() if count == 0]:
            raise _core.ConfigError(f"class '{empty[0]}' has no entries")
    if len(classes) < 2:
        raise _core.ConfigError(f"a classifier tells at least two classes apart, not {classes}")
    return list(classes)


def _split(loader: Loader, split: SplitConfig) -> tuple[Loader, Loader, Loader]:
    if not 0 < split.validation < 1 or not 0 < split.test < 1:
        raise _core.ConfigError(f"split: validation={split.validation}, test={split.test} must be between 0 and 1")
    train_part, validation, test_part = loader.split(validation=split.validation, test=split.test)
    for name, part in (("training", train_part), ("validation", validation), ("the test", test_part)):
        if part.num_rows == 0:
            raise _core.ConfigError(f"of {loader.num_rows} rows the split leaves none for {name}")
    return train_part, validation, test_part


def _input_tensors(loader: Loader) -> list[_core.TensorInfo]:
    return [tensor for tensor in loader.tensors if tensor.role == "input"]


def _model(config: TrainConfig, loader: Loader, num_classes: int) -> Any:
    """The model object that the configuration describes."""
    described = {"type": config.model} if isinstance(config.model, str) else config.model
    if not isinstance(described, Mapping):
        return config.model
    options = {key: value for key, value in described.items() if key not in ("type", "file", "function")}
    tensors = _input_tensors(loader)
    if "file" in described:
        function = described.get("function", "model")
        return user_model(described["file"], function, width_of(tensors), options, seed=config.training.seed)
    if described.get("type") not in ("mlp", "pfn"):
        raise _core.ConfigError(f"no model '{described.get('type')}': 'mlp', 'pfn', or a mapping with 'file'")
    try:
        import torch
    except ImportError:
        raise _core.ConfigError("the built-in models want PyTorch: pip install torch") from None
    from .models import BUILT_IN

    torch.manual_seed(config.training.seed)
    try:
        return BUILT_IN[described["type"]](tensors, num_classes, **options)
    except (TypeError, ValueError, RuntimeError) as error:
        raise _core.ConfigError(f"model '{described['type']}': {error}") from None


def user_model(
    file: str | Path, function: str, size: int, options: Mapping[str, Any] | None = None, *, seed: int = 0
) -> Any:
    """What `function` of a Python file returns, called with the number of inputs side by side, from a state of the
    random generators that follows from the seed.
    """
    spec = importlib.util.spec_from_file_location(Path(file).stem, file)
    if spec is None or spec.loader is None or not Path(file).is_file():
        raise _core.ConfigError(f"no Python file {file}")
    module = importlib.util.module_from_spec(spec)
    _choose_keras_backend()
    try:
        spec.loader.exec_module(module)
        make = getattr(module, function, None)
        if callable(make):
            _seed_generators(seed)
            return make(size, **(options or {}))
    except _core.Error:
        raise
    except Exception as error:  # of all kinds that a user's code may raise
        line = next((frame.lineno for frame in reversed(traceback.extract_tb(error.__traceback__))
                     if frame.filename == str(file)), None)  # fmt: skip
        place = f"line {line}: " if line else ""
        raise _core.ConfigError(f"the model's file {file}: {place}{type(error).__name__}: {error}") from error
    raise _core.ConfigError(f"{file} defines no function '{function}'")


def _seed_generators(seed: int) -> None:
    """Of Python, NumPy and those frameworks that are in use."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    for framework in ("torch", "keras"):
        module = sys.modules.get(framework)
        if module is not None:
            module.manual_seed(seed) if framework == "torch" else module.utils.set_random_seed(seed % 2**32)


def _choose_keras_backend() -> None:
    """Keras would take TensorFlow, installed or not; where it is not and nobody chose, one that is."""
    if "KERAS_BACKEND" in os.environ or importlib.util.find_spec("tensorflow"):
        return
    for backend in ("torch", "jax"):
        if importlib.util.find_spec(backend):
            os.environ["KERAS_BACKEND"] = backend
            return


def _card_metrics(metrics: Metrics) -> dict[str, str]:
    figures = {"test rows": f"{metrics.rows:,}", "accuracy": f"{metrics.accuracy:.4f}"}
    return figures | {f"AUC of {curve.name}": f"{curve.auc:.4f}" for curve in metrics.curves}


def _export(
    config: TrainConfig,
    trainer: Trainer,
    features: FeatureSpec,
    dataset: Dataset,
    classes: list[str],
    metrics: Metrics,
    output: Path,
) -> Path:
    from .. import bundle

    path = output / "bundle.tar"
    bundle.export(
        trainer.exported(),
        path,
        features=features,
        sample=dataset,
        labels=trainer.labels_of_output(classes),
        name=config.name,
        description=config.description,
        card={
            "Metrics": _card_metrics(metrics),
            "Training data": {file.path: str(file.num_entries) for file in dataset.files},
        },
    )
    return path
