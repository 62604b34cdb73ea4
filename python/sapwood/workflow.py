"""MLaaS4HEP's workflow: ``sapwood workflow --files ... --labels ... --model model.py --params params.json``.

Files, labels, parameters and model files are MLaaS4HEP's (https://github.com/lgiommi/MLaaS4HEP); reading, mixing and
training are sapwood's: true epochs over all data, a test part that is evaluated, and a mask that reaches the model.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _core, _fields
from .dataset import open as open_dataset
from .features import FeatureSpec
from .train import DataConfig, SplitConfig, TrainConfig, TrainingConfig, TrainResult, train

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .dataset import Dataset


@dataclass
class Parameters:
    """``params.json``, with MLaaS4HEP's names; those from `mask` on are ours."""

    nevts: int = -1  #: events in all, of each file in proportion to what it holds, from its start; -1: all
    chunk_size: int = 10000
    batch_size: int = 100
    epochs: int = 5
    shuffle: bool = True
    split: float | list[float] = 0.2  #: validation and test shares, or one for both as the reference reads it
    branch: str = ""  #: the tree
    identifier: list[str] = field(default_factory=list)  #: branches that name an event: no inputs
    selected_branches: list[str] = field(default_factory=list)
    exclude_branches: list[str] = field(default_factory=list)
    nan: float = 0.0  #: what padding and NaN become
    redirector: str = ""  #: goes before paths that are no local files
    hist: str = ""  #: without effect, as in the reference's workflow
    verbose: int = 0  #: without effect
    metrics: list[str] = field(default_factory=list)  #: without effect: all are evaluated
    mask: bool = True  #: whether the mask follows the inputs, where there are jagged branches
    epochs_per: str = "epoch"
    seed: int = 0
    memory: str = "1 GB"
    patience: int | None = None

    @classmethod
    def load(cls, path: str | None) -> Parameters:
        """From JSON; lists may be written as comma-separated strings, branches to exclude as a file's name."""
        content = _json(path) if path else {}
        if not isinstance(content, dict):
            raise _core.ConfigError(f"{path}: parameters are a JSON object, not {content!r}")
        known = {item.name: item for item in fields(cls)}
        if unknown := sorted(set(content) - set(known)):
            raise _core.ConfigError(f"{path}: unknown parameters {', '.join(unknown)}")
        for name in ("identifier", "selected_branches", "exclude_branches", "metrics"):
            content[name] = _listed(content.get(name, ""), "")
        parameters = cls(**content)
        _fields.check(parameters, nevts=-1, chunk_size=1, batch_size=1, epochs=1, seed=0, patience=1)
        return parameters


def workflow(
    files: str | Sequence[str],
    labels: str | Sequence[Any],
    model: str,
    params: Parameters | str | None = None,
    *,
    preproc: str | None = None,
    specs: str | None = None,
    dtype: str = "root",
    fout: str = "model",
) -> TrainResult:
    """Train the model that ``model`` (a Python file with ``def model(idim)``) returns; results go to folder `fout`.

    files
        A ROOT file, a text file with one path a line, or several paths (comma-separated or a list).
    labels
        One integer for each file (comma-separated, a list, or a text file with one a line), or a branch's name.
    specs
        What `write_specs` wrote before: no pass over the data is made.
    """
    if dtype != "root":
        raise _core.UnsupportedError(f"--dtype {dtype}: only root is read yet")
    if preproc:
        raise _core.UnsupportedError("--preproc: new branches and cuts come with filters; not built in yet")
    parameters = params if isinstance(params, Parameters) else Parameters.load(params)
    paths = [_located(path, parameters.redirector) for path in _listed(files, ".root")]
    by_class, branch = _labelled(paths, labels)
    tree = parameters.branch or None
    dataset = open_dataset(by_class, tree)
    limit = _events_per_file(dataset, parameters.nevts) if parameters.nevts >= 0 else None
    if limit is not None:
        dataset = dataset.limit(limit)
    spec = _unfitted(dataset, parameters, branch)
    fitted = _from_specs(spec, _json(specs), dataset) if specs else dataset.fit(spec)
    output = Path(fout)
    output.mkdir(parents=True, exist_ok=True)
    write_specs(output / "specs.json", fitted, dataset)
    validation, test = _split(parameters.split)
    config = TrainConfig(
        data=DataConfig(by_class, tree, list(by_class) if isinstance(by_class, dict) else None, limit),
        features=fitted,
        model={"file": model, "function": "model"},
        split=SplitConfig(validation, test),
        training=TrainingConfig(
            epochs=parameters.epochs,
            batch_size=parameters.batch_size,
            shuffle=parameters.shuffle,
            seed=parameters.seed,
            memory=parameters.memory,
            patience=parameters.patience,
            epochs_per=parameters.epochs_per,
            chunk_size=parameters.chunk_size,
        ),
        output=output,
        name=output.name,
        description=f"Trained by sapwood workflow with {Path(model).name}.",
    )
    return train(config)


