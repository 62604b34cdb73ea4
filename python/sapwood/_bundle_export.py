"""Writing bundles: the model compared with its framework, golden sample, manifest, archive."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _bundle_archive, _core, _onnxruntime
from ._arrays import to_column
from ._model_card import model_card
from ._onnx_export import Exported, export_onnx
from .dataset import Dataset
from .features import FeatureSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Array = np.ndarray[Any, np.dtype[Any]]
    Tensors = dict[str, Array]

_MOST_COMPARED = 1024


@dataclass
class _Sample:
    """Raw columns (of a bundle with features), and the tensors that they make."""

    columns: dict[str, _core.Column]
    tensors: Tensors


def export(
    model: Any,
    path: str,
    *,
    features: FeatureSpec | None,
    sample: Dataset | Mapping[str, Any],
    name: str | None,
    description: str,
    labels: Sequence[str] | None,
    card: str | Mapping[str, Any] | None,
    framework: str | None,
    opset: int | None,
    golden_entries: int,
    tolerances: tuple[float, float],
) -> None:
    """See `sapwood.bundle.export`."""
    inputs = None if features is None else _inputs_of(features, sample)
    read = _tensors_given(sample) if inputs is None else _columns_read(inputs, sample)
    rows = min(len(tensor) for tensor in read.tensors.values())
    if rows == 0:
        raise _core.ConfigError("the sample has no entries")
    exported = export_onnx(model, read.tensors, framework, opset)
    loaded = _onnxruntime.load_onnx(exported.onnx)
    answers = _compared(loaded, exported, read.tensors, tolerances)
    if labels is None:
        labels = exported.labels
    _check_labels(labels, loaded)

    golden_rows = min(rows, max(golden_entries, 1))
    manifest: dict[str, Any] = {
        "format": "sapwood-bundle",
        "version": 1,
        "name": name or Path(path).name.split(".")[0],
        "description": description,
        "framework": exported.framework,
        "created": _now(),
        "sapwood": _version(),
        "labels": list(labels),
        "inputs": [_signature(spec) for spec in loaded.inputs],
        "outputs": [_signature(spec) for spec in loaded.outputs],
        "columns": [{"name": name, "type": column.type} for name, column in read.columns.items()],
    }
    files = {"model.onnx": exported.onnx}
    if inputs is not None:
        files["features.json"] = (inputs.to_json() + "\n").encode()
    golden = _golden(read, answers, [spec.name for spec in loaded.inputs], golden_rows, tolerances)
    files["golden.json"] = (json.dumps(golden, allow_nan=False) + "\n").encode()
    text = card if isinstance(card, str) else model_card(manifest, inputs, card or {})
    files["card.md"] = text.encode()
    _bundle_archive.write(path, manifest, files)


def run(model: _core.Model, tensors: Mapping[str, Array]) -> Tensors:
    """The model's outputs for the tensors that it takes of these. Raises ModelError when one is missing."""
    missing = [spec.name for spec in model.inputs if spec.name not in tensors]
    if missing:
        raise _core.ModelError(f"the model takes a tensor '{missing[0]}', which is not given")
    return model.run([np.ascontiguousarray(tensors[spec.name]) for spec in model.inputs])


def _inputs_of(features: FeatureSpec, sample: Dataset | Mapping[str, Any]) -> FeatureSpec:
    inputs = FeatureSpec(inputs=features.inputs, definitions=features.definitions)
    if not inputs.inputs:
        raise _core.ConfigError("the features have no inputs")
    if not inputs.is_fitted:
        raise _core.ConfigError("the features are not fitted: Dataset.fit learns what is missing")
    if isinstance(sample, Dataset):
        inputs = FeatureSpec._of(sample._core.complete(inputs._core))
    _core.check_portable(inputs._core)
    _core.check_servable(inputs._core)
    return inputs


def _columns_read(inputs: FeatureSpec, sample: Dataset | Mapping[str, Any]) -> _Sample:
    if isinstance(sample, Dataset):
        arrays = sample.arrays(inputs.columns(sample), 0, _MOST_COMPARED)
    else:
        arrays = {name: array[:_MOST_COMPARED] for name, array in sample.items()}
    columns = {name: to_column(array, name) for name, array in arrays.items()}
    read = {name: columns[name] for name in _core.feature_columns(inputs._core, columns)}
    return _Sample(read, _core.make_tensors(inputs._core, read))


