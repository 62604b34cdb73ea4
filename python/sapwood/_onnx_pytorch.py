"""PyTorch modules as ONNX."""

from __future__ import annotations

import copy
import inspect
import logging
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from ._onnx_export import Exported, by_name_or_order, failed, finished, require

if TYPE_CHECKING:
    from ._onnx_export import Tensors


def export(model: Any, tensors: Tensors, opset: int | None) -> Exported:
    """See `export_onnx`."""
    torch = require("torch", "torch", "a PyTorch module")
    require("onnxscript", "onnxscript", "a PyTorch module")
    module = copy.deepcopy(model).cpu().eval()
    by_name, taken = _arguments(module, tensors)

    def call(values: list[Any]) -> dict[str, Any]:
        return _named(module(**dict(zip(taken, values, strict=True))) if by_name else module(*values))

    def answers(tensors: Tensors) -> Tensors:
        with torch.no_grad():
            outputs = call([torch.from_numpy(np.ascontiguousarray(tensors[name])) for name in taken])
        return {name: output.numpy() for name, output in outputs.items()}

    class Flat(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, *values: Any) -> tuple[Any, ...]:
            return tuple(call(list(values)).values())

    # Exporting takes a size of 1 for one that never changes.
    example = {name: np.resize(tensors[name], (3, *tensors[name].shape[1:])) for name in taken}
    try:
        names = list(answers(example))
        with warnings.catch_warnings(), _quiet("torch.onnx"):
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                Flat().eval(),
                tuple(torch.from_numpy(tensor) for tensor in example.values()),
                dynamo=True,
                dynamic_shapes=(tuple({0: torch.export.Dim("N")} for _ in taken),),
                opset_version=opset,
                verbose=False,
            )
    except _core.Error:
        raise
    except Exception as error:  # of all kinds that the module and the exporter may raise
        raise failed("the PyTorch module", error) from error
    proto = program.model_proto
    outputs = dict(zip([output.name for output in proto.graph.output], names, strict=True))
    return Exported(finished(proto, taken, outputs), f"PyTorch {torch.__version__.partition('+')[0]}", answers)


def _arguments(module: Any, tensors: Tensors) -> tuple[bool, list[str]]:
    """Whether tensors go by name, and which."""
    parameters = [p for p in inspect.signature(module.forward).parameters.values() if p.kind != p.VAR_KEYWORD]
    if any(p.kind == p.VAR_POSITIONAL for p in parameters):
        return False, list(tensors)
    required = [p.name for p in parameters if p.default is p.empty]
    if required and all(name in tensors for name in required):
        return True, [p.name for p in parameters if p.name in tensors]
    positional = [p.name for p in parameters if p.kind != p.KEYWORD_ONLY]
    return False, by_name_or_order(positional[: max(len(required), min(len(positional), len(tensors)))], tensors)


def _named(outputs: Any) -> dict[str, Any]:
    if isinstance(outputs, Mapping):
        return dict(outputs)
    if isinstance(outputs, (tuple, list)):
        return {f"output_{i}": output for i, output in enumerate(outputs)}
    return {"output": outputs}


class _quiet:  # noqa: N801 (reads as a statement)
    """Keeps a logger to errors."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def __enter__(self) -> None:
        self._level = self._logger.level
        self._logger.setLevel(logging.ERROR)

    def __exit__(self, *_: object) -> None:
        self._logger.setLevel(self._level)
