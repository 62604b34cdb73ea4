"""The packed layout: values of all rows one after the other, with offsets, as variable-length attention takes them."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from conftest import Columns, MakeTree

import sapwood as sw

Events = tuple[list[Path], Columns]


def expected_batch(lists: list[ak.Array], most: int | None, dtype: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, offsets and largest multiplicity of the rows, prepared by Awkward."""
    cut = [one[:, :most] for one in lists]
    counts = ak.to_numpy(ak.num(cut[0]))
    values = np.stack([ak.to_numpy(ak.flatten(one)).astype(dtype) for one in cut], 1)
    return values, np.concatenate([[0], np.cumsum(counts)]).astype(np.int32), np.int32(max(counts, default=0))


def assert_batch(batch: Any, name: str, expected: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    for key, wanted in zip((name, f"{name}_cu_seqlens", f"{name}_max_seqlen"), expected, strict=True):
        given = batch[key]
        assert isinstance(given, np.ndarray)
        assert (given.dtype, given.shape) == (wanted.dtype, wanted.shape), key
        assert given.tobytes() == wanted.tobytes(), key


@pytest.mark.parametrize("name", ["QCD_ttree.root", "Tbqq_rntuple.root"])
@pytest.mark.parametrize("most", [None, 1, 30])
@pytest.mark.parametrize("dtype", ["float32", "float16", "int64"])
def test_values_and_offsets(examples: Path, name: str, most: int | None, dtype: str) -> None:
    columns = ["part_px", "part_charge", "part_isPhoton"]
    arrays = uproot.open(examples / name)["tree"].arrays(columns)
    loader = sw.open(examples / name).loader(
        columns, packed=True, pad=most, dtype=dtype, shuffle=False, batch_size=333, threads=2
    )
    start = 0
    for batch in loader:
        rows = slice(start, start + len(batch["features_cu_seqlens"]) - 1)
        assert_batch(batch, "features", expected_batch([arrays[column][rows] for column in columns], most, dtype))
        start = rows.stop
    assert start == len(arrays)


def packed_loader(events: Events, **options: Any) -> sw.Loader:
    wanted = {"batch_size": 77, "buffer_rows": 300, "seed": 1, **options}
    return sw.open(events[0]).loader(
        {"id": "id", "hits": ["hit", "channel"], "some": "hit", "padded": "hit"},
        target="y",
        pad={"some": 2, "padded": 3},
        packed=["hits", "some"],
        dtype={"id": "int64"},
        **wanted,
    )


@pytest.mark.parametrize("options", [{}, {"buffer_rows": None, "threads": 3}, {"batch_size": 1}, {"batch_size": 5000}])
def test_shuffled_rows_stay_together(events: Events, options: dict[str, Any]) -> None:
    written = events[1]
    seen = []
    for batch in packed_loader(events, **options):
        rows = batch["id"][:, 0] - 2**40
        assert_batch(batch, "hits", expected_batch([written["hit"][rows], written["channel"][rows]], None, "float32"))
        assert_batch(batch, "some", expected_batch([written["hit"][rows]], 2, "float32"))
        assert np.array_equal(batch["padded_mask"][:, 0].sum(1), np.minimum(ak.num(written["hit"])[rows], 3))
        assert np.array_equal(batch["target"], written["y"][rows].astype(np.float32))
        seen += rows.tolist()
    assert sorted(seen) == list(range(1000))


def test_batches_without_values(make_tree: MakeTree) -> None:
    counts = np.where(np.arange(200) < 150, 0, 3)
    columns = {"id": np.arange(200), "v": ak.unflatten(np.arange(150, dtype=np.float32), counts)}
    loader = sw.open(make_tree("sparse.root", columns, clusters=4)).loader(
        {"v": "v"}, packed="v", shuffle=False, batch_size=50
    )
    batches = list(loader)
    assert [batch["v"].shape for batch in batches] == [(0, 1), (0, 1), (0, 1), (150, 1)]
    assert [int(batch["v_max_seqlen"]) for batch in batches] == [0, 0, 0, 3]
    assert not batches[0]["v_cu_seqlens"].any()
    assert batches[3]["v_cu_seqlens"].tolist() == list(range(0, 151, 3))
    assert [len(batch.column("v").values) for batch in loader.arrow()] == [0, 0, 0, 150]
    pytest.importorskip("torch")
    assert [tuple(batch["v"].shape) for batch in loader.torch()] == [(0, 1), (0, 1), (0, 1), (150, 1)]


def test_batches_of_very_different_sizes_within_their_memory(make_tree: MakeTree) -> None:
    """The last tenth of the entries holds nearly all values."""
    counts = np.where(np.arange(20_000) < 18_000, 1, 300)
    values = ak.unflatten(np.arange(counts.sum(), dtype=np.float32), counts)
    path = make_tree("uneven.root", {"v": values}, clusters=40)
    loader = sw.open(path).loader({"v": "v"}, packed="v", shuffle=False, memory="40 MB", batch_size=64, threads=4)
    batches = [batch["v"][:, 0].copy() for batch in loader]
    assert np.array_equal(np.concatenate(batches), np.arange(counts.sum()))
    stats = loader.stats()
    assert stats is not None
    assert stats.peak_bytes <= 40_000_000


@pytest.mark.parametrize("options", [{"threads": 2}, {"threads": 4}, {"memory": "60 MB"}])
def test_same_bits_for_any_threads_and_memory(jets: sw.Dataset, options: dict[str, Any]) -> None:
    def contents(**options: Any) -> list[bytes]:
        loader = jets.loader(
            {"part": ["part_px", "part_py"]}, packed=True, batch_size=256, seed=3, buffer_rows=1500, **options
        )
        return [b"".join(array.tobytes() for array in batch.values()) for _ in range(2) for batch in loader]

    assert contents(threads=1) == contents(**options)


def test_goes_on_after_any_batch(events: Events) -> None:
    def contents(batches: Any) -> list[bytes]:
        return [b"".join(array.tobytes() for array in batch.values()) for batch in batches]

    expected = contents(packed_loader(events))
    for after in (1, 6, len(expected) - 1):
        first, second = packed_loader(events, threads=1), packed_loader(events, threads=3)
        running = iter(first)
        assert contents(islice(running, after)) == expected[:after]
        second.load_state_dict(json.loads(json.dumps(first.state_dict())))
        assert contents(second) == expected[after:]
    padded = sw.open(events[0]).loader({"v": "hit"}, pad=3, batch_size=77, seed=1)
    with pytest.raises(sw.ConfigError, match="other features"):
        sw.open(events[0]).loader({"v": "hit"}, pad=3, packed=True, batch_size=77, seed=1).load_state_dict(
            padded.state_dict()
        )


def test_events_in_memory_are_those_of_files(events: Events) -> None:
    paths, written = events
    spec = sw.FeatureSpec(
        inputs=[
            sw.FeatureGroup("whole", ["hit", sw.Variable("sqrt(channel)", "root", "standard")], packed=True),
            sw.FeatureGroup("cut", "hit", packed=True, pad="fit", dtype="bfloat16"),
        ]
    )
    assert "whole [T, 2], cut [T, 1]" in repr(spec)
    data = sw.open(paths)
    fitted = data.fit(spec)
    assert [(group.packed, group.pad) for group in fitted.inputs] == [(True, 0), (True, 5)]
    assert sw.FeatureSpec.from_dict(fitted.to_dict()) == fitted
    assert sw.FeatureSpec(inputs=fitted.inputs) == fitted
    (batch,) = data.loader(fitted, shuffle=False, batch_size=1000)
    tensors = sw.make_tensors(fitted, {name: written[name] for name in ("hit", "channel")})
    assert list(tensors) == list(batch)
    for name, tensor in tensors.items():
        assert (tensor.dtype, tensor.shape) == (batch[name].dtype, batch[name].shape)
        assert tensor.tobytes() == batch[name].tobytes()


def test_of_pytorch(jets: sw.Dataset) -> None:
    """Attention over each row's particles alone, from the offsets, is that over padded rows."""
    torch = pytest.importorskip("torch")
    options: dict[str, Any] = {"batch_size": 32, "seed": 2, "buffer_rows": 500}
    columns = ["part_px", "part_py", "part_pz"]
    packed = next(jets.loader({"p": columns}, packed="p", **options).torch(device="cpu"))
    padded = next(jets.loader({"p": columns}, pad=200, channels="last", **options).torch())
    lengths = packed["p_cu_seqlens"].diff()
    assert packed["p_cu_seqlens"].dtype == torch.int32
    assert packed["p_max_seqlen"].item() == lengths.max()
    assert packed["p_max_seqlen"].shape == ()
    assert torch.equal(lengths, padded["p_mask"].sum(1))
    assert torch.equal(packed["p"], padded["p"][padded["p_mask"]])
    nested = torch.nested.nested_tensor_from_jagged(packed["p"], packed["p_cu_seqlens"].long())
    assert torch.equal(torch.nested.to_padded_tensor(nested, 0.0, (32, 200, 3)), padded["p"])


def test_max_seqlen_stays_where_it_is(jets: sw.Dataset) -> None:
    pytest.importorskip("torch")
    batch = next(jets.loader({"p": "part_px"}, packed="p", batch_size=8).torch(device="meta"))
    assert {name: tensor.device.type for name, tensor in batch.items()} == {
        "p": "meta",
        "p_cu_seqlens": "meta",
        "p_max_seqlen": "cpu",
    }


def test_what_a_loader_says(jets: sw.Dataset) -> None:
    loader = jets.loader({"p": ["part_px", "part_py"], "jet": "jet_pt"}, packed="p", batch_size=256)
    assert [(tensor.name, tensor.axis, tensor.shape, tensor.dtype) for tensor in loader.tensors] == [
        ("p", "T", (2,), "float32"),
        ("p_cu_seqlens", "N+1", (), "int32"),
        ("p_max_seqlen", "", (), "int32"),
        ("jet", "N", (1,), "float32"),
    ]
    text = str(loader.explain())
    for words in ("p  float32 [T, 2]", "p_cu_seqlens  int32 [257]", "p_max_seqlen  int32 []", "jet  float32 [256, 1]"):
        assert words in text
    assert "p [T, 2] float32, p_cu_seqlens [N+1] int32, p_max_seqlen [] int32, jet [1] float32" in repr(loader)
    assert "[257]" in loader._repr_html_()


def test_wrong_use(jets: sw.Dataset, tmp_path: Path) -> None:
    with pytest.raises(sw.ConfigError, match="packed names no feature group: q"):
        jets.loader({"p": "part_px"}, packed=["q"])
    with pytest.raises(sw.SchemaError, match="packed group 'p' wants a list of numbers"):
        jets.loader({"p": "jet_pt"}, packed=True)
    for padding in ({"pad_value": -1.0}, {"channels": "last"}, {"mask": "padding"}, {"pad_value": float("nan")}):
        with pytest.raises(sw.ConfigError, match=r"packed group 'p' .* has no padding: leave"):
            sw.FeatureGroup("p", "part_px", packed=True, **padding)  # type: ignore[arg-type]
    for short in ({"pad_value": -1.0}, {"channels": "last"}):
        with pytest.raises(sw.ConfigError, match=r"packed group 'p' .* has no padding: leave"):
            jets.loader({"p": "part_px"}, packed=True, **short)  # type: ignore[arg-type]
    for written in ({"pad_value": -1}, {"mask": "padding"}):
        group = {"name": "p", "variables": ["part_px"], "layout": "packed", **written}
        spec = sw.FeatureSpec.from_dict({"format": "sapwood-features", "version": 1, "inputs": [group]})
        with pytest.raises(sw.ConfigError, match="packed group 'p' has no padding: leave pad_value and mask out"):
            jets.loader(spec)
    spec = sw.FeatureSpec(inputs=[sw.FeatureGroup("p", "part_px", packed=True)])
    with pytest.raises(sw.ConfigError, match="leave them out"):
        jets.loader(spec, packed=True)
    with pytest.raises(sw.UnsupportedError, match="group 'p' is packed, which bundles do not carry"):
        sw.bundle.export(b"", tmp_path / "b.tar", features=spec, sample=jets)


@pytest.mark.parametrize("bundle", [True, False])
def test_training_refuses_it(jets: sw.Dataset, tmp_path: Path, bundle: bool) -> None:
    from sapwood.train import train

    config = {
        "data": {"files": {"a": jets.files[0].path, "b": jets.files[1].path}},
        "features": {"inputs": [{"name": "p", "variables": ["part_px"], "layout": "packed"}]},
        "output": str(tmp_path),
        "bundle": bundle,
    }
    with pytest.raises(sw.UnsupportedError, match=r"'p' is (of a packed group|packed), which"):
        train(config)


def test_what_is_said_of_padding_is_for_padded_groups(jets: sw.Dataset) -> None:
    loader = jets.loader(
        {"p": "part_px", "q": "part_py"}, packed="p", pad={"q": 200}, channels="last", pad_value=-7, batch_size=8
    )
    batch = next(iter(loader))
    assert batch["q"].shape == (8, 200, 1)
    assert (batch["q"][~batch["q_mask"]] == -7).all()
    assert batch["p"].shape == (batch["q_mask"].sum(), 1)


def test_groups_are_the_same_after_json() -> None:
    for group in (
        sw.FeatureGroup("p", "part_px", packed=True, dtype="int64"),
        sw.FeatureGroup("p", "part_px", packed=True, pad=5, mask="none"),
        sw.FeatureGroup("q", "part_px", pad=5, channels="last", mask="padding", pad_value=-1),
    ):
        spec = sw.FeatureSpec(inputs=[group])
        assert sw.FeatureSpec.from_json(spec.to_json()).inputs == [group]


def test_unequal_lengths(make_tree: MakeTree) -> None:
    columns = {name: ak.unflatten(np.arange(6.0), counts) for name, counts in (("a", [1, 2, 3]), ("b", [3, 2, 1]))}
    loader = sw.open(make_tree("unequal.root", columns)).loader(["a", "b"], packed=True)
    with pytest.raises(sw.SchemaError, match=r"multiplicity differs from that of 'a'"):
        list(loader)
