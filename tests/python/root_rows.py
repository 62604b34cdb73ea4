"""Rows for the tests of ROOT's loaders, which say of themselves whether they fit together."""

from typing import Any

import awkward as ak
import numpy as np
from conftest import Columns

Array = np.ndarray[Any, Any]


def numbers(start: int, stop: int) -> Columns:
    """b1 counts, b2 is its square, b3 and b4 are 10 and 100 times as large."""
    count = np.arange(start, stop)
    return {
        "b1": count.astype(np.int16),
        "b2": (count**2).astype(np.uint16),
        "b3": count * 10.0,
        "b4": count * 100.0,
    }


def alternate(start: int, stop: int) -> Columns:
    """The same of every other number: of the class `start % 2`."""
    count = np.arange(start, stop, 2)
    return {"b1": count.astype(np.int32), "b2": count**2.0, "b3": count * 10.0, "b4": count * 100.0}


def lists(start: int, stop: int) -> Columns:
    count = np.arange(start, stop, dtype=np.int32)
    return {
        "b1": count,
        "v1": ak.Array([[i, 10 * i] for i in count.tolist()]),
        "v2": ak.Array([[100 * i, 1000 * i] for i in count.tolist()]),
    }


def whole(batches: Any) -> list[Array]:
    """The batches' x, y and w, each one array."""
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def ids(batches: Any) -> list[int]:
    """The values of b1 in batches of b1 and b2, which fit together."""
    x, y = whole(batches)
    assert x.dtype == y.dtype == np.float32
    assert x.shape == y.shape == (len(x), 1)
    assert (x**2 == y).all()
    return [int(value) for value in x[:, 0]]


def weighted_ids(batches: Any) -> list[int]:
    """The same where b2 and b4 are the targets and b3 the weights."""
    x, y, w = whole(batches)
    assert (x.shape[1], y.shape[1], w.shape[1]) == (1, 2, 1)
    assert np.array_equal(y, np.hstack([x**2, x * 100]))
    assert np.array_equal(w, x * 10)
    return [int(value) for value in x[:, 0]]


def of_classes(rows: list[int]) -> tuple[int, int]:
    """How many even and odd ones there are."""
    odd = sum(row % 2 for row in rows)
    return len(rows) - odd, odd


def rows_of(data: Any) -> list[list[int]]:
    """b1 of each data set or data frame, which loaders must leave as it was."""
    frames = data if isinstance(data, list) else [data]
    read = [of.AsNumpy(["b1"]) if hasattr(of, "AsNumpy") else of.arrays("b1", library="np") for of in frames]
    return [columns["b1"].tolist() for columns in read]
