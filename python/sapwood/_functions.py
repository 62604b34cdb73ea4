"""Functions of users, as the core calls them: with columns, of which they make one."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _core
from ._arrays import _require, to_column

_LISTS = re.compile(r"list<|>|\[\d+\]")
_ELEMENTS = ("bool", "int64", "float32", "float64")


@dataclass(frozen=True)
class ArrayFunction:
    """A function of arrays. What it gives is converted to the declared type as by NumPy's ``casting="same_kind"``;
    where that can't be, the core tells what does not fit.
    """

    function: Callable[..., Any]
    returns: str
    elementwise: bool

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise _core.ConfigError(f"{self.function!r} can't be called")
        declared = self._declared
        if _element(declared.type) not in _ELEMENTS or (self.elementwise and declared.kind != "number"):
            kinds = ", ".join(_ELEMENTS)
            lists = "; lists of such, with elementwise=False" if self.elementwise else ", or lists of such"
            raise _core.ConfigError(f"returns is '{self.returns}', must be one of {kinds}{lists}")

    def __call__(self, columns: list[_core.Column]) -> _core.Column:
        arrays = [_array(column) for column in columns]
        try:
            given = self.function(*arrays)
        except Exception as error:
            # The core passes on text alone, to other threads.
            frames = traceback.extract_tb(error.__traceback__)[1:]
            place = f" ({frames[0].filename}, line {frames[0].lineno})" if frames else ""
            raise RuntimeError(f"{type(error).__name__}: {error}{place}") from error
        try:
            return self._numbers(given) if self._declared.kind in ("number", "fixed_list") else self._lists(given)
        except Exception as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise RuntimeError(f"it gave {_described(given)}: {reason}") from error

    @property
    def _declared(self) -> _core.Column:
        """Of the declared type, without entries."""
        return _core.Column.empty(self.returns)

    def _numbers(self, given: Any) -> _core.Column:
        if isinstance(given, np.ma.MaskedArray):
            raise TypeError("masked arrays are not taken")
        array = np.asarray(given)
        element = _element(self.returns)
        if np.can_cast(array.dtype, element, "same_kind"):
            array = array.astype(element, copy=False)
        if array.ndim == 0 or array.dtype.kind not in "biuf":
            raise TypeError("an array of numbers is wanted")
        return _core.Column.from_numpy(np.ascontiguousarray(array))

    def _lists(self, given: Any) -> _core.Column:
        arrow = _require("pyarrow", "arrow")
        type_ = arrow.array(self._declared).type
        if isinstance(given, (list, tuple, np.ndarray)):
            given = arrow.array(list(given), type_)
        column = to_column(given, "its result")
        element, wanted = _element(column.type), _element(self.returns)
        if element == wanted or column.type.replace(element, wanted) != self._declared.type:
            return column
        if not np.can_cast(element, wanted, "same_kind"):
            return column
        return _core.Column.from_arrow(arrow.array(column).cast(type_, safe=False))


def _array(column: _core.Column) -> Any:
    """Of numbers, or fixed arrays of them, a NumPy array, read-only; of lists an Awkward array."""
    if column.kind in ("number", "fixed_list"):
        array = column.numpy()
        array.flags.writeable = False
        return array
    awkward = _require("awkward", "ak")
    return awkward.Array(_content(column, awkward.contents, awkward.index.Index64))


def _content(column: _core.Column, contents: Any, index: Any) -> Any:
    if column.kind in ("number", "fixed_list"):
        return contents.NumpyArray(_array(column))
    items = _content(column.children[0], contents, index)
    if column.kind == "list":
        return contents.ListOffsetArray(index(column.offsets), items)
    return contents.RegularArray(items, len(column.children[0]) // max(len(column), 1), zeros_length=len(column))


def _element(type_: str) -> str:
    """What is inside of all lists."""
    return _LISTS.sub("", type_).strip()


def _described(given: Any) -> str:
    if isinstance(given, np.ndarray):
        return f"an array of {given.dtype} {list(given.shape)}"
    return type(given).__name__