def _tensors_given(sample: Dataset | Mapping[str, Any]) -> _Sample:
    if isinstance(sample, Dataset):
        raise _core.ConfigError("without features the sample is the model's tensors by name, not a data set")
    tensors = {name: np.ascontiguousarray(array[:_MOST_COMPARED]) for name, array in sample.items()}
    if not tensors or any(tensor.ndim == 0 for tensor in tensors.values()):
        raise _core.ConfigError("without features the sample is the model's tensors by name, with a batch axis")
    return _Sample({}, tensors)


def _compared(loaded: _core.Model, exported: Exported, tensors: Tensors, tolerances: tuple[float, float]) -> Tensors:
    """The framework's answers on the whole sample, once the exported model gave the same, on single rows too."""
    answers = exported.answers(tensors)
    _check_outputs(run(loaded, tensors), answers, tolerances)
    first = {name: tensor[:1] for name, tensor in tensors.items()}
    try:
        _check_outputs(run(loaded, first), exported.answers(first), tolerances)
    except _core.ModelError as error:
        raise _core.ModelError(f"in batches of one row, the exported model fails: {error}") from None
    return answers


def _check_outputs(given: Tensors, wanted: Tensors, tolerances: tuple[float, float]) -> None:
    if list(given) != list(wanted):
        raise _core.ModelError(f"the exported model has outputs {list(given)}, {list(wanted)} were expected")
    for name, expected in wanted.items():
        got = given[name]
        if got.shape != expected.shape or got.dtype != expected.dtype:
            raise _core.ModelError(
                f"output '{name}' of the exported model is {got.dtype} {list(got.shape)}, in its framework "
                f"{expected.dtype} {list(expected.shape)}"
            )
        if np.allclose(got, expected, atol=tolerances[0], rtol=tolerances[1], equal_nan=True):
            continue
        off = np.abs(got.astype(np.float64) - expected.astype(np.float64))
        raise _core.ModelError(
            f"the exported model gives other answers than its framework: output '{name}' is off by up to "
            f"{np.nanmax(off):.3g} (allowed: {tolerances[0]:g} + {tolerances[1]:g} of the value)"
        )


def _check_labels(labels: Sequence[str], loaded: _core.Model) -> None:
    classes = loaded.outputs[0].shape[-1] if len(loaded.outputs[0].shape) > 1 else 1
    # One output for two classes is the probability of the second.
    if labels and classes >= 0 and len(labels) != classes and (classes, len(labels)) != (1, 2):
        raise _core.ConfigError(f"there are {len(labels)} labels, but the output has {classes} columns")


def _golden(
    sample: _Sample, answers: Tensors, inputs: Sequence[str], rows: int, tolerances: tuple[float, float]
) -> dict[str, Any]:
    golden: dict[str, Any] = {"absolute_tolerance": tolerances[0], "relative_tolerance": tolerances[1]}
    if sample.columns:
        golden["columns"] = {name: _plain(_first(column, rows)) for name, column in sample.columns.items()}
    else:
        golden["inputs"] = {name: _tensor_json(sample.tensors[name][:rows]) for name in inputs}
    golden["outputs"] = {name: _tensor_json(tensor[:rows]) for name, tensor in answers.items()}
    return golden


def _first(column: _core.Column, rows: int) -> list[Any]:
    import pyarrow

    listed: list[Any] = pyarrow.array(column).slice(0, rows).to_pylist()
    return listed


def _tensor_json(tensor: Array) -> dict[str, Any]:
    return {"dtype": str(tensor.dtype), "shape": list(tensor.shape), "data": _plain(tensor.reshape(-1).tolist())}


def _plain(value: Any) -> Any:
    """With the numbers that JSON has no words for as strings."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, float) and not np.isfinite(value):
        return "NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _signature(spec: _core.TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "dtype": spec.dtype, "shape": spec.shape}


def _now() -> str:
    """The time, or that of SOURCE_DATE_EPOCH, with which the same model gives the same bytes."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def _version() -> str:
    from . import __version__

    return __version__
