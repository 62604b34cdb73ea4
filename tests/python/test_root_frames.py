"""Frames of ROOT's RDataFrame as data sets: what they give against what ROOT and the files themselves give."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

import sapwood as sw

FILES = {
    "TTree": ["examples/data/QCD_ttree.root", "examples/data/Tbqq_ttree.root"],
    "RNTuple": ["examples/data/QCD_rntuple.root", "examples/data/Tbqq_rntuple.root"],
}
COLUMNS = ["jet_pt", "jet_nparticles", "part_px"]


@pytest.fixture
def root(cern_root: Any) -> Any:
    return cern_root


@pytest.fixture(params=FILES)
def files(request):
    return FILES[request.param]


def frame_of(root, files):
    return root.RDataFrame("tree", files)


def assert_same(left, right):
    assert set(left) == set(right)
    for name, column in left.items():
        assert column.equals(right[name]), name


def test_a_frame_is_its_files(root, files):
    data, frame = sw.open(files, "tree"), sw.open(frame_of(root, files))
    assert frame.format == "RDataFrame"
    assert frame.num_entries == data.num_entries
    assert len(frame) == len(data)
    assert set(data.columns) <= set(frame.columns)
    assert_same(data.arrays(COLUMNS), frame.arrays(COLUMNS))
    assert_same(data.arrays(COLUMNS, 700, 3001), frame.arrays(COLUMNS, 700, 3001))


def test_filters_and_definitions_of_a_frame(root, files):
    frame = (
        frame_of(root, files)
        .Define("part_pt", "sqrt(part_px * part_px + part_py * part_py)")
        .Filter("jet_sdmass > 100", "mass")
        .Define("leading", "part_pt[0]")
    )
    data = sw.open(files, "tree").define(part_pt="hypot(part_px, part_py)").filter("jet_sdmass > 100")
    ours = sw.open(frame)
    assert len(ours) == len(data) == frame.Count().GetValue()
    assert_same(data.arrays(["jet_sdmass", "part_px"]), ours.arrays(["jet_sdmass", "part_px"]))
    wanted = frame.AsNumpy(["leading"])["leading"]
    np.testing.assert_array_equal(ours.arrays("leading", library="np")["leading"], wanted)
    assert "RDataFrame" in str(ours.report())
    both = ours.filter("jet_pt > 600").define(twice="2 * leading")
    assert len(both) == frame.Filter("jet_pt > 600").Count().GetValue()
    assert both.num_entries == data.num_entries


def test_loaders_of_a_frame_give_the_same_batches_again(root, files):
    frame = frame_of(root, files).Filter("jet_pt > 600")
    options = {"target": "sample_label", "batch_size": 64, "seed": 3, "memory": "64 MB"}
    features = {"jet": ["jet_pt", "jet_sdmass"], "part": ["part_px", "part_py"]}
    data = sw.open({"all": frame})
    loader = data.loader(features, pad={"part": 32}, **options)
    epochs = [
        [
            {name: np.asarray(tensor).copy() for name, tensor in batch.items()}
            for batch in data.loader(features, pad={"part": 32}, threads=threads, **options)
        ]
        for threads in (1, 3)
    ]
    assert len(loader) == len(epochs[0]) == len(epochs[1])
    for one, other in zip(*epochs, strict=True):
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
    seen = np.sort(np.concatenate([batch["jet"][:, 0] for batch in epochs[0]]))
    np.testing.assert_array_equal(seen, np.sort(frame.AsNumpy(["jet_pt"])["jet_pt"]))


def test_frames_are_samples(root, files):
    frames = {
        label: root.RDataFrame("tree", file).Filter("jet_pt > 600") for label, file in zip("qt", files, strict=True)
    }
    data = sw.open(frames)
    assert data.labels == ["q", "t"]
    labels = data.arrays("sample_label", library="np")["sample_label"]
    counts = [frame.Count().GetValue() for frame in frames.values()]
    np.testing.assert_array_equal(labels, np.repeat([0, 1], counts))
    assert len(sw.open(list(frames.values()))) == sum(counts)


def test_splits_ranks_and_resuming(root, files):
    data = sw.open(frame_of(root, files).Filter("jet_pt > 600"))
    loader = data.loader(["jet_pt"], batch_size=50, seed=1)
    assert sum(part.num_rows for part in loader.split(val=0.3)) == len(data)
    iterator = iter(loader)
    first = [np.asarray(next(iterator)["features"]).copy() for _ in range(3)]
    state = loader.state_dict()
    left = [np.asarray(batch["features"]).copy() for batch in iterator]
    again = data.loader(["jet_pt"], batch_size=50, seed=1)
    again.load_state_dict(state)
    np.testing.assert_array_equal(np.concatenate(left), np.concatenate([np.asarray(b["features"]) for b in again]))
    assert sum(len(batch) for batch in first + left) == len(data)


@pytest.mark.parametrize("entries", [0, 1, 1000])
def test_frames_without_files(root, entries):
    frame = root.RDataFrame(entries).Define("x", "double(rdfentry_)").Define("odd", "rdfentry_ % 2 == 1")
    np.testing.assert_array_equal(sw.open(frame).arrays("x", library="np")["x"], np.arange(entries, dtype=float))
    odd = sw.open(frame.Filter("odd"))
    assert len(odd) == entries // 2
    np.testing.assert_array_equal(odd.arrays("x", library="np")["x"], np.arange(entries, dtype=float)[1::2])


def test_frames_of_arrays_and_ranges(root, files):
    frame = root.RDF.FromNumpy({"x": np.arange(100.0), "n": np.arange(100, dtype=np.int32)})
    data = sw.open(frame.Filter("n % 3 == 0"))
    np.testing.assert_array_equal(data.arrays("x", library="np")["x"], np.arange(0, 100, 3))
    part = frame_of(root, files).Filter("jet_pt > 600").Range(10, 250, 2)
    np.testing.assert_array_equal(
        sw.open(part).arrays("jet_pt", library="np")["jet_pt"], part.AsNumpy(["jet_pt"])["jet_pt"]
    )


def test_types(root):
    frame = (
        root.RDataFrame(5)
        .Define("flag", "rdfentry_ > 2")
        .Define("flags", "ROOT::RVec<bool>{true, rdfentry_ > 2}")
        .Define("byte", "(unsigned char)(250 + rdfentry_)")
        .Define("letter", "char(rdfentry_)")
        .Define("short_", "short(-rdfentry_)")
        .Define("long_", "Long64_t(1) << 60")
        .Define("name", 'std::string("n") + std::to_string(rdfentry_)')
        .Define("names", "std::vector<std::string>(rdfentry_, name)")
        .Define("nested", "ROOT::RVec<ROOT::RVec<float>>(rdfentry_, ROOT::RVec<float>{1.f, float(rdfentry_)})")
        .Define("lorentz", "TLorentzVector()")
    )
    data = sw.open(frame)
    types = {column.name: column.type for column in data.schema}
    assert types["flag"] == "bool"
    assert types["byte"] == "uint8"
    assert types["long_"] == "int64"
    assert types["nested"] == "list<list<float32>>"
    assert types["lorentz"] == ""
    values = data.arrays(library="arrow")
    assert values["flag"].to_pylist() == [False, False, False, True, True]
    assert values["flags"].to_pylist() == [[True, i > 2] for i in range(5)]
    assert values["byte"].to_pylist() == [250, 251, 252, 253, 254]
    assert values["letter"].to_pylist() == list(range(5))
    assert values["short_"].to_pylist() == [0, -1, -2, -3, -4]
    assert values["long_"].to_pylist() == [1 << 60] * 5
    assert values["names"].to_pylist() == [[f"n{i}"] * i for i in range(5)]
    assert values["nested"].to_pylist() == [[[1.0, float(i)]] * i for i in range(5)]
    with pytest.raises(sw.UnsupportedError, match="TLorentzVector"):
        data.arrays("lorentz")


def test_what_was_booked_before_gets_all_entries(root, files):
    frame = frame_of(root, files)
    count, histogram = frame.Count(), frame.Histo1D("jet_pt")
    data = sw.open(frame)
    mean = frame.Mean("jet_pt")
    data.arrays("jet_pt", 0, 10)
    assert count.GetValue() == data.num_entries
    assert histogram.GetEntries() == data.num_entries
    np.testing.assert_allclose(mean.GetValue(), data.scan("jet_pt")[0].mean, rtol=1e-6)
    assert frame.Count().GetValue() == data.num_entries


def test_wrong_frames(root, files):
    frame = frame_of(root, files)
    with pytest.raises(sw.ConfigError, match="frames and files"):
        sw.open([frame, files[0]])
    with pytest.raises(sw.SchemaError, match="jet_pt"):
        sw.open(frame).arrays("jet_pT")
    root.gInterpreter.Declare("""
    #ifndef SAPWOOD_TEST_THROWS
    #define SAPWOOD_TEST_THROWS
    float throws(ULong64_t entry) { if (entry == 1234) throw std::runtime_error("entry of no use"); return 1; }
    #endif
    """)
    broken = sw.open(frame.Define("broken", "throws(rdfentry_)"))
    with pytest.raises(sw.IoError, match="entry of no use"):
        broken.arrays("broken")
    with pytest.raises(sw.IoError, match="entry of no use"):
        list(broken.loader(["broken"]))
    assert len(broken.arrays("broken", 0, 1000)["broken"]) == 1000


@pytest.mark.usefixtures("cern_root")
@pytest.mark.parametrize("threads", [1, 2])
def test_in_several_threads(files, threads):
    """With implicit multithreading, which is for the life of a process: every row comes once."""
    program = textwrap.dedent(f"""
        import numpy as np, ROOT, sapwood as sw
        ROOT.EnableImplicitMT({threads})
        frame = ROOT.RDataFrame("tree", {files!r})
        for node in frame, frame.Filter("jet_pt > 600"):
            wanted = np.sort(node.AsNumpy(["jet_pt"])["jet_pt"])
            data = sw.open(node)
            for _ in range(3):
                got = data.arrays(["jet_pt", "part_px"], library="ak")
                order = np.argsort(got.jet_pt)
                assert np.array_equal(np.asarray(got.jet_pt)[order], wanted)
            for memory in ("32 MB", "1 GB"):
                loader = data.loader(["jet_pt"], batch_size=100, memory=memory)
                for _ in range(2):
                    rows = np.concatenate([np.asarray(batch["features"])[:, 0].copy() for batch in loader])
                    assert np.array_equal(np.sort(rows), wanted)
            iterator = iter(data.loader(["jet_pt"], batch_size=10))
            next(iterator)
            del iterator
        print("done")
    """)
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=400)
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("done\n")
