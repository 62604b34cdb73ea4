"""Files that ROOT writes here, of each type, codec and split level, read as ROOT reads them (root_types.C)."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import sapwood as sw

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ROOT") is None, reason="ROOT writes the files"),
]

CODECS = {"none": 0, "zlib": 101, "lzma": 207, "lz4": 404, "zstd": 505}
LEVELS = (0, 1, 2, 99)
MACRO = Path(__file__).with_name("root_types.C")
# What ROOT's JSON says of a class besides its members.
ADDED = {"_typename", "$pair", "fUniqueID", "fBits", "name"}
# What a derived class adds; the column is of its base.
OF_DERIVED = {"derived": {"id", "energies"}, "mixed": {"id", "energies"}, "of_both": {"fName", "fTitle", "more"}}
RANGED = {"f16": 0.01, "ranged": 1e-3, "angle": 1e-4, "bits": 0.05, "complex": 1e-6, "d32": 1e-6}


DECLARATIONS = """
void write_tree(const char* path, int level, int compression);
void write_ntuple(const char* path, int compression);
void dump_branch(const char* path, const char* name, const char* to);
void dump_fields(const char* to);
"""


def run(code: str, folder: Path) -> None:
    """Lets ROOT run it in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-c", f"import ROOT; {code}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=600)
    assert done.returncode == 0, done.stderr[-4000:]


def call(code: str, folder: Path) -> None:
    """The same, with the functions of the macro."""
    run(f"ROOT.gSystem.Load('root_types_C.so'); ROOT.gInterpreter.Declare({DECLARATIONS!r}); {code}", folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root_types")
    (folder / MACRO.name).write_text(MACRO.read_text())
    run(f"assert ROOT.gSystem.CompileMacro('{MACRO.name}', 'kO')", folder)
    return folder


BRANCHES = ["numbers.", "strings.", "collections.", "objects.", "holder.", "clones", "cells", "named", "lorentz."]
BRANCHES += ["array", "root_vector", "date"]


@pytest.fixture(scope="module", params=LEVELS)
def tree(request: pytest.FixtureRequest, folder: Path) -> tuple[Path, int, dict[str, list[Any]]]:
    """A folder with the level's trees, by codec, and what ROOT reads of each branch."""
    level = request.param
    writes = [f"ROOT.write_tree('{level}-{codec}.root', {level}, {code})" for codec, code in CODECS.items()]
    dumps = [f"ROOT.dump_branch('{level}-zstd.root', '{name}', '{level}-{name}.json')" for name in BRANCHES]
    call("; ".join(writes), folder)
    call("; ".join(dumps), folder)
    texts = {name: (folder / f"{level}-{name}.json").read_text().splitlines() for name in BRANCHES}
    return folder, level, {name: [json.loads(line) for line in lines] for name, lines in texts.items()}


def member(row: dict[str, Any], name: str) -> Any:
    value = row[name]
    if isinstance(value, dict) and "$ref" in value:  # the object that another pointer points to
        return row["first"]
    return value


def leaves(value: Any, left_out: set[str]) -> list[Any]:
    """Numbers and strings, in their order."""
    if isinstance(value, dict):
        return [leaf for key in sorted(value.keys() - left_out) for leaf in leaves(value[key], left_out)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item, left_out)]
    return [] if value is None else [value]


def is_same(mine: Any, root: Any, name: str) -> bool:
    if isinstance(root, str) and isinstance(mine, list):  # char[8], where what follows the 0 is left as it was
        return bytes(byte % 256 for byte in mine).split(b"\0")[0].decode() == root
    left_out = ADDED | OF_DERIVED.get(name, set())
    a, b = leaves(mine, left_out), leaves(root, left_out)
    if name in ("chars", "c", "sc", "i8") and b and isinstance(b[0], str):
        b = [ord(character) for character in b]
    if len(a) != len(b):
        return False
    tolerance = RANGED.get(name, 1e-6)
    return all(
        x == y if isinstance(y, str) else math.isclose(x, float(y), rel_tol=1e-6, abs_tol=tolerance)
        for x, y in zip(a, b, strict=True)
    )


def compare(values: list[Any], root: list[Any], name: str) -> None:
    for entry, (mine, expected) in enumerate(zip(values, root, strict=True)):
        assert is_same(mine, expected, name), f"{name}, entry {entry}: {mine} is {expected} for ROOT"


def matched(
    data: sw.Dataset, columns: set[str], branch: str, rows: list[Any]
) -> Iterator[tuple[str, list[Any], list[Any]]]:
    """Name, values and ROOT's values of a branch's members, be it split or not, or of the branch itself."""
    name = branch.rstrip(".")
    if branch in columns:
        values = data.arrays([branch], library="arrow")[branch].to_pylist()
        if not isinstance(values[0], dict):
            yield name, values, [row.get("arr", row) if isinstance(row, dict) else row for row in rows]
            return
        for key in set(rows[0]) - ADDED:
            yield key, [value[key] for value in values], [member(row, key) for row in rows]
        return
    for key in set(rows[0]) - ADDED if isinstance(rows[0], dict) else ():
        # The sizes of an array are in the column's name.
        for column in columns & {branch + key, branch + key + "[2]", branch + key + "[8]", branch + key + "[2][3]"}:
            values = data.arrays([column], library="arrow")[column].to_pylist()
            yield key, values, [member(row, key) for row in rows]


@pytest.mark.parametrize("codec", CODECS)
def test_trees(tree: tuple[Path, int, dict[str, list[Any]]], codec: str) -> None:
    folder, level, expected = tree
    data = sw.open(folder / f"{level}-{codec}.root")
    columns = {column.name: column for column in data.schema}
    assert [column.name for column in data.schema if column.unsupported] == []
    pairs = [pair for branch, rows in expected.items() for pair in matched(data, set(columns), branch, rows)]
    for name, values, rows in pairs:
        compare(values, rows, name)
    assert len(pairs) > 70


@pytest.mark.parametrize("codec", CODECS)
def test_ntuples(folder: Path, codec: str) -> None:
    call(f"ROOT.write_ntuple('{codec}.root', {CODECS[codec]}); ROOT.dump_fields('fields.json')", folder)
    lines = [json.loads(line) for line in (folder / "fields.json").read_text().splitlines()]
    data = sw.open(folder / f"{codec}.root")
    assert [column.name for column in data.schema if column.unsupported] == []
    for field, rows in (("fields", lines[::2]), ("objects", lines[1::2])):
        records = data.arrays([field], library="arrow")[field].to_pylist()
        for name in set(rows[0]) - ADDED:
            compare([row[name] for row in records], [member(row, name) for row in rows], name)
