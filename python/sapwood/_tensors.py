"""The core's tensors as NumPy's and PyTorch's, without a copy."""

from __future__ import annotations

import dataclasses
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
    """What makes an array of this dtype of what the core gives, which is bits, int16, for bfloat16. Raises ConfigError
    where NumPy has no such dtype.
    """
    if dtype != "bfloat16":
        return lambda array: array
    bfloat16 = numpy_bfloat16()
    return lambda array: array.view(bfloat16)


def to_torch(_: str) -> Callable[[Any], torch.Tensor]:
    """What makes a PyTorch tensor of a capsule of DLPack."""
    from torch.utils.dlpack import from_dlpack

    return from_dlpack


@dataclasses.dataclass(frozen=True)
class Framework:
    """Whose tensors a loader gives: how to ask an epoch for the next batch, and what makes tensors of a dtype of it."""

    next: Callable[[_core.Epoch], list[Any] | None]
    adapter: Callable[[str], Callable[[Any], Any]]


NUMPY = Framework(_core.Epoch.next_numpy, to_numpy)
TORCH = Framework(_core.Epoch.next_dlpack, to_torch)
