"""What `sapwood train` is told: a YAML file, a mapping, or these classes."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import _core


@dataclass
class DataConfig:
    """The files: as `sapwood.open` takes them."""

    files: Any  #: a path, a glob, a list, or a mapping of class name to these
    tree: str | None = None
    #: The classes' names where labels come from a column; those of `files` when that is a mapping.
    classes: list[str] | None = None
    limit: int | list[int] | None = None  #: only the first entries: `Dataset.limit`


@dataclass
class SplitConfig:
    """Shares of the rows that are held out; the rest trains."""

    validation: float = 0.16
    test: float = 0.2


@dataclass
class TrainingConfig:
    """How the model is trained."""

    epochs: int = 20  #: passes over all training rows
    batch_size: int = 512
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    patience: int | None = 5  #: epochs without a better validation loss before it ends; None: never
    seed: int = 0
    memory: str | int = "1 GB"  #: bound of the loader
    threads: int | None = None
    shuffle: bool = True
    device: str | None = None  #: of PyTorch; "cuda" where there is one
    epochs_per: str = "epoch"  #: "chunk": all epochs on one chunk before the next, as MLaaS4HEP's reference does
    chunk_size: int | None = None  #: rows of a chunk


@dataclass
class TrainConfig:
    """A whole training."""

    data: DataConfig
    #: A FeatureSpec, its plain data, or the path of one.
    features: Any
    #: "mlp", "pfn", a mapping with "type" (or "file" and "function") and the model's own options, or a model object.
    model: Any = "mlp"
    split: SplitConfig = field(default_factory=SplitConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    output: str | Path = "training"  #: folder of checkpoint, report, metrics and bundle
    name: str = "model"  #: of the bundle
    description: str = ""
    bundle: bool = True  #: whether to write bundle.tar

    @classmethod
    def load(cls, path: str | Path) -> TrainConfig:
        """Read from a YAML file; paths in it are relative to its folder."""
        import yaml

        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise _core.IoError(f"can't read the configuration: {error.strerror}: {path}") from None
        try:
            content = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise _core.ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
        return cls.from_dict(content, path.parent)

    @classmethod
    def from_dict(cls, content: Any, folder: str | Path = ".") -> TrainConfig:
        """From plain data; relative paths are relative to `folder`."""
        config: TrainConfig = _build(cls, content, "the configuration")
        folder = Path(folder)
        config.data.files = _below(config.data.files, folder)
        if isinstance(config.features, str):
            config.features = _below(config.features, folder)
        if isinstance(config.model, Mapping) and "file" in config.model:
            config.model = {**config.model, "file": _below(config.model["file"], folder)}
        return config


_SECTIONS = {"data": DataConfig, "split": SplitConfig, "training": TrainingConfig}


def _build(cls: Any, content: Any, place: str) -> Any:
    if isinstance(content, cls):
        return content
    if not isinstance(content, Mapping):
        raise _core.ConfigError(f"{place} is not a mapping")
    fields = {item.name: item for item in dataclasses.fields(cls)}
    for key in content:
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, 3) or list(fields)
            raise _core.ConfigError(f"{place} has no key '{key}' (nearest: {', '.join(near)})")
    missing = [
        name
        for name, item in fields.items()
        if name not in content and item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise _core.ConfigError(f"{place} lacks {', '.join(missing)}")
    values = {key: _build(_SECTIONS[key], value, key) if key in _SECTIONS else value for key, value in content.items()}
    return cls(**values)


def _below(value: Any, folder: Path) -> Any:
    """Paths in `value` (a path, several, or a mapping to such) under `folder` unless absolute or with a scheme."""
    if isinstance(value, (str, Path)):
        return str(value) if "://" in str(value) else str(folder / value)
    if isinstance(value, Mapping):
        if "paths" in value:
            return {**value, "paths": _below(value["paths"], folder)}
        return {key: _below(item, folder) for key, item in value.items()}
    if isinstance(value, tuple):
        return (_below(value[0], folder), *value[1:])
    return [_below(item, folder) for item in value]
