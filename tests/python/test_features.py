"""Feature specifications: NumPy's values, bit for bit but for logarithms; from a loader and from memory; fitting."""

import json
import math
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pytest
import uproot
from conftest import Columns, MakeTree
from interrupts import interrupt

import sapwood as sw

Arrays = Mapping[str, Any]
ALL = 10**6  # rows of one batch that holds everything


# An independent preparation, in NumPy's float64.


def logarithm(values: np.ndarray) -> np.ndarray:
    """The C library's, which NumPy replaces by its own on some processors."""

    def one(x: float) -> float:
        return math.log(x) if x > 0 else -math.inf if x == 0 else math.nan

    return np.array([one(x) for x in values.tolist()])


def transformed(values: np.ndarray, steps: list[Any]) -> np.ndarray:
    x = values.astype(np.float64)
    for step in steps:
        name, options = (step, {}) if isinstance(step, str) else next(iter(step.items()))
        if name == "log":
            x = logarithm(x)
        elif name == "replace_nan":
            x = np.where(np.isnan(x), options, x)
        elif name == "affine":
            x = (x - options.get("subtract", 0.0)) * options.get("multiply", 1.0)
        elif name == "clip":
            x = np.clip(x, options.get("min"), options.get("max"))
        elif name == "standard":
            x = (x - options["mean"]) / (options["standard_deviation"] or 1.0)
        elif name == "min_max":
            low, high = options["min"], options["max"]
            x = x if low == high else (x - low) / (high - low)
        else:
            raise AssertionError(name)
    return x


def prepared(group: sw.FeatureGroup, values: Arrays) -> list[np.ndarray]:
    """The group's tensor and mask; `values` holds each expression, computed elsewhere."""
    if group.pad == 0:
        channels = []
        for variable in group.variables:
            column = np.asarray(values[variable.expression])
            for channel in column.reshape(len(column), -1).T:
                done = transformed(channel, variable.transforms) if variable.transforms else channel
                channels.append(done.astype(group.dtype))
        flat = np.stack(channels, 1)
        return [flat[:, 0] if group.squeeze and flat.shape[1] == 1 else flat]
    pad = int(group.pad)
    channels = []
    for variable in group.variables:
        jagged = values[variable.expression]
        flat = ak.to_numpy(ak.flatten(jagged))
        done = transformed(flat, variable.transforms) if variable.transforms else flat
        counts = ak.to_numpy(ak.num(jagged))
        places = np.arange(len(done)) - np.repeat(np.cumsum(counts) - counts, counts)
        out = np.full((len(jagged), pad), group.pad_value).astype(group.dtype)
        out[np.arange(pad) < counts[:, None]] = done.astype(group.dtype)[places < pad]
        channels.append(out)
    mask = (np.arange(pad) < counts[:, None])[:, None, :]
    if group.mask == "padding":
        mask = ~mask
    tensor = np.stack(channels, 1)
    if group.channels == "last":
        tensor, mask = tensor.swapaxes(1, 2), mask[:, 0, :]
    return [tensor] if group.mask == "none" else [tensor, mask]


def check(got: np.ndarray, wanted: np.ndarray) -> None:
    """Equal bit for bit, but for the bits of NaN."""
    assert got.dtype == wanted.dtype
    assert got.shape == wanted.shape
    nan = np.isnan(wanted)
    assert np.array_equal(np.isnan(got), nan)
    assert np.where(nan, 0, got).tobytes() == np.where(nan, 0, wanted).tobytes()


def check_close(got: np.ndarray, wanted: np.ndarray) -> None:
    """Equal but for the last bits: NumPy has another logarithm."""
    assert got.dtype == wanted.dtype
    assert got.shape == wanted.shape
    last_bits = 4 * np.finfo(wanted.dtype).eps if wanted.dtype.kind == "f" else 0
    np.testing.assert_allclose(got, wanted, rtol=last_bits, atol=last_bits)


