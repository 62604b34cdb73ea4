"""``sapwood check``: whether files can be read, to the last byte."""

from __future__ import annotations

import glob
import time
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _core, dataset
from ._cli_text import plural, print_json
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

    path: str
    format: str = ""
    entries: int = 0
    columns: int = 0
    bytes: int = 0  # decompressed, as stored
    seconds: float = 0.0
    not_read_yet: dict[str, str] = field(default_factory=dict)  # columns, and why
    damages: list[Damage] = field(default_factory=list)
    warning: str = ""  # that the file was not closed, and what was left in it is read
    error: str = ""  # that it can't be opened at all

    @property
    def whole(self) -> bool:
        return not self.damages and not self.warning and not self.error


@dataclass
class FileCheck:
    """What reading a file came to."""

    file: str
    error: str = ""  # that it can't be opened
    trees: list[TreeCheck] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not self.error and all(tree.whole for tree in self.trees)


def run(options: argparse.Namespace) -> int:
    """Prints what is damaged; returns the exit status: 1 where anything is."""
    checks = [_check_file(file) for pattern in options.files for file in _matching(pattern)]
    if options.json:
        print_json([_as_json(check) for check in checks])
    else:
        for check in checks:
            _print_file(check)
    return 0 if all(check.whole for check in checks) else 1


def _as_json(check: FileCheck) -> dict[str, Any]:
    trees = [asdict(tree) | {"whole": tree.whole} for tree in check.trees]
    return {"file": check.file, "whole": check.whole, "error": check.error, "trees": trees}


def _matching(pattern: str) -> list[str]:
    """The files that a pattern is for; itself where none are."""
    return [pattern] if Path(pattern).exists() else sorted(glob.glob(pattern)) or [pattern]  # noqa: PTH207


def _check_file(file: str) -> FileCheck:
    try:
        names = [tree.path for tree in _core.list_tables(file)]
    except _core.Error as error:
        return FileCheck(file, str(error))
    return FileCheck(file, trees=[_check_tree(file, name) for name in names])


def _check_tree(file: str, name: str) -> TreeCheck:
    check = TreeCheck(name)
    begin = time.perf_counter()
    try:
        with warnings.catch_warnings(action="ignore"):  # it is in the report
            tree = dataset.open(file, name)
    except _core.Error as error:
        check.error = str(error)
        return check
    check.warning = tree.files[0].warning
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


def _print_file(check: FileCheck) -> None:
    if check.error:
        print(f"{check.file}: can't be opened: {check.error}")
        return
    print(f"{check.file}: {plural(len(check.trees), 'tree')}")
    for tree in check.trees:
        if tree.error:
            print(f"  {tree.path}: DAMAGED: {tree.error}")
            continue
        state = "whole" if tree.whole else "DAMAGED"
        if tree.damages:
            state += f" in {plural(len(tree.damages), 'place')}"
        read = f"{readable_bytes(tree.bytes)} read in {tree.seconds:.2g} s"
        print(
            f"  {tree.path} ({tree.format}): {plural(tree.entries, 'entry')}, {plural(tree.columns, 'column')}, "
            f"{read}: {state}"
        )
        if tree.warning:
            print(f"    {tree.warning}")
        for damage in tree.damages[:_MOST_DAMAGES]:
            print(f"    {damage.column}, entries {damage.start:,} to {damage.stop:,}: {damage.error}")
        if len(tree.damages) > _MOST_DAMAGES:
            print(f"    and {plural(len(tree.damages) - _MOST_DAMAGES, 'place')} more (--json has all)")
        if tree.not_read_yet:
            print(f"    {plural(len(tree.not_read_yet), 'column')} not read yet, hence not checked")
