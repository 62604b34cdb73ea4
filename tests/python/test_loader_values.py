"""What is in batches: exact values, masks, dtypes, targets and weights."""

from collections import Counter
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from conftest import MakeTree
from loader_rows import Events, id_loader

import sapwood as sw


def padded(jagged: ak.Array, length: int, dtype: str, fill: float = 0.0) -> np.ndarray:
    cut = ak.fill_none(ak.pad_none(jagged, length, clip=True), np.nan)
    values = ak.to_numpy(cut)
    return np.where(np.isnan(values), fill, values).astype(dtype)


@pytest.mark.parametrize("channels", ["first", "last"])
@pytest.mark.parametrize("name", ["QCD_ttree.root", "Tbqq_rntuple.root"])
@pytest.mark.parametrize("length", [1, 30, 200])
def test_padded_values_and_masks(examples: Path, name: str, channels: Any, length: int) -> None:
    columns = ["part_px", "part_charge", "part_isPhoton"]
    arrays = uproot.open(examples / name)["tree"].arrays(columns)
    counts = ak.to_numpy(ak.num(arrays["part_px"]))
    expected = np.stack([padded(arrays[column], length, "float32", -1.0) for column in columns], 1)
    mask = (np.arange(length) < counts[:, None])[:, None, :]
    if channels == "last":
        expected, mask = expected.swapaxes(1, 2), mask[:, 0, :]
    loader = sw.open(examples / name).loader(
        columns, pad=length, pad_value=-1.0, channels=channels, shuffle=False, batch_size=333
    )
    batches = list(loader)
    values = np.concatenate([batch["features"] for batch in batches])
    masks = np.concatenate([batch["features_mask"] for batch in batches])
    assert values.dtype == np.float32
    assert masks.dtype == np.bool_
    assert values.shape == expected.shape
    assert masks.shape == mask.shape
    assert values.tobytes() == expected.tobytes()
    assert masks.tobytes() == mask.tobytes()


def test_shuffled_rows_stay_together(events: Events) -> None:
    """All parts of a row come from one entry, in every layout."""
    paths, written = events
    loader = sw.open(paths).loader(
        {"id": "id", "flat": ["x", "position", "kind"], "hits": ["hit", "channel"]},
        target=["y", "x"],
        weights="weight",
        pad={"hits": 4},
        dtype={"id": "int64", "flat": "float64"},
        batch_size=77,
        buffer_rows=300,
        seed=1,
    )
    hits = np.stack([padded(written[name], 4, "float32") for name in ("hit", "channel")], 1)
    flat = np.column_stack([written["x"], written["position"], written["kind"]]).astype(np.float64)
    targets = np.column_stack([written["y"], written["x"]]).astype(np.float32)
    seen = 0
    for batch in loader:
        rows = batch["id"][:, 0] - 2**40
        assert np.array_equal(batch["flat"], flat[rows])
        assert np.array_equal(batch["hits"], hits[rows])
        assert np.array_equal(batch["hits_mask"][:, 0].sum(1), np.minimum(ak.num(written["hit"])[rows], 4))
        assert np.array_equal(batch["target"], targets[rows])
        assert np.array_equal(batch["weights"], written["weight"][rows].astype(np.float32))
        seen += len(rows)
    assert seen == 1000
    channels = {tensor.name: tensor.channels for tensor in loader.tensors}
    assert channels["flat"] == ["x", "position[0]", "position[1]", "position[2]", "kind"]
    assert channels["hits"] == ["hit", "channel"]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32", "int64"])
def test_dtypes(events: Events, dtype: str) -> None:
    paths, written = events
    loader = sw.open(paths).loader({"a": ["kind", "x"]}, dtype=dtype, shuffle=False, batch_size=1000)
    (batch,) = loader
    assert batch["a"].dtype == np.dtype(dtype)
    expected = np.column_stack([written["kind"].astype(dtype), written["x"].astype(dtype)])
    assert np.array_equal(batch["a"], expected)


def test_bool_dtype(events: Events) -> None:
    (batch,) = sw.open(events[0]).loader(["flag"], dtype="bool", shuffle=False, batch_size=1000)
    assert batch["features"].dtype == np.bool_
    assert np.array_equal(batch["features"][:, 0], events[1]["flag"])


def test_integers_are_exact_above_2_to_24(events: Events) -> None:
    (batch,) = id_loader(events, shuffle=False, batch_size=1000)
    assert np.array_equal(batch["features"][:, 0], events[1]["id"])
    assert batch["features"].min() >= 2**40


@pytest.mark.parametrize(
    ("target", "dtype", "shape"),
    [("kind", "int64", ()), ("flag", "int64", ()), ("x", "float32", ()), (["kind", "flag"], "int64", (2,)),
     (["kind", "x"], "float32", (2,))],
)  # fmt: skip
def test_targets(events: Events, target: Any, dtype: str, shape: tuple[int, ...]) -> None:
    paths, written = events
    (batch,) = sw.open(paths).loader("y", target=target, shuffle=False, batch_size=1000)
    assert batch["target"].dtype == np.dtype(dtype)
    assert batch["target"].shape == (1000, *shape)
    names = [target] if isinstance(target, str) else target
    expected = np.column_stack([written[name].astype(dtype) for name in names])
    assert np.array_equal(batch["target"].reshape(1000, -1), expected)


def test_labels_as_target(jets: sw.Dataset) -> None:
    loader = jets.loader("jet_pt", target="sample_label", batch_size=100)
    labels = np.concatenate([batch["target"] for batch in loader])
    assert Counter(labels.tolist()) == {0: 4800, 1: 4800}


def test_sample_weights(events: Events) -> None:
    data = sw.open({"a": (events[0][0], 3.0), "b": (events[0][1:], 1.0)})
    loader = data.loader("x", target="sample_label", weights="sample_weight", batch_size=128)
    totals = np.zeros(2)
    for batch in loader:
        assert batch["weights"].dtype == np.float32
        np.add.at(totals, batch["target"], batch["weights"])
    assert totals.sum() == pytest.approx(1000)
    assert totals[0] / totals[1] == pytest.approx(3)


def test_padded_group_with_a_fixed_array(events: Events) -> None:
    with pytest.raises(sw.SchemaError, match="position"):
        list(sw.open(events[0]).loader(["hit", "position"], pad=4))


def test_padded_group_of_unequal_lengths(make_tree: MakeTree) -> None:
    columns = {name: ak.unflatten(np.arange(6.0), counts) for name, counts in (("a", [1, 2, 3]), ("b", [3, 2, 1]))}
    loader = sw.open(make_tree("unequal.root", columns)).loader(["a", "b"], pad=4)
    with pytest.raises(sw.SchemaError, match=r"a.*b|b.*a"):
        list(loader)
