"""Files for the tests: small ones written by uproot, and those that ship or lie beside the repository."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

import sapwood as sw

ROOT = Path(__file__).resolve().parents[2]

os.environ.setdefault("KERAS_BACKEND", "torch")  # one for the whole process: its models need no more than PyTorch

Columns = dict[str, Any]
MakeTree = Callable[..., Path]
Source = Callable[..., Any]


@pytest.fixture(scope="session")
def examples() -> Path:
    """The sample jets."""
    return ROOT / "examples" / "data"


@pytest.fixture(scope="session")
def jets(examples: Path) -> sw.Dataset:
    """The sample jets of both classes, in both formats."""
    return sw.open({"QCD": examples / "QCD_*.root", "top": examples / "Tbqq_*.root"})


@pytest.fixture(scope="session")
def test_files() -> Path:
    """The small files that ship with the tests."""
    return ROOT / "tests" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The collection of real files beside the repository; tests that use it are skipped where it is not."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the repository")
    return folder


@pytest.fixture(params=["files", "frames"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    """source(columns, ..., filter=None, format="TTree"): the rows of one file or more, which pass a filter, as what
    ROOT's loaders and ours are given: a data set, or an RDataFrame where ROOT is installed.
    """
    frames = None
    if request.param == "frames":
        frames = request.getfixturevalue("cern_root").RDataFrame
    count = 0

    def make(*files: Columns, filter: str | None = None, format: str = "TTree") -> Any:
        nonlocal count
        paths = []
        for columns in files:
            paths.append(str(tmp_path / f"source_{count}.root"))
            write_tree(Path(paths[-1]), columns, format=format)
            count += 1
        if frames is None:
            data = sw.open(paths)
            return data if filter is None else data.filter(filter)
        frame = frames("tree", paths)
        return frame if filter is None else frame.Filter(filter)

    return make


@pytest.fixture
def tensorflow(monkeypatch: pytest.MonkeyPatch) -> Any:
    """TensorFlow's module; skips the test where it is not installed."""
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    return pytest.importorskip("tensorflow")


@pytest.fixture(scope="session")
def cern_root() -> Any:
    """ROOT's module; skips the test where it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ROOT's wheels call themselves alpha
        return pytest.importorskip("ROOT")


@pytest.fixture
def make_tree(tmp_path: Path) -> MakeTree:
    """make_tree(name, columns, clusters=1, tree="tree", format="TTree") writes a file and gives its path."""

    def make(name: str, columns: Columns, *, clusters: int = 1, tree: str = "tree", format: str = "TTree") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tree(path, columns, clusters=clusters, tree=tree, format=format)
        return path

    return make


def write_tree(path: Path, columns: Columns, *, clusters: int = 1, tree: str = "tree", format: str = "TTree") -> None:
    """Adds a tree to a file, with as many clusters, of nearly equal sizes; jagged columns are counted arrays."""
    length = len(next(iter(columns.values())))
    edges = np.linspace(0, length, clusters + 1).astype(int)
    parts = [{name: values[start:stop] for name, values in columns.items()} for start, stop in pairwise(edges)]
    with uproot.update(path) if path.exists() else uproot.create(path) as file:
        if format == "RNTuple":
            file.mkrntuple(tree, parts[0])
        else:
            file.mktree(tree, {name: branch_type(values) for name, values in columns.items()})
            file[tree].extend(parts[0])
        for part in parts[1:]:
            file[tree].extend(part)


def branch_type(values: Any) -> Any:
    """The type in uproot's terms."""
    if isinstance(values, ak.Array):
        return values.type.content
    return np.dtype((values.dtype, values.shape[1:]))


def numbered(length: int, first: int = 0) -> Columns:
    """Columns of all kinds, each a function of the entry's number `id`."""
    number = np.arange(first, first + length)
    counts = number * 7 % 6
    items = np.arange(counts.sum()) + 10 * first
    return {
        "id": number.astype(np.int64) + 2**40,
        "x": np.sqrt(number).astype(np.float32),
        "y": (number * 1.5).astype(np.float64),
        "flag": number % 3 == 0,
        "kind": (number % 5).astype(np.int32),
        "weight": (1.0 + number % 4).astype(np.float64),
        "position": np.stack([number, number + 0.25, number + 0.5], 1).astype(np.float32),
        "hit": ak.unflatten(items.astype(np.float32), counts),
        "channel": ak.unflatten((items % 1000).astype(np.int32), counts),
    }


@pytest.fixture
def events(make_tree: MakeTree) -> tuple[list[Path], Columns]:
    """Three files of 1,000 entries in all, and what is in them."""
    sizes = (500, 300, 200)
    first = np.cumsum((0, *sizes))
    parts = [numbered(size, int(start)) for size, start in zip(sizes, first, strict=False)]
    paths = [make_tree(f"events_{i}.root", part, clusters=4) for i, part in enumerate(parts)]
    whole = {
        name: ak.concatenate([part[name] for part in parts])
        if isinstance(parts[0][name], ak.Array)
        else np.concatenate([part[name] for part in parts])
        for name in parts[0]
    }
    return paths, whole
