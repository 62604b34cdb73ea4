"""sapwood.open: every way of naming files, trees, labels and weights."""

from pathlib import Path

import numpy as np
import pytest
from conftest import MakeTree, write_tree

import sapwood as sw


@pytest.fixture
def folder(make_tree: MakeTree) -> Path:
    """Files a.root, b.root, sub/c.root with columns x: 0 .. 2, 10 .. 13, 20 .. 24."""
    for name, start, count in (("a.root", 0, 3), ("b.root", 10, 4), ("sub/c.root", 20, 5)):
        path = make_tree(name, {"x": np.arange(start, start + count, dtype=np.int32)})
    return path.parent.parent


def values(data: sw.Dataset) -> list[int]:
    return data.arrays("x", library="np")["x"].tolist()


def test_one_path(folder: Path) -> None:
    data = sw.open(str(folder / "a.root"))
    assert (data.tree, data.format, data.num_entries, len(data)) == ("tree", "TTree", 3, 3)
    assert data.columns == ["x"]
    assert data.labels == []
    assert values(data) == [0, 1, 2]
    assert values(sw.open(folder / "a.root")) == [0, 1, 2]
    assert values(sw.open(f"file://{folder}/a.root")) == [0, 1, 2]


def test_glob_is_sorted(folder: Path) -> None:
    assert values(sw.open(folder / "*.root")) == [0, 1, 2, 10, 11, 12, 13]
    assert values(sw.open(folder / "[b].root")) == [10, 11, 12, 13]
    assert sorted(values(sw.open(folder / "**" / "*.root"))) == [0, 1, 2, *range(10, 14), *range(20, 25)]


def test_list_keeps_its_order(folder: Path) -> None:
    data = sw.open([folder / "b.root", str(folder / "a.root"), folder / "sub" / "*.root"])
    assert values(data) == [10, 11, 12, 13, 0, 1, 2, 20, 21, 22, 23, 24]
    assert [file.num_entries for file in data.files] == [4, 3, 5]
    assert [file.first_entry for file in data.files] == [0, 4, 7]
    assert [Path(path).name for path, _, _ in data.clusters] == ["b.root", "a.root", "c.root"]


def test_limit(folder: Path) -> None:
    data = sw.open({"a": folder / "a.root", "b": [folder / "b.root", folder / "sub/c.root"]})
    assert values(data.limit(5)) == [0, 1, 2, 10, 11]
    assert values(data.limit([2, 0, 1])) == [0, 1, 20]
    assert values(data.limit([2, 9, 9]).limit(4)) == [0, 1, 10, 11]
    assert values(data.limit(100)) == values(data)
    assert data.limit(0).num_entries == 0
    limited = data.limit([1, 2, 3])
    assert [file.num_entries for file in limited.files] == [1, 2, 3]
    assert [(start, stop) for _, start, stop in limited.clusters] == [(0, 1), (0, 2), (0, 3)]
    assert limited.arrays("sample_label", library="np")["sample_label"].tolist() == [0] + [1] * 5
    rows = [x for batch in limited.loader("x", batch_size=4, seed=1).numpy() for x in batch["features"][:, 0]]
    assert sorted(rows) == [0, 10, 11, 20, 21, 22]
    assert limited.scan("x")[0].max == 22
    assert list(data.limit(0).loader("x").numpy()) == []
    for wrong in (-1, [1, 2], [1, 2, -3]):
        with pytest.raises(sw.ConfigError, match="limit"):
            data.limit(wrong)


def test_labels(folder: Path) -> None:
    data = sw.open({"b": folder / "b.root", "others": [folder / "a.root", folder / "sub/c.root"]})
    assert data.labels == ["b", "others"]
    assert "sample_weight" not in data.columns
    labels = data.arrays("sample_label", library="np")["sample_label"]
    assert labels.dtype == np.int32
    assert labels.tolist() == [0] * 4 + [1] * 8
    assert [file.sample for file in data.files] == [0, 1, 1]


