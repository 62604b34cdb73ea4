"""``sapwood check``: whether files can be read, to the last byte."""

from __future__ import annotations

import glob
import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from . import _core, dataset
from ._cli_text import plural
from ._html import readable_bytes

if TYPE_CHECKING:
    import argparse

    from .dataset import Dataset

_BYTES_AT_ONCE = 128 << 20
_MOST_DAMAGES = 20


@dataclass
class Damage:
    """Entries of a column that can't be read."""

    column: str
    start: int
    stop: int
    error: str


@dataclass
class TreeCheck:
    """What reading a tree came to."""

    tree: str
    format: str = ""
    entries: int = 0
    columns: int = 0
    bytes: int = 0  # decompressed, as stored
    seconds: float = 0.0
    not_read_yet: dict[str, str] = field(default_factory=dict)  # columns, and why
    damages: list[Damage] = field(default_factory=list)
    error: str = ""  # that it can't be opened at all

    @property
    def whole(self) -> bool:
        return not self.damages and not self.error


def run(options: argparse.Namespace) -> int:
    """Prints what is damaged; returns the exit status: 1 where anything is."""
    report = {file: _check_file(file) for pattern in options.files for file in _matching(pattern)}
    if options.json:
        checked = {
            file: found if isinstance(found, str) else [asdict(tree) | {"whole": tree.whole} for tree in found]
            for file, found in report.items()
        }
        print(json.dumps(checked, indent=2))
    else:
        for file, found in report.items():
            _print_file(file, found)
    return (
        0 if all(not isinstance(found, str) and all(tree.whole for tree in found) for found in report.values()) else 1
    )


def _matching(pattern: str) -> list[str]:
    """The files that a pattern is for; itself where none are."""
    return [pattern] if Path(pattern).exists() else sorted(glob.glob(pattern)) or [pattern]  # noqa: PTH207


def _check_file(file: str) -> list[TreeCheck] | str:
    """Of each tree; the error of a file that can't be opened."""
    try:
        names = [tree.path for tree in _core.list_tables(file)]
    except _core.Error as error:
        return str(error)
    return [_check_tree(file, name) for name in names]


def _check_tree(file: str, name: str) -> TreeCheck:
    check = TreeCheck(name)
    begin = time.perf_counter()
    try:
        tree = dataset.open(file, name)
    except _core.Error as error:
        check.error = str(error)
        return check
    own = [column for column in tree.schema if not column.is_member]
    check.format, check.entries, check.columns = tree.format, tree.num_entries, len(own)
    check.bytes = sum(column.uncompressed_bytes for column in own if not column.unsupported)
    check.not_read_yet = {column.name: column.unsupported for column in own if column.unsupported}
    pieces = max(-(-check.bytes // _BYTES_AT_ONCE), 1)
    length = -(-check.entries // pieces)
    for start in range(0, check.entries, max(length, 1)):
        _check_entries(tree, start, min(start + length, check.entries), check)
    check.seconds = time.perf_counter() - begin
    return check


def _check_entries(tree: Dataset, start: int, stop: int, check: TreeCheck) -> None:
    """All columns together; where that fails, each by itself."""
    names = tree.columns
    try:
        if names:
            tree._core.arrays(names, start, stop, 0)
    except _core.Error:
        for name in names:
            try:
                tree._core.arrays([name], start, stop, 0)
            except _core.UnsupportedError as error:
                check.not_read_yet[name] = str(error)
            except _core.Error as error:
                check.damages.append(Damage(name, start, stop, str(error)))


def _print_file(file: str, found: list[TreeCheck] | str) -> None:
    if isinstance(found, str):
        print(f"{file}: can't be opened: {found}")
        return
    print(f"{file}: {plural(len(found), 'tree')}")
    for tree in found:
        if tree.error:
            print(f"  {tree.tree}: DAMAGED: {tree.error}")
            continue
        state = "whole" if tree.whole else f"DAMAGED in {plural(len(tree.damages), 'place')}"
        read = f"{readable_bytes(tree.bytes)} read in {tree.seconds:.2g} s"
        print(
            f"  {tree.tree} ({tree.format}): {plural(tree.entries, 'entry')}, {plural(tree.columns, 'column')}, "
            f"{read}: {state}"
        )
        for damage in tree.damages[:_MOST_DAMAGES]:
            print(f"    {damage.column}, entries {damage.start:,} to {damage.stop:,}: {damage.error}")
        if len(tree.damages) > _MOST_DAMAGES:
            print(f"    and {plural(len(tree.damages) - _MOST_DAMAGES, 'place')} more (--json has all)")
        if tree.not_read_yet:
            print(f"    {plural(len(tree.not_read_yet), 'column')} not read yet, hence not checked")
