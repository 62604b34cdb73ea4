"""``sapwood head``: the first entries of a tree."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dataset
from ._cli_text import cut, plural, print_json, table, terminal_width, value_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_WIDTH_ELSEWHERE = 80
_LEAST_CELL = 18
_MOST_CELL = 40
_MOST_NAME = 26


def run(options: argparse.Namespace) -> int:
    """Prints the entries, one a line where all columns fit side by side, else one a column; returns the exit status."""
    width = terminal_width() or _WIDTH_ELSEWHERE
    tree = dataset.open(options.file, options.tree)
    names = options.columns or tree.columns
    arrays = tree.arrays(names, 0, options.n, library="np")
    count = min(options.n, tree.num_entries)
    values = {name: [_entry(arrays[name], i) for i in range(count)] for name in names}
    unread = [column.name for column in tree.schema if column.unsupported and not column.is_member]
    if options.json:
        rows = [{name: _as_json(column[i]) for name, column in values.items()} for i in range(count)]
        facts = {"file": options.file, "path": tree.tree, "format": tree.format, "entries": tree.num_entries}
        print_json(facts | {"not_read_yet": unread, "rows": rows})
        return 0
    print(f"{tree.tree} ({tree.format}): {count:,} of {plural(tree.num_entries, 'entry')}")
    if unread and not options.columns:
        print(cut(f"{plural(len(unread), 'column')} not read yet: {', '.join(unread)}", width))
    if count:
        print()
        for line in _side_by_side(values, width) or _transposed(values, count, width):
            print(line)
    return 0


def _entry(array: Any, i: int) -> Any:
    """Entry `i` of a column in NumPy's form; of a record, too."""
    return {name: _entry(member, i) for name, member in array.items()} if isinstance(array, dict) else array[i]


def _as_json(value: Any) -> Any:
    """A value of Python's own types; None for numbers that JSON does not have."""
    if isinstance(value, dict):
        return {name: _as_json(member) for name, member in value.items()}
    if isinstance(value, (list, np.ndarray)):
        return [_as_json(item) for item in value]
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def _side_by_side(values: dict[str, list[Any]], width: int) -> list[str] | None:
    """A line for each entry, or None when they would be longer than `width`."""
    texts = [[value_text(value, _MOST_CELL) for value in column] for column in values.values()]
    rows = [(str(i), *row) for i, row in enumerate(zip(*texts, strict=True))]
    lines = table(("entry", *values), rows, right=range(len(values) + 1))
    return lines if len(lines[0]) <= width and max(map(len, lines)) <= width else None


def _transposed(values: dict[str, list[Any]], count: int, width: int) -> list[str]:
    """A line for each column, in blocks of as many entries as fit."""
    name_width = min(max(map(len, values)), _MOST_NAME)
    widest = max(len(value_text(value, _MOST_CELL)) for column in values.values() for value in column)
    at_once = max((width - name_width) // (min(max(widest, 6), _LEAST_CELL) + 2), 1)
    at_once = min(at_once, count)
    blocks = -(-count // at_once)
    at_once = -(-count // blocks)
    room = max((width - name_width) // at_once - 2, 1)
    lines: list[str] = []
    for start in range(0, count, at_once):
        entries = range(start, min(start + at_once, count))
        lines += [""] if lines else []
        lines += _block(values, entries, name_width, room)
    return lines


def _block(values: dict[str, list[Any]], entries: Sequence[int], name_width: int, room: int) -> list[str]:
    rows = [
        (cut(name, name_width), *(cut(value_text(column[i], room), room) for i in entries))
        for name, column in values.items()
    ]
    return table(("entry", *map(str, entries)), rows, right=range(1, len(entries) + 1))