def check_spec(data: sw.Dataset, spec: sw.FeatureSpec, values: Arrays, check: Callable[..., None] = check) -> None:
    """The loader's batches and `make_tensors` against the preparation above."""
    (batch,) = data.loader(spec, shuffle=False, batch_size=ALL)
    made = sw.make_tensors(spec, data.arrays(spec.columns(data)))
    assert list(made) == list(batch)
    for group in (*spec.inputs, *spec.labels, *spec.weights, *spec.observers):
        names = [group.name, f"{group.name}_mask"]
        for name, wanted in zip(names, prepared(group, values), strict=False):
            check(batch[name], wanted)
            assert made[name].tobytes() == batch[name].tobytes()
    shuffled = data.loader(spec, seed=1, batch_size=100, buffer_rows=500)
    for name, array in batch.items():
        rows = np.concatenate([b[name] for b in shuffled.numpy()])
        shuffled.epoch = 0
        assert sorted(row.tobytes() for row in rows) == sorted(row.tobytes() for row in array)


@pytest.fixture(scope="module")
def values(jets: sw.Dataset) -> dict[str, Any]:
    """The examples' columns and some formulas, by other means."""
    arrays: dict[str, Any] = {name: [] for name in [*jets.columns]}
    for file in jets.files:
        read = uproot.open(file.path)["tree"].arrays()
        for name in arrays:
            if name in read.fields:
                arrays[name].append(read[name])
    result = {name: ak.concatenate(parts) for name, parts in arrays.items() if parts}
    result["sample_label"] = np.repeat(np.arange(2, dtype=np.int32), len(jets) // 2)
    result["jet_sdmass / jet_pt"] = np.asarray(result["jet_sdmass"]) / np.asarray(result["jet_pt"])
    px, py = result["part_px"], result["part_py"]
    result["part_px * part_px + part_py * part_py"] = px * px + py * py
    result["part_px / jet_pt"] = px / result["jet_pt"]
    return result


STEPS: list[list[Any]] = [
    ["log"],
    [{"affine": {"subtract": 0.1, "multiply": 1 / 3}}],
    [{"affine": {"multiply": 1.1}}],
    [{"clip": {"min": -0.5, "max": 0.7}}],
    [{"clip": {"min": 0.25}}],
    [{"clip": {"max": 0.25}}],
    [{"standard": {"mean": 0.3, "standard_deviation": 1.7}}],
    [{"standard": {"mean": 0.3, "standard_deviation": 0}}],
    [{"min_max": {"min": -1.1, "max": 3.3}}],
    [{"min_max": {"min": 2.0, "max": 2.0}}],
    [{"replace_nan": -7.5}],
    [{"replace_nan": 2}, {"clip": {"min": 1e-3}}, "log", {"affine": {"subtract": 1.7}}, {"clip": {"max": 1}}],
]


@pytest.mark.parametrize("steps", STEPS, ids=str)
def test_transforms(jets: sw.Dataset, values: Arrays, steps: list[Any]) -> None:
    def with_steps(*expressions: str) -> list[str | sw.Variable]:
        return [expressions[0], *(sw.Variable(e, f"t_{e}", steps) for e in expressions)]

    spec = sw.FeatureSpec(
        [
            sw.FeatureGroup("jet", with_steps("jet_pt", "jet_eta", "label_QCD"), dtype="float64"),
            sw.FeatureGroup("part", with_steps("part_px", "part_charge", "part_isMuon"), pad=30),
        ]
    )
    check_spec(jets, spec, values, check_close if "log" in steps else check)


def test_transforms_to_integers(jets: sw.Dataset) -> None:
    steps = [{"affine": {"multiply": 2.5}}, {"clip": {"min": 0, "max": 1000}}]
    spec = sw.FeatureSpec([sw.FeatureGroup("n", sw.Variable("jet_nparticles", None, steps), dtype="int64")])
    (batch,) = jets.loader(spec, shuffle=False, batch_size=ALL)
    counts = jets.arrays("jet_nparticles", library="np")["jet_nparticles"].astype(np.float64)
    check(batch["n"], np.clip(counts * 2.5, 0, 1000).astype(np.int64)[:, None])


@pytest.mark.parametrize(
    ("channels", "mask", "pad"),
    [
        ("first", "values", 40),
        ("last", "values", 1),
        ("first", "padding", 200),
        ("last", "padding", 40),
        ("first", "none", 1),
        ("last", "none", 200),
    ],
)
def test_padding(jets: sw.Dataset, values: Arrays, channels: Any, mask: Any, pad: int) -> None:
    variables = ["part_px", sw.Variable("part_energy", "e", ["log"]), "part_isPhoton"]
    group = sw.FeatureGroup("p", variables, pad=pad, channels=channels, mask=mask, pad_value=-0.3)
    spec = sw.FeatureSpec([group], labels=[sw.FeatureGroup("y", "sample_label", dtype="int64", squeeze=True)])
    names = ["p", "y"] if mask == "none" else ["p", "p_mask", "y"]
    assert [tensor.name for tensor in jets.loader(spec).tensors] == names
    check_spec(jets, spec, values)


def test_pad_with_nan(jets: sw.Dataset) -> None:
    spec = sw.FeatureSpec([sw.FeatureGroup("p", "part_px", pad=200, pad_value=math.nan)])
    (batch,) = jets.loader(sw.FeatureSpec.from_json(spec.to_json()), shuffle=False, batch_size=ALL)
    assert np.array_equal(np.isnan(batch["p"]), ~batch["p_mask"])


def test_formulas(jets: sw.Dataset, values: Arrays) -> None:
    momentum = "part_px * part_px + part_py * part_py"
    spec = sw.FeatureSpec(
        inputs=[
            sw.FeatureGroup("jet", ["jet_sdmass / jet_pt", "jet_pt"], dtype="float64"),
            sw.FeatureGroup("part", [momentum, sw.Variable("part_px / jet_pt", "x"), "part_px"], pad=50),
        ],
        weights={"w": "jet_sdmass / jet_pt"},
        observers=[sw.FeatureGroup("seen", [sw.Variable(momentum, "logged", "log")], pad=3)],
    )
    assert sorted(spec.columns(jets)) == ["jet_pt", "jet_sdmass", "part_px", "part_py"]
    check_spec(jets, spec, values)
    tensors = {tensor.name: tensor for tensor in jets.loader(spec).tensors}
    assert tensors["part"].channels == [momentum, "x", "part_px"]
    roles = {name: tensor.role for name, tensor in tensors.items()}
    assert roles == {
        **dict.fromkeys(("jet", "part", "part_mask"), "input"),
        "w": "weight",
        **dict.fromkeys(("seen", "seen_mask"), "observer"),
    }


def test_formulas_in_the_short_form(jets: sw.Dataset, values: Arrays) -> None:
    loader = jets.loader(
        {"jet": [sw.Variable("jet_pt", "pt", ["log"]), "jet_sdmass / jet_pt"], "part": ["part_px / jet_pt"]},
        target="sample_label == 1",
        weights="1 + jet_eta * jet_eta",
        pad={"part": 20},
        shuffle=False,
        batch_size=ALL,
    )
    (batch,) = loader
    check(batch["target"], values["sample_label"].astype(np.int64))
    eta = np.asarray(values["jet_eta"])
    check(batch["weights"], (1 + eta * eta).astype(np.float32))
    check(batch["jet"][:, 0], logarithm(np.asarray(values["jet_pt"])).astype(np.float32))
    part = prepared(sw.FeatureGroup("part", "part_px / jet_pt", pad=20), values)
    check(batch["part"], part[0])


def test_nan_fixed_arrays_and_files_of_both_formats(make_tree: MakeTree) -> None:
    random = np.random.default_rng(3)
    counts = random.integers(0, 6, 300)
    lists = random.normal(size=counts.sum())
    lists[::7] = np.nan
    scalar = random.normal(size=300)
    scalar[::5] = np.nan
    written: Columns = {
        "x": scalar,
        "v": ak.unflatten(lists, counts),
        "a": random.normal(size=(300, 3)).astype(np.float32),
        "n": random.integers(-5, 5, 300).astype(np.int32),
    }
    steps = [{"replace_nan": -1.0}, {"standard": {"mean": 0.5, "standard_deviation": 3}}]
    clip = [{"clip": {"min": -0.5, "max": 0.5}}]
    spec = sw.FeatureSpec(
        [
            sw.FeatureGroup(
                "f", ["x", sw.Variable("x", "x2", steps), sw.Variable("a", None, clip), sw.Variable("n", "m", steps)]
            ),
            sw.FeatureGroup("l", [sw.Variable("v", None, steps), sw.Variable("v", "v2", clip)], pad=4),
        ]
    )
    path = make_tree("nan.root", written, clusters=3)
    data = sw.open(path)
    check_spec(data, spec, written)
    channels = data.loader(spec).tensors[0].channels
    assert channels == ["x", "x2", "a[0]", "a[1]", "a[2]", "m"]
    (whole,) = data.scan(["x"])
    assert (whole.values, whole.nans) == (np.isfinite(scalar).sum(), np.isnan(scalar).sum())
    assert (whole.min, whole.max) == (np.nanmin(scalar), np.nanmax(scalar))
    assert whole.mean == pytest.approx(np.nanmean(scalar), rel=1e-12)
    assert whole.standard_deviation == pytest.approx(np.nanstd(scalar), rel=1e-12)
    (fixed,) = data.scan("a")
    assert (fixed.values, fixed.max_multiplicity) == (900, 3)


# Scanning and fitting


def test_scan(jets: sw.Dataset, values: Arrays) -> None:
    expressions = ["jet_pt", "part_px", "part_isMuon", "part_px / jet_pt", "label_QCD"]
    for statistics in jets.scan(expressions):
        data = values[statistics.expression]
        numbers = np.asarray(ak.flatten(data, axis=None), dtype=np.float64)
        assert statistics.entries == len(jets)
        assert statistics.values == len(numbers)
        assert statistics.nans == 0
        assert (statistics.min, statistics.max) == (numbers.min(), numbers.max())
        assert statistics.mean == pytest.approx(numbers.mean(), rel=1e-11, abs=1e-12)
        assert statistics.standard_deviation == pytest.approx(numbers.std(), rel=1e-11)
        longest = ak.max(ak.num(data)) if data.ndim > 1 else 1
        assert statistics.max_multiplicity == longest
    assert jets.scan([]) == []
    assert "jet_pt: 9600 values" in repr(jets.scan("jet_pt")[0])


def unfitted() -> sw.FeatureSpec:
    return sw.FeatureSpec(
        inputs=[
            sw.FeatureGroup(
                "part",
                [
                    sw.Variable("part_px / jet_pt", "x", ["standard", {"clip": {"min": -3, "max": 3}}]),
                    sw.Variable("part_energy", "log_e", ["log", "min_max"]),
                    "part_charge",
                ],
                pad="fit",
                mask="padding",
            ),
            sw.FeatureGroup("jet", [sw.Variable("jet_pt", transforms="standard")]),
        ],
        labels={"target": "sample_label"},
    )


def test_fit(jets: sw.Dataset, values: Arrays) -> None:
    spec = unfitted()
    assert not spec.is_fitted
    assert spec.columns(jets) == ["part_px", "jet_pt", "part_energy", "part_charge", "sample_label"]
    fitted = jets.fit(spec)
    assert fitted.is_fitted
    assert not spec.is_fitted
    assert fitted.inputs[0].pad == ak.max(ak.num(values["part_px"]))
    pt = np.asarray(values["jet_pt"], dtype=np.float64)
    learnt = fitted.inputs[1].variables[0].transforms[0]["standard"]
    assert learnt["mean"] == pytest.approx(pt.mean(), rel=1e-12)
    assert learnt["standard_deviation"] == pytest.approx(pt.std(), rel=1e-12)
    energies = logarithm(np.asarray(ak.flatten(values["part_energy"]), dtype=np.float64))
    learnt = fitted.inputs[0].variables[1].transforms[1]["min_max"]
    assert learnt == {"min": energies.min(), "max": energies.max()}
    assert jets.fit(fitted) == fitted
    assert [v.name for v in fitted.inputs[0].variables] == ["x", "log_e", "part_charge"]
    check_spec(jets, fitted, values)


def test_same_bits_for_any_threads(jets: sw.Dataset) -> None:
    wanted = jets.fit(unfitted(), threads=1)
    for threads in (2, 4):
        assert jets.fit(unfitted(), threads=threads).to_json() == wanted.to_json()
    batches = [list(jets.loader(wanted, seed=5, threads=threads, buffer_rows=900)) for threads in (1, 2, 4)]
    for other in batches[1:]:
        for a, b in zip(batches[0], other, strict=True):
            assert all(np.array_equal(a[name], b[name]) for name in a)


def test_ctrl_c_ends_a_scan(examples: Path) -> None:
    interrupt("data = sw.open(sys.argv[1])", "data.scan(data.columns)", examples / "QCD_ttree.root")


# Events in memory


def test_events_in_memory(jets: sw.Dataset) -> None:
    spec = sw.FeatureSpec(
        [
            sw.FeatureGroup("part", ["part_px", sw.Variable("part_px * jet_pt", "y", ["log"])], pad=4),
            sw.FeatureGroup("jet", ["jet_pt", "position"]),
        ]
    )
    pt = np.array([2.0, 3.0], np.float32)
    px = [[1.0, 2.0, 3.0, 4.0, 5.0], []]
    position = np.arange(6, dtype=np.int32).reshape(2, 3)
    forms = [
        {"part_px": ak.Array(px), "jet_pt": pt, "position": position, "unused": ["a", "b"]},
        {"part_px": pa.array(px), "jet_pt": pa.chunked_array([pt[:1], pt[1:]]), "position": position},
        {"part_px": px, "jet_pt": ak.Array(pt), "position": ak.to_regular(ak.Array(position))},
    ]
    for columns in forms:
        made = sw.make_tensors(spec, columns)
        assert np.array_equal(made["jet"], [[2, 0, 1, 2], [3, 3, 4, 5]])
        assert np.array_equal(made["part"][0, 0], [1, 2, 3, 4])
        assert made["part"][0, 1].tolist() == logarithm(np.array([2.0, 4, 6, 8])).astype(np.float32).tolist()
        assert not made["part"][1].any()
        assert made["part_mask"].tolist() == [[[True] * 4], [[False] * 4]]
    with pytest.raises(sw.SchemaError, match="position"):
        sw.make_tensors(spec, {"part_px": px, "jet_pt": pt})
    with pytest.raises(sw.SchemaError, match="entries"):
        sw.make_tensors(spec, {"part_px": px, "jet_pt": pt[:1], "position": position})
    with pytest.raises(sw.ConfigError, match="fit"):
        sw.make_tensors(unfitted(), jets.arrays(unfitted().columns(jets)))


def test_columns_that_are_not_read_may_be_anything() -> None:
    spec = sw.FeatureSpec({"f": "x"})
    for junk in ([None, 1.0], np.ones(2, np.complex64), [1, "a"], ak.Array([1, [2]])):
        np.testing.assert_array_equal(sw.make_tensors(spec, {"x": np.arange(2.0), "junk": junk})["f"], [[0], [1]])
        with pytest.raises((sw.SchemaError, sw.UnsupportedError), match="'x'"):
            sw.make_tensors(spec, {"x": junk})


def test_lists_without_items() -> None:
    spec = sw.FeatureSpec([sw.FeatureGroup("f", "l", pad=2)])
    tensors = sw.make_tensors(spec, {"l": [[], []]})
    np.testing.assert_array_equal(tensors["f"], np.zeros((2, 1, 2)))
    assert not tensors["f_mask"].any()


# Files and errors


@pytest.mark.parametrize("name", ["features.json", "features.yaml", "features.yml"])
def test_files_keep_everything(tmp_path: Path, jets: sw.Dataset, name: str) -> None:
    for spec in (unfitted(), jets.fit(unfitted()), sw.FeatureSpec()):
        spec.save(tmp_path / name)
        read = sw.FeatureSpec.load(tmp_path / name)
        assert read == spec
        assert read.to_json() == spec.to_json()
        assert sw.FeatureSpec.from_dict(read.to_dict()) == spec
        again = sw.FeatureSpec(read.inputs, read.labels, read.weights, read.observers)
        assert again == spec
        assert pickle.loads(pickle.dumps(spec)) == spec  # noqa: S301


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: sw.FeatureSpec({"f": sw.Variable("x", transforms=["lg"])}), ["variables[0].transforms[0]", "log"]),
        (lambda: sw.FeatureSpec({"f": sw.Variable("x", transforms={"clip": {"mn": 1}})}), ['"mn"', "min"]),
        (lambda: sw.FeatureSpec({"f": sw.Variable("x", transforms={"clip": {"min": math.inf}})}), ["finite"]),
        (lambda: sw.FeatureSpec([sw.FeatureGroup("f", "x", pad="all")]), ["inputs[0].pad", "fit"]),  # type: ignore[arg-type]
        (lambda: sw.FeatureSpec([sw.FeatureGroup("f", "x", pad=-1)]), ["inputs[0].pad"]),
        (lambda: sw.FeatureSpec([], [sw.FeatureGroup("f", "x", dtype="half")]), ["labels[0].dtype", "half"]),
        (lambda: sw.FeatureSpec({"f": sw.Variable("x", transforms=[{"affine": {"multiply": {1}}}])}), ["numbers"]),
        (lambda: sw.FeatureSpec.from_json("{"), ["not JSON"]),
        (lambda: sw.FeatureSpec.from_dict({"version": 1}), ["sapwood-features"]),
        (lambda: sw.FeatureSpec().save("features.txt"), [".yaml"]),
    ],
)
def test_wrong_specifications(make: Callable[[], Any], words: list[str]) -> None:
    with pytest.raises(sw.ConfigError) as caught:
        make()
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_wrong_use(jets: sw.Dataset, tmp_path: Path) -> None:
    with pytest.raises(sw.ConfigError, match="fit"):
        jets.loader(unfitted())
    with pytest.raises(sw.ConfigError, match="leave them out"):
        jets.loader(jets.fit(unfitted()), target="sample_label")
    with pytest.raises(sw.SchemaError, match="jet_pt"):
        jets.loader(sw.FeatureSpec({"f": "jet_ptt"}))
    with pytest.raises(sw.SchemaError, match="jet_pt"):
        jets.scan("log(jet_ptt)")
    with pytest.raises(sw.SchemaError, match="formula is a list<float32>"):
        jets.loader("part_px * 2")
    with pytest.raises(sw.ConfigError, match="two transforms"):
        jets.fit(sw.FeatureSpec({"f": sw.Variable("jet_pt", transforms=["standard", "min_max"])}))
    with pytest.raises(sw.ConfigError, match="clip"):
        jets.fit(sw.FeatureSpec({"f": sw.Variable("part_isMuon", transforms=["log", "standard"])}))
    with pytest.raises(sw.ConfigError, match="read no column"):
        jets.scan("1 + 1")
    with pytest.raises(sw.ConfigError, match="threads"):
        jets.scan("jet_pt", threads=0)
    with pytest.raises(sw.IoError, match="missing"):
        sw.FeatureSpec.load(tmp_path / "missing.json")
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: [")
    with pytest.raises(sw.ConfigError, match="not YAML"):
        sw.FeatureSpec.load(bad)


def test_constant_columns_stay_without_spread(make_tree: MakeTree) -> None:
    tenth = np.full(3000, 0.1)
    path = make_tree("constant.root", {"x": tenth, "y": tenth.astype(np.float32)}, clusters=3)
    data = sw.open(path)
    spec = data.fit(sw.FeatureSpec([sw.FeatureGroup("f", [sw.Variable(n, transforms=["standard"]) for n in "xy"])]))
    (batch,) = data.loader(spec, batch_size=ALL).numpy()
    assert not batch["f"].any()
    logs = data.fit(sw.FeatureSpec([sw.FeatureGroup("f", sw.Variable("y", transforms=["log", "standard"]))]))
    assert not sw.make_tensors(logs, {"y": tenth.astype(np.float32)})["f"].any()


@pytest.mark.parametrize("infinite", [[math.inf], [-math.inf], [math.inf, -math.inf]])
def test_infinities_anywhere_give_the_same_statistics(make_tree: MakeTree, infinite: list[float]) -> None:
    for place in (0, -len(infinite)):
        x = np.ones(3000)
        x[place : place + len(infinite) or None] = infinite
        (found,) = sw.open(make_tree(f"infinite_{place}.root", {"x": x})).scan("x")
        assert (found.min, found.max) == (x.min(), x.max())
        np.testing.assert_equal(found.mean, x.mean() if len(infinite) == 1 else math.nan)
        assert math.isnan(found.standard_deviation)


def test_sizes_that_nothing_can_hold_are_refused(jets: sw.Dataset) -> None:
    group = sw.FeatureGroup("a", "part_px", pad=2**30, dtype="float64", mask="none")
    with pytest.raises(sw.ConfigError, match="a row of tensor 'a' takes more than"):
        jets.loader(sw.FeatureSpec([group]), batch_size=2**31, shuffle=False)
    many = sw.FeatureSpec([sw.FeatureGroup("a", sw.Variable("part_px", slots=2**31 - 1))])
    with pytest.raises(sw.ConfigError, match="more than 1048576 channels"):
        jets.loader(many)
    wide = sw.FeatureSpec([sw.FeatureGroup("a", "part_px", pad=2**20)])
    with pytest.raises(sw.ConfigError, match="don't fit in memory"):
        jets.loader(wide, batch_size=1000, memory="100 MB")


@pytest.mark.parametrize("drop", [False, True])
def test_batches_larger_than_the_data(jets: sw.Dataset, drop: bool) -> None:
    loader = jets.loader("jet_pt", batch_size=2**62, drop_remainder=drop)
    sizes = [len(batch["features"]) for batch in loader.numpy()]
    assert sizes == ([] if drop else [jets.num_entries])
    assert len(loader) == len(sizes)


def test_words_of_formulas_stand_alone(jets: sw.Dataset) -> None:
    (batch,) = jets.limit(2).loader(["jet_pt", "pi", "true", ".5", "TMath::Pi()"], shuffle=False).numpy()
    np.testing.assert_array_equal(batch["features"][:, 1:], np.float32([[math.pi, 1, 0.5, math.pi]] * 2))
    with pytest.raises(sw.SchemaError, match=r"no column 'sqrt'.*; the function"):
        jets.loader("sqrt")


def test_shows_itself(jets: sw.Dataset) -> None:
    assert repr(unfitted()) == "<FeatureSpec: inputs part [N, 3, fit], jet [N, 1]; labels target [N]; to be fitted>"
    fitted = jets.fit(unfitted())
    assert "to be fitted" not in repr(fitted)
    html = fitted._repr_html_()
    for word in ("part_px / jet_pt", "log_e", "standard", "mean"):
        assert word in html
    assert json.loads(fitted.to_json())["format"] == "sapwood-features"
