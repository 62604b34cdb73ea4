"""Batches as Arrow record batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._core import TensorInfo
    from .loader import NumpyBatch


def record_batch(batch: NumpyBatch, tensors: Sequence[TensorInfo]) -> pa.RecordBatch:
    """A column for each tensor of rows, and for each packed group a list column."""
    columns = {}
    for tensor in tensors:
        if tensor.axis == "N":
            columns[tensor.name] = _column(batch[tensor.name])
        elif tensor.axis == "T":
            offsets = pa.array(batch[f"{tensor.name}_cu_seqlens"])
            columns[tensor.name] = pa.ListArray.from_arrays(offsets, _column(batch[tensor.name]))
    return pa.RecordBatch.from_pydict(columns)


def _column(array: np.ndarray) -> pa.Array:
    if array.ndim == 1:
        return pa.array(array)
    values = pa.array(array.reshape(-1))
    storage = pa.FixedSizeListArray.from_arrays(values, int(np.prod(array.shape[1:])))
    return pa.FixedShapeTensorArray.from_storage(pa.fixed_shape_tensor(values.type, array.shape[1:]), storage)
