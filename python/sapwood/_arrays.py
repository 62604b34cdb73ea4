"""Decoded columns in the forms of other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core

if TYPE_CHECKING:
    from collections.abc import Mapping


def convert(columns: Mapping[str, _core.Column], library: str) -> Any:
    """Columns as `library` ("arrow", "ak", "np", "pd") has them."""
    if library == "np":
        return {name: _numpy(column) for name, column in columns.items()}
    if library == "arrow":
        return {name: _arrow(column) for name, column in columns.items()}
    if library == "ak":
        awkward = _require("awkward", "ak")
        arrays = {name: awkward.from_arrow(_arrow(column)) for name, column in columns.items()}
        return awkward.zip(arrays, depth_limit=1)
    if library == "pd":
        pandas = _require("pandas", "pd")
        return pandas.DataFrame({name: _pandas(column, pandas) for name, column in columns.items()}, copy=False)
    raise _core.ConfigError(f"library is '{library}', must be 'arrow', 'ak', 'np' or 'pd'")


def _require(module: str, library: str) -> Any:
    try:
        return __import__(module)
    except ImportError:
        message = f"library='{library}' needs {module}: pip install {module} (library='np' needs nothing more)"
        raise ImportError(message) from None


def _arrow(column: _core.Column) -> Any:
    return _require("pyarrow", "arrow").array(column)


def _pandas(column: _core.Column, pandas: Any) -> Any:
    if not column.children and column.type != "string":
        return column.numpy()
    return pandas.arrays.ArrowExtensionArray(_arrow(column))


def _numpy(column: _core.Column) -> Any:
    """Numbers and fixed arrays without a copy; a record as a dict; the rest as an array of objects."""
    kind = column.type
    if kind.startswith("struct<"):
        return {
            name: _numpy(child) for name, child in zip(column.member_names, column.children, strict=True)
        }
    if kind == "string":
        text = column.characters
        return _objects(
            [
                text[start:stop].decode("utf-8", "surrogateescape")
                for start, stop in zip(column.offsets[:-1], column.offsets[1:], strict=True)
            ]
        )
    if not kind.startswith("list<"):
        if len(column.children) == 1 and not _is_numeric(column.children[0]):
            items = _numpy(column.children[0])
            return _objects(list(np.array_split(items, len(column)))) if len(column) else _objects([])
        return column.numpy()
    items = _numpy(column.children[0])
    offsets = column.offsets
    if isinstance(items, dict):
        return _objects(
            [
                {name: values[start:stop] for name, values in items.items()}
                for start, stop in zip(offsets[:-1], offsets[1:], strict=True)
            ]
        )
    return _objects([items[start:stop] for start, stop in zip(offsets[:-1], offsets[1:], strict=True)])


def _is_numeric(column: _core.Column) -> bool:
    return not column.children and column.type != "string" if not column.children else _is_numeric(column.children[0])


def _objects(values: list[Any]) -> Any:
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        array[i] = value
    return array
