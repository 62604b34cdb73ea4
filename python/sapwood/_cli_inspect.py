"""``sapwood inspect``: what a file holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _core, dataset
from ._cli_text import cut, plural, print_json, table, terminal_width
from ._cli_treemap import write_treemap
from ._html import readable_bytes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from .dataset import Dataset

_WIDE = 100  # characters, from which on there is room for every number
_MOST_COLUMNS = 60
_MOST_OBJECTS = 12
_MOST_REASONS = 12


def run(options: argparse.Namespace) -> int:
    """Prints the report; returns the exit status: 1 when a tree in the file could not be opened."""
    objects = _core.list_objects(options.file)
    if options.tree is not None:
        trees: list[tuple[str, Dataset | _core.Error]] = [(options.tree, dataset.open(options.file, options.tree))]
    else:
        trees = [(tree.path, _open(options.file, tree.path)) for tree in _core.list_tables(options.file)]
    if options.plot:
        schemas = {name: tree.schema for name, tree in trees if not isinstance(tree, _core.Error)}
        write_treemap(options.plot, options.file, schemas)
    if options.json:
        print_json(_as_json(options.file, objects, trees))
    else:
        _print_report(options.file, objects, trees, everything=options.all, one_tree=options.tree is not None)
        if options.plot:
            print(f"\ntreemap of the storage: {options.plot}")
    return 1 if any(isinstance(tree, _core.Error) for _, tree in trees) else 0


def _open(file: str, tree: str) -> Dataset | _core.Error:
    try:
        return dataset.open(file, tree)
    except _core.Error as error:
        return error


def _print_report(
    file: str,
    objects: Sequence[_core.ObjectInfo],
    trees: Sequence[tuple[str, Dataset | _core.Error]],
    *,
    everything: bool,
    one_tree: bool,
) -> None:
    width = None if everything else terminal_width()
    names = {name for name, _ in trees}
    others = [] if one_tree else [item for item in objects if item.path not in names]
    print(f"{file}: {_file_bytes(file)}, {plural(len(objects), 'object')}")
    for name, tree in trees:
        print()
        if isinstance(tree, _core.Error):
            print(f"{name}: can't be read: {type(tree).__name__}: {tree}")
        else:
            _print_tree(name, tree, width, everything)
    if others:
        print()
        print("other objects" if trees else "objects (no tree among them)")
        shown = others if everything else others[:_MOST_OBJECTS]
        rows = [(f"{item.path};{item.cycle}", item.class_name, readable_bytes(item.stored_bytes)) for item in shown]
        _print_indented(table(("name", "class", "size"), rows, right=[2], shrink={0: 20, 1: 12}, width=_less(width)))
        _print_rest(len(others) - len(shown), "object")
        _print_way_to_objects(file, others)


def _print_way_to_objects(file: str, objects: Sequence[_core.ObjectInfo]) -> None:
    """How uproot gives them, shown for the first."""
    for item in objects:
        if not item.class_name.startswith("TDirectory"):
            names = (json.dumps(name, ensure_ascii=False) for name in (file, f"{item.path};{item.cycle}"))
            print("  uproot reads them: uproot.open({})[{}]".format(*names))
            return


def _print_tree(name: str, tree: Dataset, width: int | None, everything: bool) -> None:
    clusters = len(tree.clusters)
    mean = f" of {tree.num_entries / clusters:,.0f} on average" if clusters > 1 else ""
    print(f"{name}: {tree.format}, {plural(tree.num_entries, 'entry')} in {plural(clusters, 'cluster')}{mean}")
    own = [column for column in tree.schema if not column.is_member]
    chosen = tree.schema if everything else own
    shown = chosen if everything else chosen[:_MOST_COLUMNS]
    stored = sum(column.compressed_bytes for column in own)
    whole = sum(column.uncompressed_bytes for column in own)
    print(f"  {plural(len(own), 'column')}, {readable_bytes(stored)} on disk, {readable_bytes(whole)} in memory")
    is_wide = width is None or width >= _WIDE
    rows = [
        (
            column.name,
            column.type or "not read yet",
            column.stored_type.replace("std::", ""),
            f"{column.values_per_entry:.3g}" if column.type else "",
            readable_bytes(column.compressed_bytes),
            *([readable_bytes(column.uncompressed_bytes)] if is_wide else []),
            _ratio(column),
        )
        for column in shown
    ]
    header = ("column", "type", "stored as", "per entry", "on disk", *(["in memory"] if is_wide else []), "ratio")
    print()
    _print_indented(table(header, rows, right=[3, 4, 5, 6], shrink={2: 9, 1: 12, 0: 16}, width=_less(width)))
    _print_rest(len(chosen) - len(shown), "column")
    members = sum(column.is_member for column in tree.schema)
    if members and not everything:
        print(f"  and {plural(members, 'member')} of records or classes (--all shows them)")
    _print_reasons([column for column in chosen if column.unsupported], width, everything)


def _print_reasons(columns: Sequence[_core.ColumnInfo], width: int | None, everything: bool) -> None:
    if not columns:
        return
    print()
    print(f"  not read yet: {plural(len(columns), 'column')}")
    shown = columns if everything else columns[:_MOST_REASONS]
    for column in shown:
        text = f"    {column.name}: {column.unsupported}"
        print(text if width is None else cut(text, width))
    _print_rest(len(columns) - len(shown), "column", indent="    ")


def _print_indented(lines: Sequence[str]) -> None:
    for line in lines:
        print(f"  {line}")


def _print_rest(count: int, noun: str, indent: str = "  ") -> None:
    if count > 0:
        print(f"{indent}and {plural(count, noun)} more (--all shows them)")


def _less(width: int | None) -> int | None:
    return None if width is None else width - 2


def _file_bytes(file: str) -> str:
    return readable_bytes(Path(file.removeprefix("file://")).stat().st_size)


def _ratio(column: _core.ColumnInfo) -> str:
    return f"{column.uncompressed_bytes / column.compressed_bytes:.1f}" if column.compressed_bytes else ""


def _as_json(
    file: str, objects: Sequence[_core.ObjectInfo], trees: Sequence[tuple[str, Dataset | _core.Error]]
) -> dict[str, Any]:
    return {
        "file": file,
        "objects": [
            {
                "path": item.path,
                "class": item.class_name,
                "cycle": item.cycle,
                "stored_bytes": item.stored_bytes,
            }
            for item in objects
        ],
        "trees": [_tree_as_json(name, tree) for name, tree in trees],
    }


def _tree_as_json(name: str, tree: Dataset | _core.Error) -> dict[str, Any]:
    if isinstance(tree, _core.Error):
        return {"path": name, "error": {"kind": type(tree).__name__, "message": str(tree)}}
    return {
        "path": name,
        "format": tree.format,
        "entries": tree.num_entries,
        "clusters": [[start, stop] for _, start, stop in tree.clusters],
        "columns": [
            {
                "name": column.name,
                "type": column.type or None,
                "stored_type": column.stored_type,
                "unsupported": column.unsupported or None,
                "is_member": column.is_member,
                "values_per_entry": column.values_per_entry,
                "compressed_bytes": column.compressed_bytes,
                "uncompressed_bytes": column.uncompressed_bytes,
            }
            for column in tree.schema
        ],
    }
