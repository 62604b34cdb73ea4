"""Keras 3 models as ONNX, whatever their backend."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from ._onnx_export import Exported, by_name_or_order, failed, finished, require

if TYPE_CHECKING:
    from ._onnx_export import Tensors


def export(model: Any, tensors: Tensors, opset: int | None) -> Exported:
    """See `export_onnx`."""
    keras = require("keras", "keras", "a Keras model")
    onnx = require("onnx", "onnx", "a Keras model")
    structure, taken = _arguments(keras, model, tensors)

    def answers(tensors: Tensors) -> Tensors:
        values = [keras.ops.convert_to_tensor(np.ascontiguousarray(tensors[name])) for name in taken]
        inputs = values[0] if structure is None else keras.tree.pack_sequence_as(structure, values)
        outputs = _named(keras, model(inputs, training=False))
        return {name: keras.ops.convert_to_numpy(output) for name, output in outputs.items()}

    try:
        # Keras exports what was called before.
        names = list(answers({name: tensor[:2] for name, tensor in tensors.items()}))
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path = Path(folder, "model.onnx")
            options = {} if opset is None else {"opset_version": opset}
            model.export(str(path), format="onnx", verbose=False, **options)
            proto = onnx.load(path)
    except _core.Error:
        raise
    except Exception as error:  # of all kinds that the model and the exporter may raise
        raise failed("the Keras model", error) from error
    outputs = dict(zip([output.name for output in proto.graph.output], names, strict=True))
    framework = f"Keras {keras.__version__} ({keras.backend.backend()})"
    return Exported(finished(proto, taken, outputs), framework, answers)


def _arguments(keras: Any, model: Any, tensors: Tensors) -> tuple[Any, list[str]]:
    """How the model takes its inputs (None: as they are), and which tensors these are."""
    try:
        structure = model.input
    except (AttributeError, ValueError):
        # Neither functional nor sequential: its inputs have no names.
        return (None if len(tensors) == 1 else list(tensors)), list(tensors)
    names = [tensor.name for tensor in keras.tree.flatten(structure)]
    return structure, by_name_or_order(names, tensors)


def _named(keras: Any, outputs: Any) -> dict[str, Any]:
    values = keras.tree.flatten(outputs)
    if isinstance(outputs, Mapping):
        return dict(zip(sorted(outputs), values, strict=True))
    if isinstance(outputs, (tuple, list)):
        return {f"output_{i}": value for i, value in enumerate(values)}
    return {"output": values[0]}
