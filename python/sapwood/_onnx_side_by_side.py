"""Models of tables, which take all tensors side by side as one matrix, as ONNX models that take the tensors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ._onnx_export import require

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._onnx_export import Array, Exported, Tensors

_MATRIX = "side_by_side"


def takes_matrix(model: Any, framework: str) -> bool:
    """Whether the model has one input, a matrix, whatever the tensors are called."""
    if framework == "keras":
        if inputs := getattr(model, "inputs", None):
            return len(inputs) == 1
        # A subclass says only what shapes it was called with.
        return isinstance((model.get_build_config() or {}).get("input_shape"), tuple)
    return framework in ("scikit-learn", "xgboost")


def matrix_of(tensors: Tensors) -> Array:
    """[N, F] float32: the tensors, flattened but for the first axis, one after the other."""
    parts = [tensor.reshape(len(tensor), -1).astype(np.float32) for tensor in tensors.values()]
    return np.concatenate(parts, 1)


def export_side_by_side(export: Callable[[Tensors], Exported], tensors: Tensors) -> Exported:
    """What `export` makes of the matrix, with the joining of the tensors put before it."""
    onnx = require("onnx", "onnx", "a model")
    exported = export({_MATRIX: matrix_of(tensors)})
    proto = onnx.load_from_string(exported.onnx)
    kinds = onnx.helper.np_dtype_to_tensor_dtype
    nodes, inputs, flat = [], [], []
    for name, tensor in tensors.items():
        inputs.append(onnx.helper.make_tensor_value_info(name, kinds(tensor.dtype), ["N", *tensor.shape[1:]]))
        nodes.append(onnx.helper.make_node("Cast", [name], [f"{name}/float"], to=onnx.TensorProto.FLOAT))
        nodes.append(onnx.helper.make_node("Flatten", [f"{name}/float"], [f"{name}/flat"], axis=1))
        flat.append(f"{name}/flat")
    nodes.append(onnx.helper.make_node("Concat", flat, [_MATRIX], axis=1))
    for node in reversed(nodes):
        proto.graph.node.insert(0, node)
    del proto.graph.input[:]
    proto.graph.input.extend(inputs)

    def answers(given: Tensors) -> Tensors:
        return exported.answers({_MATRIX: matrix_of({name: given[name] for name in tensors})})

    return replace(exported, onnx=proto.SerializeToString(), answers=answers)