def _located(path: str, redirector: str) -> str:
    """A path that is no local file, behind the redirector."""
    if not redirector or "://" in path or Path(path).exists():
        return path
    return f"{redirector.rstrip('/')}/{path}"


def _events_per_file(dataset: Dataset, nevts: int) -> list[int]:
    """`nevts` events in the proportions of the files, at least one of each, as the reference takes them."""
    return [max(1, round(file.num_entries / max(1, dataset.num_entries) * nevts)) for file in dataset.files]


def write_specs(path: Path, spec: FeatureSpec, dataset: Dataset) -> None:
    """The fitted specification in MLaaS4HEP's words: jdim, minv, maxv, fkeys, jkeys, nans, events."""
    variables = spec.inputs[0].variables
    flat = [variable for variable in variables if not variable.slots]
    jagged = [variable for variable in variables if variable.slots]
    ranges = {variable.name: _range(variable) for variable in variables}
    content = {
        "jdim": {variable.name: variable.slots for variable in jagged},
        "minv": {name: low for name, (low, _) in ranges.items()},
        "maxv": {name: high for name, (_, high) in ranges.items()},
        "fkeys": [variable.name for variable in flat],
        "jkeys": [variable.name for variable in jagged],
        "nans": {},
        "events": dataset.num_entries,
    }
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _range(variable: Any) -> tuple[float, float]:
    scale = next(step["min_max"] for step in variable.transforms if isinstance(step, dict) and "min_max" in step)
    return scale["min"], scale["max"]


def _from_specs(spec: FeatureSpec, specs: Any, dataset: Dataset) -> FeatureSpec:
    """`spec` with what a specs file says; raises ConfigError when it is of other data."""
    if specs.get("events") != dataset.num_entries:
        raise _core.ConfigError(
            f"the specs are of {specs.get('events')} events, the files hold {dataset.num_entries}: made of other files?"
        )
    plain = spec.to_dict()
    for variable in plain["inputs"][0]["variables"]:
        name = variable["name"]
        if name not in specs["minv"]:
            raise _core.ConfigError(f"the specs do not know branch '{name}'")
        scale = {"min_max": {"min": specs["minv"][name], "max": specs["maxv"][name]}}
        variable["transforms"] = [scale if step == "min_max" else step for step in variable["transforms"]]
        if variable.get("slots"):
            variable["slots"] = specs["jdim"][name]
    return FeatureSpec.from_dict(plain)


