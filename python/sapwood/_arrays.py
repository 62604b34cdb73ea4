"""Decoded columns in the forms of other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


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


def to_column(array: Any, name: str) -> _core.Column:
    """A column from an Arrow, Awkward or NumPy array, or a list. Raises SchemaError, UnsupportedError with its name."""
    if isinstance(array, _core.Column):
        return array
    try:
        if type(array).__module__.partition(".")[0] == "awkward":
            array = _require("awkward", "ak").to_arrow(array, extensionarray=False)
        if hasattr(array, "combine_chunks"):
            array = array.combine_chunks()
        if not hasattr(array, "__arrow_c_array__"):
            array = _from_numpy(array) if isinstance(array, np.ndarray) else _from_list(array)
    except (ValueError, TypeError, NotImplementedError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise _core.SchemaError(f"no column can be made of what is given for '{name}': {reason}") from None
    try:
        return _core.Column.from_arrow(array)
    except _core.UnsupportedError as error:
        raise _core.UnsupportedError(f"column '{name}': {error}") from None


def _from_numpy(array: np.ndarray[Any, np.dtype[Any]]) -> Any:
    arrow = _require("pyarrow", "arrow")
    values = arrow.array(array.reshape(-1))
    for size in reversed(array.shape[1:]):
        values = arrow.FixedSizeListArray.from_arrays(values, size)
    return values


def _from_list(values: Any) -> Any:
    """An Arrow array; of lists without any item, whose type nobody can tell, one of float64."""
    arrow = _require("pyarrow", "arrow")
    array = arrow.array(values)
    inner, depth = array, 0
    while arrow.types.is_list(inner.type):
        inner, depth = inner.flatten(), depth + 1
    if not arrow.types.is_null(inner.type) or len(inner):
        return array
    type_ = arrow.float64()
    for _ in range(depth):
        type_ = arrow.list_(type_)
    return arrow.array(values, type_)


def _require(module: str, library: str) -> Any:
    try:
        return __import__(module)
    except ImportError:
        message = f"library='{library}' needs {module}: pip install {module} (library='np' needs nothing more)"
        raise ImportError(message) from None


def _arrow(column: _core.Column) -> Any:
    return _require("pyarrow", "arrow").array(column)


def _pandas(column: _core.Column, pandas: Any) -> Any:
    if column.kind == "number":
        return column.numpy()
    return pandas.arrays.ArrowExtensionArray(_arrow(column))


def _numpy(column: _core.Column) -> Any:
    """Numbers and fixed arrays of them without a copy; a record as a dict; the rest as an array of objects."""
    if column.kind in ("number", "fixed_list"):
        return column.numpy()
    if column.kind == "record":
        return {name: _numpy(child) for name, child in zip(column.member_names, column.children, strict=True)}
    if column.kind == "string":
        text = column.characters
        return _objects(text[start:stop].decode("utf-8", "surrogateescape") for start, stop in _ranges(column))
    items = _numpy(column.children[0])
    return _objects(_part(items, start, stop) for start, stop in _ranges(column))


def _part(values: Any, start: int, stop: int) -> Any:
    if isinstance(values, dict):
        return {name: _part(member, start, stop) for name, member in values.items()}
    return values[start:stop]


def _ranges(column: _core.Column) -> Iterator[tuple[int, int]]:
    """Where each entry's items start and stop."""
    if column.kind == "list_array":
        size = len(column.children[0]) // max(len(column), 1)
        return ((i * size, (i + 1) * size) for i in range(len(column)))
    offsets = column.offsets
    return zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)


def _objects(values: Iterable[Any]) -> np.ndarray[Any, np.dtype[np.object_]]:
    listed = list(values)
    array = np.empty(len(listed), dtype=object)
    for i, value in enumerate(listed):
        array[i] = value
    return array
