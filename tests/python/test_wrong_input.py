"""What a new user gets wrong ends in one clear line of a typed error."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from conftest import MakeTree

import sapwood as sw

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")


def error_of(action: Callable[[], Any], kind: type[sw.Error], *words: str) -> sw.Error:
    """The error that `action` ends in: exactly of this kind, one line long, with these words in it."""
    with pytest.raises(sw.Error) as caught:
        action()
    error = caught.value
    assert type(error) is kind, error
    assert "\n" not in str(error)
    for word in words:
        assert word in str(error)
    return error


@pytest.fixture
def jets(examples: Path) -> sw.Dataset:
    return sw.open(examples / "QCD_ttree.root")


def test_missing_file(examples: Path) -> None:
    path = str(examples / "QCD_tree.root")
    error = error_of(lambda: sw.open(path), sw.IoError, "no such file", path, "QCD_ttree.root")
    assert error.file == path


def test_missing_folder(tmp_path: Path) -> None:
    error_of(lambda: sw.open(tmp_path / "none" / "a.root"), sw.IoError, "none")


def test_glob_without_a_match(examples: Path) -> None:
    error_of(lambda: sw.open(examples / "qcd*.root"), sw.IoError, "no file matches the pattern")


def test_directory(examples: Path) -> None:
    error_of(lambda: sw.open(examples), sw.IoError, "is a directory", "*.root")


def test_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "locked.root"
    path.write_bytes(b"root")
    path.chmod(0)
    try:
        path.read_bytes()
    except PermissionError:
        error_of(lambda: sw.open(path), sw.IoError, "ermission", str(path))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.root", b"", ["empty"]),
        ("text.root", b"run,event\n1,2\n" * 100, ["not a ROOT file"]),
        ("picture.root", PNG, ["not a ROOT file"]),
        ("short.root", b"root", []),
    ],
)
def test_not_a_root_file(tmp_path: Path, name: str, content: bytes, words: list[str]) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    error = error_of(lambda: sw.open(path), sw.FormatError, str(path), *words)
    assert error.file == str(path)


@pytest.mark.parametrize("name", ["QCD_ttree.root", "QCD_rntuple.root"])
@pytest.mark.parametrize("share", [0.00002, 0.0002, 0.01, 0.25, 0.5, 0.9, 0.999])
def test_truncated(examples: Path, tmp_path: Path, name: str, share: float) -> None:
    whole = (examples / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[: int(share * len(whole))])
    error = error_of(lambda: sw.open(path).arrays(), sw.FormatError, str(path))
    assert error.file == str(path)


def test_truncated_says_so(examples: Path, tmp_path: Path) -> None:
    whole = (examples / "QCD_ttree.root").read_bytes()
    path = tmp_path / "half.root"
    path.write_bytes(whole[: len(whole) // 2])
    error_of(lambda: sw.open(path), sw.FormatError, "truncated")


def test_wrong_tree(examples: Path) -> None:
    path = examples / "QCD_ttree.root"
    error_of(lambda: sw.open(path, "tre"), sw.SchemaError, "no tree 'tre'", "nearest: tree", str(path))
    error_of(lambda: sw.open(path, "Events"), sw.SchemaError, "no tree 'Events'", "'tree'")


def test_no_tree_in_the_file(shared_data: Path) -> None:
    path = shared_data / "skhep" / "uproot-histograms.root"
    error_of(lambda: sw.open(path), sw.SchemaError, "no TTree", str(path))


def test_wrong_column(jets: sw.Dataset) -> None:
    error_of(lambda: jets.arrays("jet_ptt"), sw.SchemaError, "no column 'jet_ptt'", "jet_pt")
    error_of(lambda: jets.arrays(["jet_pt", "JET_ETA"]), sw.SchemaError, "no column 'JET_ETA'", "jet_eta")
    error_of(lambda: jets.loader("jet_sdmas"), sw.SchemaError, "no column 'jet_sdmas'", "jet_sdmass")
    error_of(lambda: jets.loader("jet_pt", target="label_top"), sw.SchemaError, "label_top")


def test_jagged_column_as_a_scalar(jets: sw.Dataset) -> None:
    error = error_of(lambda: jets.loader("part_px"), sw.SchemaError, "part_px", "list<float32>", "pad")
    assert error.column == "part_px"
    error_of(lambda: jets.loader("jet_pt", target="part_px"), sw.SchemaError, "part_px")
    error_of(lambda: jets.loader("jet_pt", weights="part_px"), sw.SchemaError, "part_px")


def test_scalar_column_as_jagged(jets: sw.Dataset) -> None:
    error_of(lambda: jets.loader("jet_pt", pad=8), sw.SchemaError, "jet_pt")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 0}, ["batch_size is 0"]),
        ({"batch_size": -3}, ["batch_size is -3"]),
        ({"memory": 0}, ["memory is 0"]),
        ({"memory": "10 kB"}, ["memory is 10000"]),
        ({"memory": "lots"}, ["memory is 'lots'", "500 MB"]),
        ({"memory": "-1 GB"}, ["memory"]),
        ({"buffer_rows": 0}, ["buffer_rows is 0"]),
        ({"dtype": "float"}, ["unknown dtype 'float'", "float32"]),
        ({"dtype": {"part": "float32"}}, ["dtype names no feature group: part"]),
        ({"channels": "middle"}, ["channels is 'middle'"]),
        ({"pad": 0}, ["pad is 0"]),
        ({"pad": -1}, ["pad", "-1"]),
        ({"pad": {"features": 0}}, ["pad", "0"]),
        ({"pad": {"features": -2}}, ["pad", "-2"]),
        ({"pad": {"part": 8}}, ["pad names no feature group: part"]),
        ({"threads": 0}, ["threads is 0"]),
        ({"threads": -1}, ["threads is -1"]),
        ({"seed": -1}, ["seed is -1"]),
        ({"seed": 2**64}, ["seed is"]),
    ],
)
def test_wrong_option(jets: sw.Dataset, options: dict[str, Any], words: list[str]) -> None:
    column = "part_px" if "pad" in options else "jet_pt"
    error_of(lambda: jets.loader(column, **options), sw.ConfigError, *words)


def test_memory_too_small_for_the_data(shared_data: Path) -> None:
    jets = sw.open(shared_data / "jets" / "*.root")
    error_of(lambda: jets.loader(jets.columns[0], pad=128, memory="1.1 MB"), sw.ConfigError, "memory", "give at least")


def test_wrong_library(jets: sw.Dataset) -> None:
    error_of(lambda: jets.arrays("jet_pt", library="numpy"), sw.ConfigError, "'np'")


def test_no_features(jets: sw.Dataset) -> None:
    error_of(lambda: jets.loader([]), sw.ConfigError, "features")
    error_of(lambda: jets.loader({"jet": []}), sw.ConfigError, "jet")
    error_of(lambda: jets.loader({}), sw.ConfigError)


def test_groups_called_alike(jets: sw.Dataset) -> None:
    error_of(lambda: jets.loader({"target": "jet_pt"}, target="label_QCD"), sw.ConfigError, "target")


def test_wrong_entry_range(jets: sw.Dataset) -> None:
    error_of(lambda: jets.arrays("jet_pt", 5, 3), sw.ConfigError, "5", "3")
    error_of(lambda: jets.arrays("jet_pt", -5), sw.ConfigError, "-5")


@pytest.mark.parametrize("fractions", [{}, {"val": 0.0}, {"val": 1.0}, {"val": -0.1}, {"val": 0.6, "test": 0.5}])
def test_wrong_split(jets: sw.Dataset, fractions: dict[str, float]) -> None:
    error_of(lambda: jets.loader("jet_pt").split(**fractions), sw.ConfigError, "split")


@pytest.mark.parametrize("uri", ["root://eospublic.cern.ch//eos/a.root", "https://host/a.root", "s3://bucket/a.root"])
def test_remote(uri: str) -> None:
    error_of(lambda: sw.open(uri), sw.UnsupportedError, "not built in yet", uri)


def test_file_that_changed(examples: Path, tmp_path: Path) -> None:
    """A file that is cut after it was opened ends an epoch with an error, not with fewer rows."""
    path = tmp_path / "shrinking.root"
    path.write_bytes((examples / "QCD_ttree.root").read_bytes())
    loader = sw.open(path).loader("jet_pt")
    with path.open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(sw.Error, match="shrinking"):
        list(loader)


def test_names_that_are_no_utf8_are_taken_for_latin1(tmp_path: Path) -> None:
    uncompressed = tmp_path / "plain.root"
    with uproot.recreate(uncompressed, compression=None) as file:
        file.mktree("tree", {"abXcd": "f8", "ok": "f8"})
        file["tree"].extend({"abXcd": np.arange(3.0), "ok": np.arange(3.0)})
    uncompressed.write_bytes(uncompressed.read_bytes().replace(b"abXcd", b"ab\xe9cd"))
    data = sw.open(uncompressed)
    assert data.columns == ["abécd", "ok"]
    assert data.arrays("abécd", library="np")["abécd"].tolist() == [0, 1, 2]


def test_errors_with_bytes_of_the_file(make_tree: MakeTree) -> None:
    path = make_tree("jets.root", {"x": np.arange(1000.0)})
    damaged = bytearray(path.read_bytes())
    damaged[300:] = bytes(range(128, 256)) * (len(damaged) // 128)
    path.write_bytes(bytes(damaged))
    with pytest.raises(sw.FormatError):
        sw.open(path).arrays()


@pytest.mark.parametrize("weights", [(float("inf"), 1.0), (1e308, 1e308), (0.0, 1.0), (float("nan"), 1.0)])
def test_weights_of_samples_that_are_none(make_tree: MakeTree, weights: tuple[float, float]) -> None:
    path = make_tree("x.root", {"x": np.arange(3.0)})
    with pytest.raises(sw.ConfigError, match="must be positive and finite"):
        sw.open({"a": (path, weights[0]), "b": (path, weights[1])})


def test_samples_without_entries_weigh_nothing(make_tree: MakeTree) -> None:
    empty = make_tree("empty.root", {"x": np.arange(0.0)})
    full = make_tree("full.root", {"x": np.arange(10.0)})
    data = sw.open({"a": (full, np.float32(3)), "b": (empty, 7)})
    assert data.arrays("sample_weight", library="np")["sample_weight"].tolist() == [1.0] * 10


def test_ranges_past_the_end_are_empty(make_tree: MakeTree) -> None:
    data = sw.open(make_tree("x.root", {"x": np.arange(3.0)}))
    assert len(data.arrays("x", 500)["x"]) == 0
