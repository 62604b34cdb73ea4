"""``sapwood diff``: two files' columns, value by value, whatever their formats."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from . import _core, dataset
from ._cli_text import plural, print_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from .dataset import Dataset

    Mask = np.ndarray[Any, np.dtype[np.bool_]]

_BYTES_AT_ONCE = 64 << 20


@dataclass
class ColumnDiff:
    """How a column differs, of those entries that both have."""

    column: str
    types: tuple[str, str] | None = None  # where those differ; values are not compared then
    entries: int = 0
    first: int | None = None


@dataclass
class Diff:
    """How the second differs from the first."""

    entries: tuple[int, int]
    compared: int = 0  # columns
    only_first: list[str] = field(default_factory=list)
    only_second: list[str] = field(default_factory=list)
    not_read_yet: list[str] = field(default_factory=list)  # in either, hence not compared
    columns: list[ColumnDiff] = field(default_factory=list)

    @property
    def same(self) -> bool:
        return not (self.only_first or self.only_second or self.columns) and self.entries[0] == self.entries[1]


def run(options: argparse.Namespace) -> int:
    """Prints what differs; returns the exit status: 1 where anything does."""
    first = dataset.open(options.first, options.tree)
    second = dataset.open(options.second, options.other_tree or options.tree)
    diff = _diff(first, second, options.columns)
    if options.json:
        print_json(asdict(diff) | {"same": diff.same})
    else:
        _print(diff)
    return 0 if diff.same else 1


def _diff(first: Dataset, second: Dataset, columns: list[str] | None) -> Diff:
    diff = Diff((first.num_entries, second.num_entries))
    names = columns or [name for name in first.columns if name in second.columns]
    if columns is None:
        diff.only_first = [name for name in first.columns if name not in second.columns]
        diff.only_second = [name for name in second.columns if name not in first.columns]
        unread = [column.name for data in (first, second) for column in data.schema if column.unsupported]
        diff.not_read_yet = sorted(set(unread))
    diff.compared = len(names)
    types = [{column.name: column.type for column in data.schema} for data in (first, second)]
    stop = min(diff.entries)
    for name in names:
        kinds = (types[0].get(name, ""), types[1].get(name, ""))
        if kinds[0] != kinds[1]:
            diff.columns.append(ColumnDiff(name, kinds))
            continue
        found = ColumnDiff(name)
        for start, end in _pieces(first, name, stop):
            for at in _differing(first, second, name, start, end):
                found.entries += 1
                found.first = at if found.first is None else found.first
        if found.entries:
            diff.columns.append(found)
    return diff


def _pieces(data: Dataset, name: str, stop: int) -> Iterator[tuple[int, int]]:
    stored = next((column.uncompressed_bytes for column in data.schema if column.name == name), 0)
    length = max(stop // (stored // _BYTES_AT_ONCE + 1), 1)
    return ((start, min(start + length, stop)) for start in range(0, stop, length))


def _differing(first: Dataset, second: Dataset, name: str, start: int, stop: int) -> Iterator[int]:
    """Entries of [start, stop) whose values differ. Where lists have other lengths, halves are looked at by themselves,
    since items can't be told apart before.
    """
    [a], [b] = (data._core.arrays([name], start, stop, 0) for data in (first, second))
    mask = _differences(a, b)
    if mask is not None:
        yield from (start + int(at) for at in np.flatnonzero(mask))
    elif stop - start == 1:
        yield start
    else:
        middle = (start + stop) // 2
        yield from _differing(first, second, name, start, middle)
        yield from _differing(first, second, name, middle, stop)


def _differences(a: _core.Column, b: _core.Column) -> Mask | None:
    """Which entries differ in a bit; None where lists have other lengths."""
    if a.kind in ("number", "fixed_list"):
        return _other_bits(a.numpy(), b.numpy())
    if a.kind == "record":
        differing = np.zeros(len(a), bool)
        for members in zip(a.children, b.children, strict=True):
            mask = _differences(*members)
            if mask is None:
                return None
            differing |= mask
        return differing
    if a.kind == "list_array":
        items = _differences(a.children[0], b.children[0])
        return None if items is None else _any_of_each(items, len(a))
    if not np.array_equal(a.offsets, b.offsets):
        return None
    if a.kind == "string":
        items = _other_bits(np.frombuffer(a.characters, np.uint8), np.frombuffer(b.characters, np.uint8))
    else:
        items = _differences(a.children[0], b.children[0])
    if items is None:
        return None
    mask = np.zeros(len(a), bool)
    mask[np.searchsorted(a.offsets, np.flatnonzero(items), side="right") - 1] = True
    return mask


def _any_of_each(items: Mask, entries: int) -> Mask:
    return cast("Mask", items.reshape(entries, -1).any(axis=1)) if entries else items


def _other_bits(a: Any, b: Any) -> Mask:
    """Of each entry."""
    if not len(a):
        return np.zeros(0, bool)
    bytes_of = [np.ascontiguousarray(values).view(np.uint8).reshape(len(values), -1) for values in (a, b)]
    return cast("Mask", (bytes_of[0] != bytes_of[1]).any(axis=1))


def _print(diff: Diff) -> None:
    if diff.not_read_yet:
        print(f"not read yet, hence not compared: {', '.join(diff.not_read_yet)}")
    if diff.same:
        print(f"same: {plural(diff.compared, 'column')} of {plural(diff.entries[0], 'entry')}")
        return
    if diff.entries[0] != diff.entries[1]:
        print(f"entries: {diff.entries[0]:,} and {diff.entries[1]:,}; the first {min(diff.entries):,} are compared")
    for which, names in (("first", diff.only_first), ("second", diff.only_second)):
        if names:
            print(f"only in the {which}: {', '.join(names)}")
    for column in diff.columns:
        if column.types is not None:
            print(f"{column.column}: {column.types[0] or 'not there'}, and {column.types[1] or 'not there'}")
        else:
            print(f"{column.column}: {plural(column.entries, 'entry')} differ, the first is {column.first:,}")
    same = diff.compared - len(diff.columns)
    print(f"{plural(same, 'column')} of {diff.compared:,} compared are the same")
