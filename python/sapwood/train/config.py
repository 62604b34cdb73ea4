"""What `sapwood train` is told: a YAML file, a mapping, or these classes."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import _core, _fields, _yaml


@dataclass
class DataConfig:
    """The files: as `sapwood.open` takes them."""

    files: Any  #: a path, a glob, a list, or a mapping of class name to these
    tree: str | None = None
    #: The classes' names where labels come from a column; those of `files` when that is a mapping.
    classes: list[str] | None = None
    limit: int | list[int] | None = None  #: only the first entries: `Dataset.limit`
    define: dict[str, str] | None = None  #: columns by name, and their formulas: `Dataset.define`
    filter: str | list[str] | None = None  #: conditions that rows have to pass: `Dataset.filter`


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
    checkpoint_minutes: float | None = 10  #: between checkpoints within an epoch; None: only after epochs
    checkpoint_batches: int | None = None  #: the same in batches of an epoch, as well


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
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise _core.IoError(f"can't read the configuration: {error.strerror}: {path}") from None
        except UnicodeDecodeError:
            raise _core.ConfigError(f"{path} is not YAML: it is no UTF-8 text") from None
        try:
            return cls.from_dict(_yaml.read(text), path.parent)
        except _core.ConfigError as error:
            raise _core.ConfigError(f"{path}: {error}") from None

    @classmethod
    def from_dict(cls, content: Any, folder: str | Path = ".") -> TrainConfig:
        """From plain data; relative paths are relative to `folder`."""
        config: TrainConfig = _build(cls, content, "the configuration")
        config.check()
        folder = Path(folder)
        config.data.files = _below(config.data.files, folder)
        if isinstance(config.features, str):
            config.features = _below(config.features, folder)
        if isinstance(config.model, Mapping) and "file" in config.model:
            config.model = {**config.model, "file": _below(config.model["file"], folder)}
        return config

    def check(self) -> None:
        """Raises ConfigError where a value is none that its key takes."""
        _fields.check(self)
        _fields.check(self.data, "data")
        _fields.check(self.split, "split")
        _fields.check(
            self.training,
            "training",
            epochs=1,
            batch_size=1,
            patience=1,
            chunk_size=1,
            seed=0,
            weight_decay=0,
            checkpoint_minutes=0,
            checkpoint_batches=1,
        )
        if self.training.learning_rate <= 0:
            raise _core.ConfigError(f"training.learning_rate is {self.training.learning_rate}, must be above 0")
        _check_files(self.data.files)
        if not self.features or isinstance(self.features, (bool, int, float, list)):
            raise _core.ConfigError(f"features is {self.features!r}, must be a file's path or a mapping")
        file = self.model.get("file", "") if isinstance(self.model, Mapping) else ""
        if not isinstance(file, (str, Path)):
            raise _core.ConfigError(f"model.file is {file!r}, must be a file's path")


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


def _check_files(files: Any) -> None:
    """Raises ConfigError unless `files` is what `sapwood.open` takes."""
    if isinstance(files, Mapping):
        for name, paths in files.items():
            if not isinstance(name, str):
                raise _core.ConfigError(f"data.files: the class name {name!r} must be text: write it in quotes")
            _check_files(paths["paths"] if isinstance(paths, Mapping) and "paths" in paths else paths)
        return
    several = files[0] if isinstance(files, tuple) and files else files  # (paths, weight)
    paths = several if isinstance(several, list) else [several]
    if not paths or not all(isinstance(path, (str, Path)) for path in paths):
        raise _core.ConfigError(f"data.files has {files!r}, where there must be paths")


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