def _unfitted(dataset: Dataset, parameters: Parameters, label_branch: str | None) -> FeatureSpec:
    """Flat branches sorted, then jagged ones sorted, each expanded to its largest multiplicity."""
    left_out = {*parameters.identifier, *parameters.exclude_branches, label_branch}
    left_out |= {"sample_label", "sample_weight"}
    names = parameters.selected_branches or dataset.columns
    types = {column.name: column.type for column in dataset.schema}
    if unknown := sorted(set(names) - set(types)):
        raise _core.SchemaError(f"selected_branches: no branch {', '.join(unknown)}")
    flat, jagged, others = [], [], []
    for name in sorted(set(names) - left_out):
        if types[name] in _NUMBERS:
            flat.append(name)
        elif types[name].startswith("list<") and types[name][5:-1] in _NUMBERS:
            jagged.append(name)
        else:
            others.append(f"{name} ({types[name] or 'not read yet'})")
    if others and parameters.selected_branches:
        raise _core.ConfigError(f"selected_branches: neither numbers nor lists of numbers: {', '.join(others)}")
    if others:
        print(f"left out, neither numbers nor lists of numbers: {', '.join(others)}", file=sys.stderr)
    if not flat and not jagged:
        raise _core.ConfigError("no branches of numbers are left to train on")
    steps = ["min_max", {"replace_nan": parameters.nan}]
    variables = [{"name": name, "expression": f"`{name}`", "transforms": steps} for name in flat]
    variables += [{"name": name, "expression": f"`{name}`", "transforms": steps, "slots": "fit"} for name in jagged]
    inputs = {
        "name": "branches",
        "variables": variables,
        "pad_value": parameters.nan,
        "mask": "values" if jagged and parameters.mask else "none",
    }
    target = {
        "name": "target",
        "variables": [label_branch or "sample_label"],
        "dtype": "int64",
        "squeeze": True,
    }
    return FeatureSpec.from_dict({"format": "sapwood-features", "version": 1, "inputs": [inputs], "labels": [target]})


_NUMBERS = {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"}


def _labelled(paths: list[str], labels: str | Sequence[Any]) -> tuple[Any, str | None]:
    """(what to open, the branch of the labels if it is one)"""
    values = _listed(labels, "") if isinstance(labels, str) else [str(label) for label in labels]
    if len(values) == 1 and not _is_integer(values[0]):
        return paths, values[0]
    for path in paths:
        if "://" not in path and not any(mark in path for mark in "*?[") and not Path(path).exists():
            raise _core.IoError(f"no such file: {path}")
    if len(values) != len(paths):
        raise _core.ConfigError(f"{len(values)} labels for {len(paths)} files")
    if bad := [value for value in values if not _is_integer(value)]:
        raise _core.ConfigError(f"labels are integers, one for each file, or one branch: not {', '.join(bad)}")
    classes = sorted({int(value) for value in values})
    if classes != list(range(len(classes))):
        raise _core.ConfigError(f"labels are {classes}, must be 0, 1, ... without gaps")
    return {
        str(label): [path for path, value in zip(paths, values, strict=True) if int(value) == label]
        for label in classes
    }, None


def _is_integer(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True


def _listed(given: str | Sequence[str], suffix: str) -> list[str]:
    """Items of a list, a comma-separated string, or a text file with one a line."""
    if isinstance(given, (list, tuple)):
        return list(given)
    if not isinstance(given, str):
        raise _core.ConfigError(f"{given!r} is no list, and no text")
    if "," not in given and Path(given).is_file() and not (suffix and given.endswith(suffix)):
        lines = Path(given).read_text(encoding="utf-8").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return [part.strip() for part in given.split(",") if part.strip()]


def _split(split: float | list[float]) -> tuple[float, float]:
    """(validation, test) as shares of all rows."""
    if isinstance(split, list):
        if len(split) == 3 and sum(split) > 0:
            split = [share / sum(split) for share in split][1:]
        if len(split) != 2:
            raise _core.ConfigError(f"split is {split}: one share, validation and test, or all three")
        return split[0], split[1]
    return (1 - split) * split, split


def _json(path: str) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise _core.IoError(f"can't read {path}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise _core.ConfigError(f"{path} is not JSON: {error}") from None
