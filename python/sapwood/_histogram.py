"""Histograms of columns and formulas, filled piece by piece."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core

if TYPE_CHECKING:
    from ._dataset_reading import DatasetReading

_BINS = 50


def histogram(
    dataset: DatasetReading,
    expressions: Sequence[str],
    bins: Any,
    range_: Any,
    weight: str | None,
    threads: int | None,
) -> Any:
    try:
        import hist
    except ImportError:
        raise ImportError("histograms need the package hist: pip install hist") from None

    if not expressions:
        raise _core.ConfigError("a histogram needs an expression")
    axes = _axes(dataset, expressions, bins, range_, threads)
    filled = hist.Hist(*axes, storage=hist.storage.Double() if weight is None else hist.storage.Weight())
    read = [*expressions, *([] if weight is None else [weight])]
    for columns in dataset._blocks(read, threads=threads):
        values = _flattened(columns, read)
        filled.fill(*values[: len(expressions)], weight=None if weight is None else values[-1])
    return filled


def _axes(
    dataset: DatasetReading, expressions: Sequence[str], bins: Any, range_: Any, threads: int | None
) -> list[Any]:
    """One axis for each expression: as given, or regular between the limits that are given or in the data."""
    import hist

    of_axis = [bins] * len(expressions) if not isinstance(bins, (list, tuple)) else list(bins)
    limits = [range_] if len(expressions) == 1 else list(range_ or [None] * len(expressions))
    for name, given in (("bins", of_axis), ("range", limits)):
        if len(given) != len(expressions):
            raise _core.ConfigError(f"{name} has {len(given)} items for {len(expressions)} expressions")
    unknown = [
        expression
        for expression, axis, limit in zip(expressions, of_axis, limits, strict=True)
        if limit is None and (axis is None or isinstance(axis, int))
    ]
    in_data = {s.expression: (s.min, s.max) for s in dataset.scan(unknown, threads=threads)} if unknown else {}
    axes: list[Any] = []
    for expression, axis, limit in zip(expressions, of_axis, limits, strict=True):
        if isinstance(axis, np.ndarray):
            axes.append(hist.axis.Variable(axis, label=expression))
        elif axis is None or isinstance(axis, int):
            low, high = limit or in_data[expression]
            if not np.isfinite([low, high]).all():
                raise _core.ConfigError(f"'{expression}' has infinite values: give range=(low, high)")
            # The largest value belongs into the last bin.
            high = high if limit else (np.nextafter(high, np.inf) if high > low else low + 1)
            axes.append(hist.axis.Regular(axis or _BINS, low, high, label=expression))
        else:
            axes.append(axis)
    return axes


def _flattened(columns: list[_core.Column], expressions: list[str]) -> list[np.ndarray[Any, Any]]:
    """Plain values: those of lists one after the other, and numbers of the entry with each of them."""
    parts = [_values_and_counts(column) for column in columns]
    of_lists = [(counts, i) for i, (_, counts) in enumerate(parts) if counts is not None]
    for counts, i in of_lists[1:]:
        if not np.array_equal(counts, of_lists[0][0]):
            first = expressions[of_lists[0][1]]
            raise _core.SchemaError(f"the lists of '{expressions[i]}' and '{first}' differ in their sizes")
    if not of_lists:
        return [values for values, _ in parts]
    return [np.repeat(values, of_lists[0][0]) if counts is None else values for values, counts in parts]


def _values_and_counts(column: _core.Column) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any] | None]:
    """All numbers, and how many belong to each entry; None where each entry is one."""
    bounds = None
    entries = len(column)
    while column.kind == "list":
        bounds = column.offsets if bounds is None else column.offsets[bounds]
        column = column.children[0]
    values = column.numpy()
    if values.ndim == 1:
        return values, None if bounds is None else np.diff(bounds)
    size = values.size // max(len(values), 1)
    counts = np.full(entries, size) if bounds is None else np.diff(bounds) * size
    return values.ravel(), counts
