"""Checks what people give for the fields of a dataclass, by the fields' annotations."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

from . import _core


def check(values: Any, place: str = "", **at_least: float) -> None:
    """Raises ConfigError unless each field of a dataclass object is what its annotation says, and no smaller than
    `at_least` has it; numbers must be finite.

    Annotations are unions of int, float, bool, str, list[...] of these, Path and None; others are not looked at.
    """
    for item in dataclasses.fields(values):
        value, kinds = getattr(values, item.name), str(item.type).split(" | ")
        if not all(kind in _KINDS for kind in kinds):
            continue
        name = f"{place}.{item.name}" if place else item.name
        if not any(_KINDS[kind][1](value) for kind in kinds):
            wanted = " or ".join(_KINDS[kind][0] for kind in kinds)
            raise _core.ConfigError(f"{name} is {value!r}, must be {wanted}")
        low = at_least.get(item.name)
        if low is not None and value is not None and value < low:
            raise _core.ConfigError(f"{name} is {value}, must be at least {low}")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return (_is_whole(value) or isinstance(value, float)) and math.isfinite(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _list_of(test: Any) -> Any:
    return lambda value: isinstance(value, list) and all(test(item) for item in value)


_KINDS: dict[str, tuple[str, Any]] = {
    "int": ("a whole number", _is_whole),
    "float": ("a number", _is_number),
    "bool": ("true or false", lambda value: isinstance(value, bool)),
    "str": ("text", _is_text),
    "Path": ("a path", lambda value: isinstance(value, Path)),
    "list[int]": ("a list of whole numbers", _list_of(_is_whole)),
    "list[float]": ("a list of numbers", _list_of(_is_number)),
    "list[str]": ("a list of texts", _list_of(_is_text)),
    "dict[str, str]": (
        "a mapping of names to texts",
        lambda value: isinstance(value, dict) and all(map(_is_text, [*value, *value.values()])),
    ),
    "None": ("nothing", lambda value: value is None),
}
