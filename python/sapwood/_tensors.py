"""The core's tensors as NumPy's and PyTorch's, without a copy. Those of bfloat16 come as their bits, int16."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import _core

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import torch

    Array = np.ndarray[Any, np.dtype[Any]]


def numpy_bfloat16() -> Any:
    """NumPy's bfloat16. Raises ConfigError that names the package to install."""
    try:
        return importlib.import_module("ml_dtypes").bfloat16
    except ImportError:
        raise _core.ConfigError(
            "NumPy has bfloat16 only with the package ml_dtypes: pip install ml_dtypes; torch() works without it"
        ) from None


def to_numpy(dtype: str) -> Callable[[Array], Array]:
    """What makes an array of a tensor of this dtype. Raises ConfigError where NumPy has no such dtype."""
    if dtype != "bfloat16":
        return lambda array: array
    bfloat16 = numpy_bfloat16()
    return lambda array: array.view(bfloat16)


def to_torch(dtype: str) -> Callable[[Array], torch.Tensor]:
    """What makes a PyTorch tensor of a tensor of this dtype."""
    import torch

    if dtype != "bfloat16":
        return torch.from_numpy
    return lambda array: torch.from_numpy(array).view(torch.bfloat16)
