"""Columns that formulas define, rows that pass filters: as Awkward and NumPy compute them, in every way of reading."""

import math
import pickle
import re
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from conftest import Columns, MakeTree, numbered

import sapwood as sw

ENTRIES = 1000


@pytest.fixture(params=["TTree", "RNTuple"])
def numbers(request: pytest.FixtureRequest, make_tree: MakeTree, tmp_path: Path) -> tuple[sw.Dataset, Columns]:
    """Two files of 1,000 entries in all, and what is in them."""
    whole = numbered(ENTRIES)
    for name, start, stop in (("a", 0, 600), ("b", 600, ENTRIES)):
        part = {column: values[start:stop] for column, values in whole.items()}
        make_tree(f"{name}.root", part, clusters=5, format=request.param)
    return sw.open(tmp_path / "[ab].root"), whole


def ids(loader: sw.Loader) -> list[int]:
    return [int(i) for batch in loader for i in batch["id"][:, 0]]


def loader_of(data: sw.Dataset, **options: Any) -> sw.Loader:
    wanted = {"batch_size": 40, "seed": 5, "buffer_rows": 200, **options}
    return data.loader({"id": "id", "x": ["x", "x * y"]}, dtype={"id": "int64"}, **wanted)


def test_defined_columns_are_read_as_others(numbers: tuple[sw.Dataset, Columns]) -> None:
    data, whole = numbers
    more = data.define("z", "x + 2 * y").define(w="z - x", doubled="2 * hit").alias("number", "id")
    assert more.columns == [*data.columns, "z", "w", "doubled", "number"]
    read = more.arrays(["w", "number", "hit", "doubled", "z", "w"], library="ak")
    z = whole["x"] + 2 * whole["y"]
    assert read["z"].tolist() == z.tolist()
    assert read["w"].tolist() == (z - whole["x"]).tolist()
    assert read["doubled"].tolist() == (2 * whole["hit"]).tolist()
    assert read["number"].to_numpy().dtype == np.int64
    assert read["number"].tolist() == whole["id"].tolist()
    (info,) = [column for column in more.schema if column.name == "z"]
    assert (info.type, info.definition, info.stored_type) == ("float64", "x + 2 * y", "= x + 2 * y")
    assert data.columns == sw.open([file.path for file in data.files]).columns  # is as it was


def test_arrays_take_formulas(numbers: tuple[sw.Dataset, Columns]) -> None:
    data, whole = numbers
    read = data.arrays(["sum(hit)", "x"], 100, 700, library="np")
    assert read["x"].tolist() == whole["x"][100:700].tolist()
    np.testing.assert_array_equal(read["sum(hit)"], ak.sum(whole["hit"], axis=1).to_numpy()[100:700])


@pytest.mark.parametrize(
    ("conditions", "kept"),
    [
        (["flag"], lambda c: c["flag"]),
        (["kind == 3 && y > 100"], lambda c: (c["kind"] == 3) & (c["y"] > 100)),
        (["flag", "len(hit) > 2", "any(channel % 2 == 0)"], lambda c: c["flag"] & (ak.num(c["hit"]) > 2)
            & ak.any(c["channel"] % 2 == 0, axis=1)),
        (["id < 0"], lambda c: c["id"] < 0),
        (["id > 0"], lambda c: c["id"] > 0),
        (["id % 1000 == 776"], lambda c: c["id"] % 1000 == 776),
    ],
)  # fmt: skip
def test_rows_that_pass(numbers: tuple[sw.Dataset, Columns], conditions: list[str], kept: Any) -> None:
    data, whole = numbers
    for condition in conditions:
        data = data.filter(condition)
    mask = np.asarray(kept(whole))
    read = data.define("sums", "sum(hit) + x").arrays(library="ak")
    assert set(read.fields) >= {*whole, "sums"}
    for name, values in whole.items():
        assert read[name].tolist() == values[mask].tolist(), name
    sums = (ak.sum(whole["hit"], axis=1).to_numpy().astype(np.float32) + whole["x"])[mask]
    np.testing.assert_allclose(read["sums"].to_numpy(), sums, rtol=1e-6)
    assert len(data) == data.count() == mask.sum()
    assert data.num_entries == ENTRIES
    assert sorted(ids(loader_of(data, threads=3))) == whole["id"][mask].tolist()
    assert data.arrays(["id"], 590, 620, library="np")["id"].tolist() == whole["id"][590:620][mask[590:620]].tolist()


