"""Tensors of float16 and bfloat16: values rounded once, as NumPy, ml_dtypes and PyTorch hold them."""

import sys
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from conftest import Columns, MakeTree

import sapwood as sw

Events = tuple[list[Path], Columns]


def bfloat16() -> Any:
    return pytest.importorskip("ml_dtypes").bfloat16


def nearest_bfloat16(values: Any) -> np.ndarray:
    """The bits of the nearest bfloat16 of float64 values, found by search among all of them."""
    positive = np.arange(0x7F81, dtype=np.uint32)  # up to infinity
    numbers = (positive << 16).view(np.float32).astype(np.float64)
    numbers[-1] = 2.0**128  # where infinity would be, were it a number
    x = np.asarray(values, np.float64)
    size = np.minimum(np.abs(x), 2.0**128)
    high = np.clip(np.searchsorted(numbers, size), 1, len(numbers) - 1)
    below, above = size - numbers[high - 1], numbers[high] - size
    bits = np.where((below < above) | ((below == above) & (high % 2 == 1)), high - 1, high)
    return (bits | np.where(np.signbit(x), 0x8000, 0)).astype(np.uint16)


# Numbers of all sizes, and the middles between those of 16 bits, or next to them.
def numbers_to_round() -> np.ndarray:
    random = np.random.default_rng(4)
    spread = np.ldexp(random.uniform(1, 2, 4000), random.integers(-140, 130, 4000))
    middles = np.ldexp(random.integers(1 << 7, 1 << 8, 1000) + 0.5, random.integers(-140, 120, 1000))
    near = [middles, np.nextafter(middles, 0), np.nextafter(middles, np.inf)]
    small = np.ldexp(random.integers(1 << 10, 1 << 11, 1000) + 0.5, random.integers(-36, 6, 1000))
    both = np.concatenate([spread, *near, small, np.nextafter(small, np.inf), [0.0, np.inf, 65519.9, 65520.0]])
    return np.concatenate([both, -both])


@pytest.mark.parametrize("transformed", [False, True])
@pytest.mark.parametrize("stored", ["float32", "float64"])
def test_values_are_rounded_once(make_tree: MakeTree, stored: str, transformed: bool) -> None:
    with np.errstate(over="ignore"):
        values = numbers_to_round().astype(stored)
    data = sw.open(make_tree("numbers.root", {"x": values}))
    variable = sw.Variable("x", transforms={"affine": {"multiply": 0.75}} if transformed else ())
    wanted = values.astype(np.float64) * 0.75 if transformed else values
    loader = data.loader(
        {"half": variable, "brain": variable},
        dtype={"half": "float16", "brain": "bfloat16"},
        shuffle=False,
        batch_size=len(values),
    )
    assert [tensor.dtype for tensor in loader.tensors] == ["float16", "bfloat16"]
    ((half, brain),) = [batch.values() for batch in loader.torch()]
    with np.errstate(over="ignore"):
        assert half.numpy().tobytes() == wanted.astype(np.float16).tobytes()
    assert brain.view(pytest.importorskip("torch").int16).numpy().tobytes() == nearest_bfloat16(wanted).tobytes()


def test_arrays_of_numpy(events: Events) -> None:
    paths, written = events
    loader = sw.open(paths).loader(
        {"half": ["x", "kind"], "brain": ["x", "y"]},
        dtype={"half": "float16", "brain": "bfloat16"},
        shuffle=False,
        batch_size=1000,
    )
    (batch,) = loader
    assert batch["half"].dtype == np.float16
    assert batch["brain"].dtype == bfloat16()
    assert np.array_equal(batch["half"], np.column_stack([written["x"], written["kind"]]).astype(np.float16))
    assert np.array_equal(batch["brain"], np.column_stack([written["x"], written["y"]]).astype(bfloat16()))


def test_padded_and_shuffled(events: Events) -> None:
    paths, written = events
    features = {"id": "id", "hits": ["hit", "channel"]}
    options: dict[str, Any] = {"pad": {"hits": 4}, "pad_value": 1e-3, "batch_size": 77, "buffer_rows": 300, "seed": 1}
    loader = sw.open(paths).loader(features, dtype={"id": "int64", "hits": "bfloat16"}, **options)
    lists = [ak.to_numpy(ak.fill_none(ak.pad_none(written[name], 4, clip=True), 1e-3)) for name in ("hit", "channel")]
    expected = np.stack(lists, 1).astype(bfloat16())
    for batch in loader:
        assert batch["hits"].dtype == bfloat16()
        assert batch["hits_mask"].dtype == np.bool_
        assert np.array_equal(batch["hits"], expected[batch["id"][:, 0] - 2**40])


def test_types_of_torch(events: Events) -> None:
    torch = pytest.importorskip("torch")
    loader = sw.open(events[0]).loader({"a": "x", "b": "x"}, dtype={"a": "float16", "b": "bfloat16"}, shuffle=False)
    (batch,) = loader.torch()
    assert (batch["a"].dtype, batch["b"].dtype) == (torch.float16, torch.bfloat16)
    assert torch.equal(batch["b"], torch.from_numpy(events[1]["x"]).to(torch.bfloat16)[:, None])


def test_events_in_memory_are_those_of_files(events: Events) -> None:
    paths, written = events
    spec = sw.FeatureSpec(
        inputs=[
            sw.FeatureGroup("a", ["x", sw.Variable("log(y + 1)", "ly")], dtype="bfloat16"),
            sw.FeatureGroup("b", ["hit"], pad=3, dtype="float16"),
        ]
    )
    assert sw.FeatureSpec.from_json(spec.to_json()) == spec
    assert [group.dtype for group in spec.inputs] == ["bfloat16", "float16"]
    (batch,) = sw.open(paths).loader(spec, shuffle=False, batch_size=1000)
    tensors = sw.make_tensors(spec, {name: written[name] for name in ("x", "y", "hit")})
    assert list(tensors) == list(batch)
    for name, tensor in tensors.items():
        assert tensor.dtype == batch[name].dtype
        assert tensor.tobytes() == batch[name].tobytes()


def test_bfloat16_without_its_package(events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    loader = sw.open(events[0]).loader("x", dtype="bfloat16")
    with pytest.raises(sw.ConfigError, match=r"pip install ml_dtypes; torch\(\) works without it"):
        next(iter(loader))
    spec = sw.FeatureSpec(inputs=[sw.FeatureGroup("x", "x", dtype="bfloat16")])
    with pytest.raises(sw.ConfigError, match="ml_dtypes"):
        sw.make_tensors(spec, {"x": [1.0]})
    pytest.importorskip("torch")
    assert sum(len(batch["features"]) for batch in loader.torch()) == 1000


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_bundles_refuse_them(events: Events, tmp_path: Path, dtype: str) -> None:
    spec = sw.FeatureSpec(inputs=[sw.FeatureGroup("x", "x", dtype=dtype)])
    with pytest.raises(sw.UnsupportedError, match=f"group 'x' is of {dtype}, which bundles do not carry"):
        sw.bundle.export(b"", tmp_path / "b.tar", features=spec, sample=sw.open(events[0]))
