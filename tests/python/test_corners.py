"""What few writers do and the formats allow (tests/data/write_corners.py)."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

import sapwood as sw

DATA = Path(__file__).parents[1] / "data"
ENTRIES = range(6)


def test_strings_of_which_nothing_is_stored() -> None:
    data = sw.open(DATA / "corners.root")
    texts = ["s" * (i % 3) for i in ENTRIES]
    assert list(data.arrays(["text"], library="np")["text"]) == texts
    records = data.arrays(["record"], library="arrow")["record"].to_pylist()
    assert records == [{"x": i, "c": text} for i, text in zip(ENTRIES, texts, strict=True)]
    assert list(data.arrays(["record.x"], library="np")["record.x"]) == list(ENTRIES)
    assert list(data.arrays(["record.c"], library="np", entry_start=3)["record.c"]) == texts[3:]


def test_ranges_of_leaves_with_several_dimensions() -> None:
    arrays = sw.open(DATA / "corners.root").arrays(["grid", "short"], library="np")
    grid = np.array([[0.25 * (i + k + 1) for k in range(6)] for i in ENTRIES]).reshape(-1, 2, 3)
    np.testing.assert_allclose(arrays["grid"], grid, atol=10 / 2**20)
    short = np.array([[i + k for k in range(4)] for i in ENTRIES], np.float32).reshape(-1, 2, 2)
    np.testing.assert_array_equal(arrays["short"], short)


def test_baskets_that_store_sizes_in_place_of_offsets() -> None:
    data = sw.open(DATA / "corners.root")
    lists = [[float(i)] * (i % 4) for i in ENTRIES]
    assert data.arrays(["list"], library="arrow")["list"].to_pylist() == lists
    assert data.arrays(["list"], library="arrow", entry_start=2)["list"].to_pylist() == lists[2:]


def test_trees_of_derived_classes() -> None:
    assert sw.open(DATA / "corners.root", "t").num_entries == 6
    assert sw.open(DATA / "corners.root").tree == "t"


def test_kept_cycles_and_deleted_trees() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = sw.open(DATA / "kept.root")  # the only tree: what was deleted does not come back
    assert list(data.arrays(["x"], library="np")["x"]) == [20, 21, 22]
    assert list(sw.open(DATA / "kept.root", "t;1").arrays(["x"], library="np")["x"]) == [10, 11, 12]
    assert list(sw.open(DATA / "kept.root", "t;2").arrays(["x"], library="np")["x"]) == [20, 21, 22]


def test_versions_that_writers_have_made_negative(tmp_path: Path) -> None:
    stored = (DATA / "uproot-small-flat-tree.root").read_bytes()
    version = int.from_bytes(stored[4:8], "big", signed=True)
    path = tmp_path / "negative.root"
    path.write_bytes(stored[:4] + (version - 1_000_000).to_bytes(4, "big", signed=True) + stored[8:])
    assert sw.open(path).num_entries == sw.open(DATA / "uproot-small-flat-tree.root").num_entries
