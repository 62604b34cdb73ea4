"""Batches as Arrow record batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from .loader import NumpyBatch


def record_batch(batch: NumpyBatch) -> pa.RecordBatch:
    """A column for each tensor."""
    return pa.RecordBatch.from_pydict({name: _column(array) for name, array in batch.items()})


def _column(array: np.ndarray) -> pa.Array:
    if array.ndim == 1:
        return pa.array(array)
    if array.dtype != np.bool_:
        return pa.FixedShapeTensorArray.from_numpy_ndarray(array)
    storage = pa.FixedSizeListArray.from_arrays(pa.array(array.reshape(-1)), int(np.prod(array.shape[1:])))
    return pa.FixedShapeTensorArray.from_storage(pa.fixed_shape_tensor(pa.bool_(), array.shape[1:]), storage)