def test_cut_flow(numbers: tuple[sw.Dataset, Columns]) -> None:
    data, whole = numbers
    report = data.filter("flag").filter("kind > 1", "enough").filter("flag").report()
    flag, enough = whole["flag"], whole["kind"] > 1
    after = [flag.sum(), (flag & enough).sum(), (flag & enough).sum()]
    assert [(cut.name, cut.before, cut.after) for cut in report] == [
        ("flag", ENTRIES, after[0]),
        ("enough", after[0], after[1]),
        ("flag", after[1], after[1]),
    ]
    assert report.rows == after[-1]
    assert repr(report).splitlines()[2].split() == ["enough", "334", "200", "59.88", "%", "20.00", "%"]
    assert "enough" in report._repr_html_()
    assert data.report().rows == ENTRIES
    assert len(data.report()) == 0


def test_other_columns_are_read_only_around_rows_that_pass(make_tree: MakeTree) -> None:
    path = make_tree("broken.root", numbered(ENTRIES), clusters=10)
    with uproot.open(path) as file:
        place = file["tree"]["hit"].member("fBasketSeek")[7]
    data = bytearray(path.read_bytes())
    data[place + 100 : place + 140] = b"\xff" * 40
    path.write_bytes(data)
    broken = sw.open(path)
    with pytest.raises(sw.FormatError):
        broken.arrays("hit")
    before = broken.filter(f"id - {2**40} < 700")
    assert len(before.arrays("hit")["hit"]) == 700
    assert len(broken.filter(f"id - {2**40} >= 800").arrays("hit")["hit"]) == 200
    with pytest.raises(sw.FormatError, match="hit"):
        broken.filter(f"id - {2**40} >= 750").arrays("hit")


