"""Trained models as ONNX, with a way to ask the framework itself for answers."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core, _onnxruntime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Array = np.ndarray[Any, np.dtype[Any]]
    Tensors = dict[str, Array]

# A Keras model may be a PyTorch module, and an XGBoost model a scikit-learn estimator: the order counts.
_FRAMEWORKS = {"keras": "keras", "xgboost": "xgboost", "torch": "pytorch", "sklearn": "scikit-learn"}


@dataclass
class Exported:
    """A model as ONNX."""

    onnx: bytes
    framework: str  # with its version
    answers: Callable[[Tensors], Tensors]  # those of the framework
    labels: list[str] = field(default_factory=list)  # of a classifier


def export_onnx(model: Any, tensors: Tensors, framework: str | None, opset: int | None) -> Exported:
    """The model with inputs named like those of the tensors that it takes. Raises ModelError, ImportError."""
    framework = framework or _framework_of(model)
    if framework == "onnx":
        return _as_it_is(model)
    # Imported here, since each brings its framework.
    if framework == "pytorch":
        from ._onnx_pytorch import export
    elif framework == "keras":
        from ._onnx_keras import export
    elif framework == "scikit-learn":
        from ._onnx_sklearn import export
    elif framework == "xgboost":
        from ._onnx_xgboost import export
    else:
        known = ", ".join([*_FRAMEWORKS.values(), "onnx"])
        raise _core.ConfigError(f"framework is '{framework}', must be one of {known}")
    from ._onnx_side_by_side import export_side_by_side, takes_matrix

    if len(tensors) > 1 and takes_matrix(model, framework):
        return export_side_by_side(lambda matrix: export(model, matrix, opset), tensors)
    return export(model, tensors, opset)


def _framework_of(model: Any) -> str:
    if isinstance(model, bytes):
        return "onnx"
    packages = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    for package, framework in _FRAMEWORKS.items():
        if package in packages:
            return framework
    raise _core.ConfigError(f"a {type(model).__name__} is of no framework that is known; framework= names one")


def _as_it_is(model: bytes) -> Exported:
    loaded = _onnxruntime.load_onnx(model)

    def answers(tensors: Tensors) -> Tensors:
        missing = [spec.name for spec in loaded.inputs if spec.name not in tensors]
        if missing:
            raise _core.ModelError(f"the model takes a tensor '{missing[0]}', which is not given")
        return loaded.run([np.ascontiguousarray(tensors[spec.name]) for spec in loaded.inputs])

    return Exported(model, "ONNX", answers)


def require(module: str, package: str, what: str) -> Any:
    """Imports a module. Raises ImportError that names the package to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"exporting {what} needs {package}: pip install {package} ({error})") from None


def failed(what: str, error: Exception) -> _core.ModelError:
    """That a model can't be exported, in one line: the first of what started it."""
    cause: BaseException = error
    while cause.__cause__ is not None and str(cause.__cause__).strip():
        cause = cause.__cause__
    lines = str(cause).strip().splitlines()
    reason = lines[0] if lines else type(cause).__name__
    return _core.ModelError(f"{what} can't be exported to ONNX: {reason}")


def only_flat_tensor(tensors: Tensors, what: str) -> tuple[str, Array]:
    """The one tensor [N, C] of floating numbers that estimators take."""
    if len(tensors) == 1:
        ((name, tensor),) = tensors.items()
        if tensor.ndim == 2 and tensor.dtype in (np.float32, np.float64):
            return name, tensor
    raise _core.ModelError(f"{what} takes one flat tensor of float32 or float64, not {_described(tensors)}")


def by_name_or_order(names: Sequence[str], tensors: Tensors) -> list[str]:
    """Which tensors the arguments of these names take: those of the same names, or else the first."""
    if all(name in tensors for name in names):
        return list(names)
    if len(names) > len(tensors):
        raise _core.ModelError(f"the model takes {', '.join(names)}, the features give {_described(tensors)}")
    return list(tensors)[: len(names)]


def _described(tensors: Tensors) -> str:
    return ", ".join(f"{name} {tensor.dtype} {list(tensor.shape)}" for name, tensor in tensors.items())


def finished(model: Any, inputs: Sequence[str], outputs: Mapping[str, str]) -> bytes:
    """The ONNX model with its inputs and outputs renamed, and without notes on the source that it came from.

    inputs: in the model's order. outputs: old name to new, of those that are kept.
    """
    graph = model.graph
    kept = [output for output in graph.output if output.name in outputs]
    del graph.output[:]
    graph.output.extend(sorted(kept, key=lambda output: list(outputs).index(output.name)))
    given = [value for value in graph.input if value.name not in {i.name for i in graph.initializer}]
    names = {**{value.name: name for value, name in zip(given, inputs, strict=True)}, **outputs}
    # What else has one of the new names gets another.
    used = {name for node in graph.node for name in (*node.input, *node.output)}
    for name in list(names.values()):
        if name in used and name not in names:
            names[name] = name + "_inner"
    _rename(graph, names)
    del model.metadata_props[:]
    for function in model.functions:
        _strip(function)
    return bytes(model.SerializeToString(deterministic=True))


def _rename(graph: Any, names: Mapping[str, str]) -> None:
    for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        value.name = names.get(value.name, value.name)
    for node in graph.node:
        for listed in (node.input, node.output):
            listed[:] = [names.get(name, name) for name in listed]
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.node:
                    _rename(inner, names)
    _strip(graph)


def _strip(graph: Any) -> None:
    for part in (graph, *graph.node, *graph.value_info):
        part.doc_string = ""
        del part.metadata_props[:]