@pytest.mark.parametrize("as_mapping", [False, True])
def test_weights(folder: Path, as_mapping: bool) -> None:
    """Each sample has its share of the weight, however many entries it has, and the mean is 1."""
    samples = {"signal": (folder / "a.root", 0.5), "background": ([folder / "b.root", folder / "sub/c.root"], 830)}
    if as_mapping:
        samples = {label: {"paths": paths, "weight": weight} for label, (paths, weight) in samples.items()}
    data = sw.open(samples)
    arrays = data.arrays(["sample_label", "sample_weight"], library="np")
    weights, signal = arrays["sample_weight"], arrays["sample_label"] == 0
    assert weights.dtype == np.float64
    assert weights.mean() == pytest.approx(1)
    assert weights[signal].sum() / weights[~signal].sum() == pytest.approx(0.5 / 830)
    assert len(set(weights[signal])) == 1
    assert len(set(weights[~signal])) == 1


def test_columns_of_the_file_go_before_the_label(make_tree: MakeTree) -> None:
    path = make_tree("own.root", {"sample_label": np.array([7, 8], np.int32)})
    data = sw.open({"one": path})
    assert data.arrays("sample_label", library="np")["sample_label"].tolist() == [7, 8]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ({"": "a.root"}, "a label is empty"),
        ({}, "no paths given"),
        ([], "no paths given"),
        ({"a": []}, "no paths given"),
        ({"a": ("a.root", 1.0), "b": "b.root"}, "some samples have a weight and some have none"),
        ({"a": ("a.root", 0.0)}, "the weight of sample 'a' is 0, must be positive"),
        ({"a": ("a.root", -1.0)}, "the weight of sample 'a' is -1, must be positive"),
        ({"a": ("a.root", float("nan"))}, "the weight of sample 'a' is nan, must be positive"),
        ({"a": {"path": "a.root"}}, "wants the keys 'paths' and 'weight'"),
    ],
)
def test_wrong_samples(folder: Path, monkeypatch: pytest.MonkeyPatch, samples: object, message: str) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(sw.ConfigError, match=message):
        sw.open(samples)


def test_several_trees_are_named(tmp_path: Path) -> None:
    path = tmp_path / "several.root"
    for tree in ("first", "second", "folder/third"):
        write_tree(path, {"x": np.arange(len(tree), dtype=np.int32)}, tree=tree)
    with pytest.raises(sw.SchemaError, match="several trees: name one of 'first', 'second', 'folder/third'"):
        sw.open(path)
    for tree in ("first", "second", "folder/third"):
        assert sw.open(path, tree).num_entries == len(tree)
    with pytest.raises(sw.SchemaError, match=r"no tree 'secnod' \(nearest: second\)"):
        sw.open(path, "secnod")


def test_cycles(shared_data: Path) -> None:
    """The newest unless told."""
    path = shared_data / "skhep" / "uproot-from-geant4.root"
    assert sw.open(path, "Details").num_entries == sw.open(path, "Details;1").num_entries


def test_formats_mix(make_tree: MakeTree) -> None:
    paths = [
        make_tree(f"{kind}.root", {"x": np.arange(3, dtype=np.int32)}, format=kind) for kind in ("TTree", "RNTuple")
    ]
    data = sw.open(paths)
    assert data.format == "TTree and RNTuple"
    assert values(data) == [0, 1, 2, 0, 1, 2]


def test_columns_that_differ_between_files(make_tree: MakeTree) -> None:
    a = make_tree("a.root", {"x": np.arange(3, dtype=np.int32), "y": np.arange(3, dtype=np.int32)})
    b = make_tree("b.root", {"x": np.arange(3, dtype=np.float32)})
    data = sw.open([a, b])
    with pytest.raises(sw.SchemaError, match=r"float32 here and int32 in .*a\.root") as error:
        data.arrays("x")
    assert (error.value.file, error.value.column) == (str(b), "x")
    with pytest.raises(sw.SchemaError, match="no column 'y'") as error:
        data.arrays("y")
    assert error.value.file == str(b)


@pytest.mark.parametrize("uri", ["root://host//a.root", "https://host/a.root", "s3://bucket/a.root", "http://h/*.root"])
def test_remote_is_not_built_in(uri: str) -> None:
    with pytest.raises(sw.UnsupportedError, match="not built in yet") as error:
        sw.open(uri)
    assert error.value.file == uri


def test_shows_itself(folder: Path) -> None:
    data = sw.open(folder / "*.root")
    assert repr(data) == "<Dataset 'tree' (TTree): 7 entries, 1 columns, 2 files>"
    assert "<td" in data._repr_html_()
    assert "int32" in data._repr_html_()
    assert repr(data.schema[0]) == "<ColumnInfo x: int32>"