def test_loaders_of_filtered_rows(numbers: tuple[sw.Dataset, Columns]) -> None:
    data, whole = numbers
    filtered = data.define("odd", "kind % 2").filter("odd == 1 && !flag")
    mask = (whole["kind"] % 2 == 1) & ~whole["flag"]
    expected = whole["id"][mask].tolist()
    loader = loader_of(filtered)
    assert len(loader) == -(-len(expected) // 40)
    assert loader.explain().rows == len(expected)
    order = ids(loader)
    assert sorted(order) == expected
    assert order == ids(loader_of(filtered, threads=1)) == ids(loader_of(filtered, threads=4))
    train, val = loader_of(filtered).split(val=0.25)
    assert sorted(ids(train) + ids(val)) == expected
    parts = [ids(loader_of(filtered, rank=rank, world_size=3)) for rank in range(3)]
    assert sorted(i for part in parts for i in part) == expected
    assert {len(part) // 40 for part in parts} == {len(parts[0]) // 40}
    stopped = loader_of(filtered)
    iterator = iter(stopped)
    begun = [int(i) for _ in range(3) for i in next(iterator)["id"][:, 0]]
    going_on = loader_of(filtered)
    going_on.load_state_dict(stopped.state_dict())
    assert begun + ids(going_on) == order
    with pytest.raises(sw.ConfigError, match="other data"):
        loader_of(data).load_state_dict(stopped.state_dict())


def test_loaders_read_other_columns_only_where_rows_pass(make_tree: MakeTree, tmp_path: Path) -> None:
    for name, start in (("a", 0), ("b", 200), ("c", 400)):
        make_tree(f"{name}.root", numbered(200, start), clusters=2)
    with uproot.open(tmp_path / "b.root") as file:
        place = file["tree"]["x"].member("fBasketSeek")[1]
    data = bytearray((tmp_path / "b.root").read_bytes())
    data[place + 100 : place + 140] = b"\xff" * 40
    (tmp_path / "b.root").write_bytes(data)
    broken = sw.open(tmp_path / "[abc].root").alias("number", "id")
    with pytest.raises(sw.FormatError, match=r"b\.root"):
        ids(loader_of(broken))
    outside = broken.filter(f"number < {2**40 + 100} || number >= {2**40 + 450}")
    loader = loader_of(outside)
    expected = [*range(100), *range(450, 600)]
    assert sorted(ids(loader)) == [2**40 + i for i in expected]
    stats = loader.stats()
    assert stats is not None
    assert 0 < stats.stored_bytes < loader.explain().stored_bytes
    with pytest.warns(RuntimeWarning, match="skipped"):
        skipping = ids(loader_of(broken.filter("id % 2 == 0"), on_error="skip"))
    assert sorted(skipping) == [2**40 + i for i in [*range(0, 300, 2), *range(400, 600, 2)]]


def test_balance_counts_rows_that_pass(make_tree: MakeTree) -> None:
    paths = {name: make_tree(f"{name}.root", numbered(300, start)) for name, start in (("p", 0), ("q", 300))}
    data = sw.open(paths).filter("kind < 2 || sample_label == 0")
    balanced = loader_of(data).balance(fractions={"p": 0.5, "q": 0.5})
    rows = ids(balanced)
    assert len(rows) == 2 * 120
    assert sum(row < 2**40 + 300 for row in rows) == 120


def test_rows_that_pass_stay_in_memory(numbers: tuple[sw.Dataset, Columns]) -> None:
    data, whole = numbers
    loader = loader_of(data.filter("flag"), memory="100 MB")
    expected = whole["id"][whole["flag"]].tolist()
    assert sorted(ids(loader)) == expected
    assert sorted(ids(loader)) == expected
    stats = loader.stats()
    assert stats is not None
    assert stats.stored_bytes == 0


def test_targets_and_splits_by_defined_columns(numbers: tuple[sw.Dataset, Columns]) -> None:
    data, whole = numbers
    more = data.define("late", "id > 1099511627876").define("fold", "kind % 4")
    loader = more.loader({"id": "id"}, "late", dtype={"id": "int64"}, batch_size=100, seed=1)
    for batch in loader:
        assert batch["target"].dtype == np.int64
        np.testing.assert_array_equal(batch["target"], batch["id"][:, 0] > 2**40 + 100)
    _, chosen = loader.split(chosen="fold == 2")
    assert sorted(ids(chosen)) == whole["id"][whole["kind"] % 4 == 2].tolist()


def test_statistics_are_of_rows_that_pass(numbers: tuple[sw.Dataset, Columns]) -> None:
    data, whole = numbers
    mask = whole["kind"] == 2
    y, hits = data.filter("kind == 2").define("y2", "y * y").scan(["y2", "hit"])
    assert (y.entries, y.values) == (mask.sum(), mask.sum())
    np.testing.assert_allclose([y.min, y.max, y.mean], [f((whole["y"] ** 2)[mask]) for f in (np.min, np.max, np.mean)])
    assert hits.values == ak.count(whole["hit"][mask])
    assert hits.max_multiplicity == ak.max(ak.num(whole["hit"][mask]))


def test_pieces_are_the_whole(numbers: tuple[sw.Dataset, Columns]) -> None:
    data, whole = numbers
    filtered = data.define("twice", "2 * hit").filter("flag")
    pieces = list(filtered.iterate(["id", "twice"], step="1 kB", library="ak"))
    assert len(pieces) == 2  # a unit each, of which each file has one
    assert ak.concatenate(pieces)["twice"].tolist() == (2 * whole["hit"][whole["flag"]]).tolist()
    assert len(list(filtered.iterate(step="10 MB"))) == 1


def test_select(numbers: tuple[sw.Dataset, Columns]) -> None:
    data, _ = numbers
    few = data.select(["x", "hit"])
    assert few.columns == ["x", "hit"]
    assert list(few.filter("y > 30").arrays()) == ["x", "hit"]
    assert few.define("z", "y + 1").columns == ["x", "hit", "z"]
    with pytest.raises(sw.SchemaError, match="nearest: hit"):
        data.select("hits")


def test_describe(numbers: tuple[sw.Dataset, Columns]) -> None:
    data, whole = numbers
    described = data.define("z", "x * 2").filter("flag").describe()
    assert [s.expression for s in described] == [*data.columns, "z"]
    assert described[-1].max == (2 * whole["x"][whole["flag"]]).max()
    line = repr(data.describe(["y", "hit"])).splitlines()[1].split()
    assert line == ["y", "1,000", "0", "0", "749.2", "1498", "433", "1"]
    assert "749.2" in data.describe("y")._repr_html_()


def test_concat(numbers: tuple[sw.Dataset, Columns]) -> None:
    data, whole = numbers
    paths = [file.path for file in data.files]
    first, second = (sw.open(path).limit(100).define("z", "x + 1").filter("flag") for path in paths)
    both = first.concat(second)
    expected = [*whole["id"][:100][whole["flag"][:100]], *whole["id"][600:700][whole["flag"][600:700]]]
    assert both.arrays("id", library="np")["id"].tolist() == expected
    assert first.concat().arrays("z").keys() == {"z"}
    labelled = sw.open({"p": paths[0]}).concat(sw.open({"q": paths[1]}), sw.open({"p": paths[1]}))
    assert labelled.labels == ["p", "q"]
    assert [file.sample for file in labelled.files] == [0, 0, 1]
    assert labelled.num_entries == ENTRIES + 400
    for other in (
        sw.open(paths[1]),
        second.filter("x > 1"),
        sw.open({"q": paths[1]}).define("z", "x + 1").filter("flag"),
    ):
        with pytest.raises(sw.ConfigError):
            first.concat(other)


def test_limits_come_before_filters(numbers: tuple[sw.Dataset, Columns]) -> None:
    data, whole = numbers
    limited = data.define("z", "x + 1").limit(300).filter("flag")
    assert limited.arrays("z", library="np")["z"].tolist() == (whole["x"] + 1)[:300][whole["flag"][:300]].tolist()
    with pytest.raises(sw.ConfigError, match="before filters"):
        data.filter("flag").limit(10)


def test_pickled(numbers: tuple[sw.Dataset, Columns]) -> None:
    data, _ = numbers
    filtered = data.limit(800).define("z", "y - x").filter("z > 3", "cut").select(["id", "z"])
    again = pickle.loads(pickle.dumps(filtered))  # noqa: S301
    assert again.columns == ["id", "z"]
    assert [(f.name, f.condition) for f in again.filters] == [("cut", "z > 3")]
    assert again.arrays(library="pd").equals(filtered.arrays(library="pd"))
    assert repr(again) == repr(filtered)
    assert "1 filter" in repr(again)


@pytest.mark.parametrize(
    ("attempt", "error", "message"),
    [
        (lambda d: d.filter("flagg"), sw.SchemaError, r"no column 'flagg' \(nearest: flag.*\n  flagg\n  \^"),
        (lambda d: d.filter("x"), sw.SchemaError, "the filter is float32, must be bool"),
        (lambda d: d.filter("hit > 3"), sw.SchemaError, r"list<bool>.*: any\(\) or all\(\).*\n  hit > 3\n      \^"),
        (lambda d: d.filter("hit + x > y / 0"), sw.ConfigError, r"division by zero.*\n  hit \+ x > y / 0\n +\^"),
        (lambda d: d.filter("1 < 2"), sw.ConfigError, "reads no column"),
        (lambda d: d.filter("(x > 1"), sw.ConfigError, r"expected '\)'"),
        (lambda d: d.define("x", "y"), sw.ConfigError, "there is a column 'x' already"),
        (lambda d: d.define("1st", "y"), sw.ConfigError, "'1st' can't be the name of a column"),
        (lambda d: d.define("true", "y"), sw.ConfigError, "'true' can't be the name"),
        (lambda d: d.define("z", "y +"), sw.ConfigError, "expected a value"),
        (lambda d: d.define("z", "z + y"), sw.SchemaError, "no column 'z'"),
        (lambda d: d.define("z"), sw.ConfigError, "a name and a formula"),
        (lambda d: d.alias("z", "nothing"), sw.SchemaError, "no column 'nothing'"),
        (lambda d: d.select([]), sw.ConfigError, "no columns are left"),
        (lambda d: d.define("z", "1 + 1").arrays("z"), sw.ConfigError, "read no column"),
        (lambda d: d.arrays("hits"), sw.SchemaError, "nearest: hit"),
        (
            lambda d: d.filter("flag").define("both", "hit + position").arrays("both"),
            sw.SchemaError,
            r"in entry 0 of the range, lists of 0 and of 3 items.*\n  hit \+ position\n      \^",
        ),
    ],
)
def test_errors_point_at_the_place(
    numbers: tuple[sw.Dataset, Columns], attempt: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.compile(message, re.DOTALL)):
        attempt(numbers[0])


def test_errors_name_the_entry_among_those_that_do_not_pass(make_tree: MakeTree) -> None:
    counts = np.full(50, 2)
    other = counts.copy()
    other[[20, 37]] = 3
    path = make_tree(
        "uneven.root",
        {
            "n": np.arange(50),
            "a": ak.unflatten(np.arange(counts.sum()), counts),
            "b": ak.unflatten(np.arange(other.sum()), other),
        },
    )
    data = sw.open(path).define("both", "a + b")
    with pytest.raises(sw.SchemaError, match="in entry 20 of the range"):
        data.arrays("both")
    with pytest.raises(sw.SchemaError, match=r"in entry 36 of the range(.|\n)*entries 1\.\.50"):
        data.filter("n % 20 != 0").arrays("both")
    assert len(data.filter("n != 20 && n != 37").arrays("both")["both"]) == 48


def test_chains_of_definitions(numbers: tuple[sw.Dataset, Columns]) -> None:
    data, whole = numbers
    for i in range(200):
        previous = f"v{i - 1}" if i else "y"
        data = data.define(f"v{i}", f"({previous} + {previous}) / 2")  # written out, 2^200 terms
    assert data.arrays("v199", library="np")["v199"].tolist() == whole["y"].tolist()
    with pytest.raises(sw.ConfigError, match="more than 200 definitions on top of each other"):
        data.define("v200", "v199 + 1").define("v201", "v200 + 1")


def test_specifications_hold_the_definitions_that_they_use(numbers: tuple[sw.Dataset, Columns], tmp_path: Path) -> None:
    data, whole = numbers
    more = data.define("z", "x + 2 * y").define("w", "z / 3").define("unused", "y")
    spec = sw.FeatureSpec({"f": [sw.Variable("w", transforms=["standard"]), "kind"]})
    fitted = more.fit(spec)
    assert fitted.definitions == {"z": "x + 2 * y", "w": "z / 3"}
    assert fitted.columns(data) == ["x", "y", "kind"]
    again = sw.FeatureSpec.from_json(fitted.to_json())
    assert again == fitted
    assert pickle.loads(pickle.dumps(fitted)) == fitted  # noqa: S301
    fitted.save(tmp_path / "features.yaml")
    assert sw.FeatureSpec.load(tmp_path / "features.yaml") == fitted
    w = (whole["x"] + 2 * whole["y"]) / 3
    tensors = sw.make_tensors(fitted, data.arrays(["x", "y", "kind"]))
    np.testing.assert_allclose(tensors["f"][:, 0], (w - w.mean()) / w.std(), rtol=1e-5, atol=1e-6)
    own = sw.FeatureSpec({"f": "w"}, definitions={"w": "z - 1", "z": "y * 2"})  # in any order
    loader = data.loader(own, batch_size=ENTRIES, shuffle=False)
    np.testing.assert_allclose(next(iter(loader))["f"][:, 0], whole["y"] * 2 - 1)
    assert loader.features.definitions == {"z": "y * 2", "w": "z - 1"}
    with pytest.raises(sw.ConfigError, match="column 'a' is defined by itself"):
        data.loader(sw.FeatureSpec({"f": "a"}, definitions={"a": "b + 1", "b": "a"}))
    with pytest.raises(sw.ConfigError, match="there is a column 'x' already"):
        data.loader(sw.FeatureSpec({"f": "x"}, definitions={"x": "y"}))


def test_states_are_of_the_same_definitions(numbers: tuple[sw.Dataset, Columns]) -> None:
    data, _ = numbers

    def state_of(feature: str, cut: str) -> dict[str, Any]:
        loader = data.define("z", feature).define("c", cut).filter("c > 10").loader("z", seed=1, batch_size=50)
        iterator = iter(loader)
        next(iterator)
        return loader.state_dict()

    loader = data.define("z", "x").define("c", "y").filter("c > 10").loader("z", seed=1, batch_size=50)
    loader.load_state_dict(state_of("x", "y"))
    with pytest.raises(sw.ConfigError, match="features"):
        loader.load_state_dict(state_of("x + 1", "y"))
    with pytest.raises(sw.ConfigError, match="data"):
        loader.load_state_dict(state_of("x", "y + 1"))


def test_histograms(numbers: tuple[sw.Dataset, Columns]) -> None:
    pytest.importorskip("hist")
    data, whole = numbers
    flat = data.hist("y", bins=20, range=(0, 1000))
    np.testing.assert_array_equal(flat.values(), np.histogram(whole["y"], 20, (0, 1000))[0])
    assert flat.sum(flow=True) == ENTRIES
    items = ak.flatten(whole["hit"]).to_numpy()
    weights = np.repeat(whole["weight"], ak.num(whole["hit"]).to_numpy())
    edges = np.array([0, 10, 100, 1e4])
    jagged = data.hist("hit", bins=edges, weight="weight")
    np.testing.assert_allclose(jagged.values(), np.histogram(items, edges, weights=weights)[0])
    np.testing.assert_allclose(jagged.variances(), np.histogram(items, edges, weights=weights**2)[0])
    two = data.filter("flag").hist("hit", "x", bins=[5, 4], range=[(0, 2500), (0, 32)])
    flag = whole["flag"]
    counts = ak.num(whole["hit"]).to_numpy()
    x = np.repeat(whole["x"][flag], counts[flag])
    expected = np.histogram2d(ak.flatten(whole["hit"][flag]), x, [5, 4], [(0, 2500), (0, 32)])[0]
    np.testing.assert_array_equal(two.values(), expected)
    found = data.hist("x * 2")
    assert found.axes[0].edges[0] == 0
    assert found.values().sum() == ENTRIES  # the largest value too
    position = data.hist("position", bins=10, range=(0, 1001))
    np.testing.assert_array_equal(position.values(), np.histogram(whole["position"], 10, (0, 1001))[0])
    with pytest.raises(sw.SchemaError, match="differ in their sizes"):
        data.hist("hit", "position", bins=[2, 2], range=[(0, 1), (0, 1)])
    with pytest.raises(sw.ConfigError, match="bins has 3 items for 1"):
        data.hist("y", bins=[1, 2, 3])


def test_parquet(numbers: tuple[sw.Dataset, Columns], tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    data, whole = numbers
    filtered = data.filter("flag").define("z", "x + sum(hit)")
    path = tmp_path / "rows.parquet"
    assert filtered.to_parquet(path, step="1 kB") == whole["flag"].sum()
    table = parquet.read_table(path)
    assert table.column_names == filtered.columns
    for name, values in filtered.arrays().items():
        assert table[name].to_pylist() == values.to_pylist(), name
    assert [p.name for p in tmp_path.iterdir() if "parquet" in p.name] == ["rows.parquet"]
    with pytest.raises(sw.IoError, match="can't write"):
        data.to_parquet(tmp_path / "no folder" / "rows.parquet")
    with pytest.raises(sw.SchemaError):
        filtered.to_parquet(path, "nothing")
    assert parquet.read_table(path).num_rows == whole["flag"].sum()


def test_root_files(numbers: tuple[sw.Dataset, Columns], tmp_path: Path) -> None:
    data, _ = numbers
    filtered = data.filter("len(hit) > 1").define("z", "x + sum(hit)").alias("hits", "hit")
    path = tmp_path / "skim.root"
    wanted = ["id", "z", "hits", "flag"]
    assert filtered.to_root(path, "skim", wanted, step="1 kB") == len(filtered)
    again = sw.open(path, "skim").arrays(wanted, library="ak")
    expected = filtered.arrays(wanted, library="ak")
    for name in wanted:
        assert again[name].tolist() == expected[name].tolist()


def test_files_without_entries(make_tree: MakeTree) -> None:
    data = sw.open(make_tree("none.root", numbered(0)))
    filtered = data.define("z", "x + sum(hit)").filter("z > 3")
    assert len(filtered) == 0
    assert len(filtered.arrays("z")["z"]) == 0
    assert filtered.report()[0].after == 0
    assert list(loader_of(filtered)) == []


def test_a_sample_has_the_same_rows_wherever_it_is_read():
    data = sw.open("examples/data/QCD_*.root")
    entries = np.arange(data.num_entries)
    np.testing.assert_array_equal(data.arrays("entry_", library="np")["entry_"], entries)
    some = data.sample(0.25, seed=5)
    drawn = some.arrays("entry_", library="np")["entry_"]
    assert abs(len(drawn) / len(entries) - 0.25) < 4 * np.sqrt(0.25 * 0.75 / len(entries))
    assert len(some) == len(drawn)
    np.testing.assert_array_equal(some.arrays("entry_", threads=1, library="np")["entry_"], drawn)
    loaded = np.concatenate([batch["features"][:, 0] for batch in some.loader("entry_", dtype="int64").numpy()])
    np.testing.assert_array_equal(np.sort(loaded), drawn)
    again = pickle.loads(pickle.dumps(some))  # noqa: S301
    np.testing.assert_array_equal(again.arrays("entry_", library="np")["entry_"], drawn)
    heavy = data.filter("jet_sdmass > 100").sample(0.25, seed=5).arrays("entry_", library="np")["entry_"]
    assert set(heavy) <= set(drawn)
    assert set(data.sample(0.25, seed=6).arrays("entry_", library="np")["entry_"]) != set(drawn)
    assert len(data.sample(0)) == 0
    assert len(data.sample(1)) == len(entries)
    assert "sample" in str(some.report())
    for fraction in (-0.1, 1.1, math.nan):
        with pytest.raises(sw.ConfigError, match="fraction"):
            data.sample(fraction)


def test_numbers_drawn_in_formulas_are_even():
    values = sw.open("examples/data/QCD_*.root").arrays("uniform(entry_, 3)", library="np")["uniform(entry_, 3)"]
    assert values.dtype == np.float64
    assert 0 <= values.min() < 0.01
    assert 0.99 < values.max() < 1
    counts, _ = np.histogram(values, 16, (0, 1))
    assert np.abs(counts - len(values) / 16).max() < 5 * np.sqrt(len(values) / 16)
    with pytest.raises(sw.ConfigError, match=r"uniform.* takes int64, not float32"):
        sw.open("examples/data/QCD_*.root").arrays("uniform(jet_pt, 3)")
