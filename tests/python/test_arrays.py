"""Dataset.arrays against uproot, in every library's form; columns handed over without a copy."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import uproot
from conftest import Columns, MakeTree, numbered

import sapwood as sw

FILES = ["QCD_ttree.root", "Tbqq_ttree.root", "QCD_rntuple.root", "Tbqq_rntuple.root"]


def same(ours: ak.Array, theirs: ak.Array) -> None:
    """Equal structure, types of the items, and bits of the values."""
    assert len(ours) == len(theirs)
    if theirs.ndim == 1:
        mine, other = ak.to_numpy(ours), ak.to_numpy(theirs)
        assert mine.dtype == other.dtype
        assert mine.tobytes() == other.tobytes()
        return
    assert ak.all(ak.num(ours) == ak.num(theirs))
    same(ak.flatten(ours), ak.flatten(theirs))


@pytest.mark.parametrize("name", FILES)
def test_all_columns_equal_uproot(examples: Path, name: str) -> None:
    ours = sw.open(examples / name).arrays(library="ak")
    theirs = uproot.open(examples / name)["tree"].arrays()
    assert ours.fields == theirs.fields
    for column in theirs.fields:
        same(ours[column], theirs[column])


@pytest.mark.parametrize("name", ["QCD_ttree.root", "QCD_rntuple.root"])
@pytest.mark.parametrize(("start", "stop"), [(0, 1), (399, 401), (1000, 1999), (1999, 2000), (0, 0), (700, 700)])
def test_entry_ranges(examples: Path, name: str, start: int, stop: int) -> None:
    columns = ["jet_pt", "part_px", "part_isMuon", "label_QCD"]
    ours = sw.open(examples / name).arrays(columns, start, stop, library="ak")
    theirs = uproot.open(examples / name)["tree"].arrays(columns, entry_start=start, entry_stop=stop)
    for column in columns:
        same(ours[column], theirs[column])


def test_ranges_over_several_files(examples: Path) -> None:
    data = sw.open([examples / name for name in FILES])
    whole = ak.concatenate([uproot.open(examples / name)["tree"].arrays(["jet_pt", "part_energy"]) for name in FILES])
    for start, stop in ((0, None), (2799, 2801), (2500, 8000), (9599, 9600), (9000, 10**6)):
        ours = data.arrays(["jet_pt", "part_energy"], start, stop, library="ak")
        for column in ours.fields:
            same(ours[column], whole[start:stop][column])


@pytest.mark.parametrize("format", ["TTree", "RNTuple"])
def test_all_kinds_of_columns(make_tree: MakeTree, format: str) -> None:
    written = numbered(100)
    if format == "RNTuple":
        del written["position"]  # uproot writes no fixed arrays there
    data = sw.open(make_tree("kinds.root", written, clusters=7, format=format))
    assert data.num_entries == 100
    ours = data.arrays(list(written), library="ak")
    for column, values in written.items():
        same(ours[column], ak.Array(values))


@pytest.fixture
def kinds(make_tree: MakeTree) -> tuple[sw.Dataset, Columns]:
    written = numbered(50)
    return sw.open(make_tree("kinds.root", written, clusters=3)), written


def test_arrow(kinds: tuple[sw.Dataset, Columns]) -> None:
    data, written = kinds
    arrays = data.arrays(list(written))
    types = {name: str(array.type) for name, array in arrays.items()}
    assert types["id"] == "int64"
    assert types["flag"] == "bool"
    assert types["hit"].startswith("large_list<") or types["hit"].startswith("list<")
    assert types["position"].startswith("fixed_size_list<")
    for name, values in written.items():
        assert arrays[name].to_pylist() == values.tolist()
        arrays[name].validate(full=True)


def test_numpy(kinds: tuple[sw.Dataset, Columns]) -> None:
    data, written = kinds
    arrays = data.arrays(list(written), library="np")
    for name, values in written.items():
        if isinstance(values, ak.Array):
            assert arrays[name].dtype == object
            assert [entry.tolist() for entry in arrays[name]] == values.tolist()
            assert arrays[name][0].dtype == ak.to_numpy(ak.flatten(values)).dtype
        else:
            assert arrays[name].dtype == values.dtype
            assert np.array_equal(arrays[name], values)


def test_pandas(kinds: tuple[sw.Dataset, Columns]) -> None:
    data, written = kinds
    frame = data.arrays(["id", "y", "flag", "hit"], library="pd")
    assert isinstance(frame, pd.DataFrame)
    assert frame["id"].dtype == np.int64
    assert np.array_equal(frame["y"], written["y"])
    assert [list(entry) for entry in frame["hit"]] == written["hit"].tolist()


def test_one_column_by_name(kinds: tuple[sw.Dataset, Columns]) -> None:
    assert list(kinds[0].arrays("id")) == ["id"]


def test_order_and_repeats(kinds: tuple[sw.Dataset, Columns]) -> None:
    assert list(kinds[0].arrays(["y", "id"])) == ["y", "id"]


@pytest.mark.parametrize("library", ["arrow", "np", "ak", "pd"])
def test_no_entries(kinds: tuple[sw.Dataset, Columns], library: Any) -> None:
    data, written = kinds
    arrays = data.arrays(list(written), 10, 10, library=library)
    for name in written:
        assert len(arrays[name]) == 0


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_change_nothing(examples: Path, threads: int) -> None:
    data = sw.open(examples / "*.root")
    one, many = (data.arrays(["part_px", "jet_pt"], threads=count) for count in (1, threads))
    assert all(one[name].equals(many[name]) for name in one)


def test_strings_and_nested(test_files: Path) -> None:
    data = sw.open(test_files / "test_stl_containers_rntuple_v1-0-0-0.root")
    arrays = data.arrays(["string", "vector_string", "vector_vector_int32"], library="np")
    assert arrays["string"].tolist() == ["one", "two", "three", "four", "five"]
    assert arrays["vector_string"][1].tolist() == ["one", "two"]
    assert [inner.tolist() for inner in arrays["vector_vector_int32"][2]] == [[1], [2], [3]]


def core_column(data: sw.Dataset, name: str) -> sw.Column:
    (column,) = data._core.arrays([name])
    return column


def test_arrow_shares_the_memory(kinds: tuple[sw.Dataset, Columns]) -> None:
    data, _ = kinds
    for name in ("id", "y", "kind"):
        column = core_column(data, name)
        assert pa.array(column).buffers()[1].address == column.numpy().__array_interface__["data"][0]
    column = core_column(data, "hit")
    array = pa.array(column)
    assert array.values.buffers()[1].address == column.children[0].numpy().__array_interface__["data"][0]
    assert array.buffers()[1].address == column.offsets.__array_interface__["data"][0]


def test_arrays_outlive_the_data_set(make_tree: MakeTree) -> None:
    written = numbered(50)
    column = core_column(sw.open(make_tree("gone.root", written)), "y")
    values, array = column.numpy(), pa.array(column)
    del column
    assert np.array_equal(values, written["y"])
    assert array.to_pylist() == written["y"].tolist()


@pytest.mark.parametrize("name", ["id", "x", "flag", "hit", "position"])
def test_column_from_arrow(kinds: tuple[sw.Dataset, Columns], name: str) -> None:
    column = core_column(kinds[0], name)
    again = sw.Column.from_arrow(pa.array(column))
    assert again.type == column.type
    assert again.identical(column)


def test_column_from_other_arrow_arrays() -> None:
    strings = sw.Column.from_arrow(pa.array(["a", "", "ccc"]))
    assert (strings.type, len(strings)) == ("string", 3)
    assert pa.array(strings).to_pylist() == ["a", "", "ccc"]
    sliced = sw.Column.from_arrow(pa.array([[1, 2], [], [3]], pa.list_(pa.int16()))[1:])
    assert pa.array(sliced).to_pylist() == [[], [3]]
    assert pa.array(sw.Column.from_arrow(pa.array([True, False, True])[1:])).to_pylist() == [False, True]
    with pytest.raises(sw.Error):
        sw.Column.from_arrow(pa.array([1, None]))
    with pytest.raises(sw.UnsupportedError):
        sw.Column.from_arrow(pa.array([1], pa.decimal128(10)))
