"""scripts/check_layers accepts a sound tree and names each kind of violation by its place."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check_layers"

TABLE = """# Architecture

| layer | what lives there | may include |
| --- | --- | --- |
| base | errors | nothing |
| io | files | base |
| root | containers | io |
| ttree | trees | root |
"""
CMAKE = """sapwood_layer(base PRIVATE Some::Library)
sapwood_layer(io PUBLIC base)
sapwood_layer(root PUBLIC io)
sapwood_layer(ttree PUBLIC root)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "ARCHITECTURE.md").write_text(TABLE)
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    for layer in ("base", "io", "root", "ttree"):
        (tmp_path / "sapwood" / layer).mkdir(parents=True)
        (tmp_path / "sapwood" / layer / "header.h").write_text("#pragma once\n")
    (tmp_path / "sapwood/ttree/tree.cpp").write_text(
        '#include "sapwood/ttree/header.h"\n#include <vector>\n#include "sapwood/base/header.h"\n'
    )
    return tmp_path


def run(root: Path) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--root", str(root)], capture_output=True, text=True, check=False
    )
    assert not done.stderr
    return done.returncode, done.stdout.splitlines()


def test_sound_tree_passes(tree: Path) -> None:
    assert run(tree) == (0, ["check_layers: 4 layers, all includes as ARCHITECTURE.md says"])


def test_include_of_a_higher_layer(tree: Path) -> None:
    (tree / "sapwood/io/file.cpp").write_text('#include <memory>\n#include "sapwood/ttree/header.h"\n')
    assert run(tree) == (1, ["sapwood/io/file.cpp:2: io may not include ttree"])


def test_include_of_a_layer_without_a_row(tree: Path) -> None:
    (tree / "sapwood/io/file.h").write_text('#  include "sapwood/secret/header.h"\n')
    assert run(tree) == (1, ["sapwood/io/file.h:1: includes secret, which has no row in ARCHITECTURE.md"])


def test_include_by_a_relative_path(tree: Path) -> None:
    (tree / "sapwood/io/file.cpp").write_text('#include "../ttree/header.h"\n')
    assert run(tree) == (1, ["sapwood/io/file.cpp:1: include it as sapwood/<layer>/<header>"])


def test_folder_without_a_row(tree: Path) -> None:
    (tree / "sapwood/extra").mkdir()
    assert run(tree) == (1, ["sapwood/extra:1: has no row in ARCHITECTURE.md"])


def test_row_without_a_folder(tree: Path) -> None:
    (tree / "ARCHITECTURE.md").write_text(TABLE + "| serve | servers | ttree |\n")
    code, lines = run(tree)
    assert code == 1
    assert lines == [
        "ARCHITECTURE.md:9: sapwood/serve does not exist",
        "ARCHITECTURE.md:9: serve has no sapwood_layer() in CMakeLists.txt",
    ]


def test_cmake_that_disagrees(tree: Path) -> None:
    (tree / "CMakeLists.txt").write_text(CMAKE.replace("root PUBLIC io", "root PUBLIC io base"))
    assert run(tree) == (1, ["CMakeLists.txt:3: root links base, io, but ARCHITECTURE.md lets it include io"])


def test_missing_table(tree: Path) -> None:
    (tree / "ARCHITECTURE.md").write_text("# Architecture\n")
    code, lines = run(tree)
    assert code == 1
    assert "no table of layers" in lines[0]


def test_row_that_looks_upwards(tree: Path) -> None:
    (tree / "ARCHITECTURE.md").write_text(TABLE.replace("| io | files | base |", "| io | files | root |"))
    code, lines = run(tree)
    assert code == 1
    assert "io may include root, which has no row further up" in lines[0]
