"""Functions of Python in formulas: as NumPy and Awkward apply them outside, wherever formulas stand."""

import gc
import os
import pickle
import subprocess
import sys
import threading
import weakref
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from conftest import Columns, numbered

import sapwood as sw

Events = tuple[list[Path], Columns]

TIME_LIMIT = 60


def resolution(x: Any, y: Any) -> Any:
    return np.sqrt(x.astype(np.float64) + 1) * 0.1 + 0.01 * y


def sorted_down(lists: Any) -> Any:
    return ak.sort(lists, axis=1, ascending=False)


def data_of(events: Events) -> tuple[sw.Dataset, Columns]:
    return sw.open(events[0]), events[1]


def test_values_of_numbers_and_lists(events: Events) -> None:
    data, whole = data_of(events)
    kinds = []

    def noted(x: Any, y: Any) -> Any:
        kinds.append((type(x), str(x.dtype), str(y.dtype), x.flags.writeable, x.shape == y.shape))
        return resolution(x, y)

    more = data.with_function(noted, "resolution").define(res="resolution(x, kind)", of_hits="resolution(hit, kind)")
    read = more.arrays(["res", "of_hits", "resolution(position, 2)"], library="ak")
    np.testing.assert_array_equal(read["res"].to_numpy(), resolution(whole["x"], whole["kind"]))
    counts = ak.num(whole["hit"])
    of_hits = resolution(ak.flatten(whole["hit"]).to_numpy(), np.repeat(whole["kind"], counts))
    assert read["of_hits"].tolist() == ak.unflatten(of_hits, counts).tolist()
    np.testing.assert_array_equal(read["resolution(position, 2)"].to_numpy(), resolution(whole["position"], 2))
    assert set(kinds) == {(np.ndarray, "float32", "int64", False, True)}
    assert [column.type for column in more.schema[-2:]] == ["float64", "list<float64>"]
    with pytest.raises(sw.SchemaError, match="no function 'resolution'"):
        data.define("res", "resolution(x, y)")


def test_types_of_results(events: Events) -> None:
    data, whole = data_of(events)
    data = (
        data.with_function(lambda x: x > 10, "is_large", returns="bool")
        .with_function(np.rint, "rint_", returns="float32")
        .with_function(lambda i: (i % 7).astype(np.uint8), "small", returns="int64")
        .with_function(lambda x: x[::-1][::-1], "same", returns="float32")
        .with_function(lambda x: x, "itself")
    )
    read = data.arrays(["is_large(x)", "rint_(y)", "small(id)", "same(x)", "itself(flag)"], library="np")
    assert read["is_large(x)"].tolist() == (whole["x"] > 10).tolist()
    assert read["rint_(y)"].dtype == np.float32
    assert read["rint_(y)"].tolist() == np.rint(whole["y"]).tolist()
    assert read["small(id)"].dtype == np.int64
    assert read["small(id)"].tolist() == (whole["id"] % 7).tolist()
    assert read["same(x)"].tolist() == whole["x"].tolist()
    assert read["itself(flag)"].tolist() == whole["flag"].astype(float).tolist()


def test_functions_of_entries(events: Events) -> None:
    data, whole = data_of(events)
    data = (
        data.define(pairs="combinations(hit, 2, 0) > 0")
        .with_function(lambda hits, y: ak.sum(hits, axis=1) / (y + 1), "share", elementwise=False)
        .with_function(sorted_down, returns="list<float32>", elementwise=False)
        .with_function(sorted_down, "wide", returns="list<float64>", elementwise=False)
        .with_function(lambda x: [list(range(int(v) % 4)) for v in x], "ranges",
                       returns="list<int64>", elementwise=False)
        .with_function(lambda p: p[:, :2] * 2, "halves", returns="float32[2]", elementwise=False)
        .with_function(lambda h: [[[v, 2 * v] for v in row] for row in h.tolist()], "deep",
                       returns="list<list<float32>>", elementwise=False)
        .with_function(lambda d: ak.sum(ak.sum(d, axis=2), axis=1), "total", returns="float32", elementwise=False)
    )  # fmt: skip
    formulas = ["share(hit, y)", "sorted_down(hit)", "wide(hit)", "ranges(x)", "halves(position)", "deep(hit)"]
    read = data.arrays([*formulas, "total(deep(hit))", "deep(hit) * 2"], library="ak")
    expected = ak.sum(whole["hit"], axis=1) / (whole["y"] + 1)
    np.testing.assert_allclose(read["share(hit, y)"].to_numpy(), expected.to_numpy(), rtol=1e-6)
    down = ak.sort(whole["hit"], axis=1, ascending=False).tolist()
    assert read["sorted_down(hit)"].tolist() == read["wide(hit)"].tolist() == down
    assert "list<float64>" in str(data.define("w", "wide(hit)").schema[-1].type)
    assert read["ranges(x)"].tolist() == [list(range(int(v) % 4)) for v in whole["x"]]
    assert read["halves(position)"].tolist() == (whole["position"][:, :2] * 2).tolist()
    deep = [[[v, 2 * v] for v in row] for row in whole["hit"].tolist()]
    assert read["deep(hit)"].tolist() == deep
    assert read["deep(hit) * 2"].tolist() == [[[2 * a, 2 * b] for a, b in row] for row in deep]
    assert read["total(deep(hit))"].tolist() == [sum(sum(pair) for pair in row) for row in deep]


def test_wherever_formulas_stand(events: Events) -> None:
    data, whole = data_of(events)
    data = data.with_function(resolution)
    res = resolution(whole["x"], whole["y"])
    mask = res > 1.5
    filtered = data.define(res="resolution(x, y)").filter("resolution(x, y) > 1.5").filter("res > 1.5")
    assert filtered.count() == mask.sum()
    assert filtered.arrays("id", library="np")["id"].tolist() == whole["id"][mask].tolist()
    assert data.scan("resolution(x, y)")[0].max == res.max()
    if find_spec("hist"):
        counts = data.hist("resolution(x, y)", bins=10, range=(0, 20)).values()
        assert counts.tolist() == np.histogram(res, 10, (0, 20))[0].tolist()
    pieces = [piece["resolution(x, y)"] for piece in data.iterate("resolution(x, y)", 4000, library="np")]
    assert len(pieces) > 1
    assert np.concatenate(pieces).tolist() == res.tolist()


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_loaders(events: Events, threads: int) -> None:
    data, whole = data_of(events)
    data = data.with_function(resolution).define(res="resolution(x, y)")
    loader = data.filter("res > 0.5").loader(
        {"id": "id", "res": ["res", "resolution(y, x)"], "hits": "resolution(hit, y)"},
        target="resolution(x, y) > 1",
        pad={"hits": 8},
        dtype={"id": "int64", "res": "float64", "hits": "float32"},
        batch_size=64,
        seed=2,
        threads=threads,
        buffer_rows=200,
    )
    res = resolution(whole["x"], whole["y"])
    train, val = loader.split(val="resolution(x, y) > 5")
    first = int(whole["id"][0])
    for part, wanted in ((loader, res > 0.5), (train, (res > 0.5) & (res <= 5)), (val, res > 5)):
        assert part.num_rows == wanted.sum()
        for _ in range(2):
            rows = []
            for batch in part:
                rows += batch["id"][:, 0].tolist()
                at = batch["id"][:, 0] - first
                assert batch["res"][:, 0].tolist() == res[at].tolist()
                assert batch["res"][:, 1].tolist() == resolution(whole["y"], whole["x"])[at].tolist()
                assert batch["target"].tolist() == (res[at] > 1).tolist()
                assert batch["hits_mask"].sum(axis=(1, 2)).tolist() == ak.num(whole["hit"])[at].tolist()
            assert sorted(rows) == whole["id"][wanted].tolist()
    assert len(loader.split(val=0.3, by=["resolution(x, y)"])[1]) > 0
    assert len(loader.balance("res > 4")) > 0


def test_the_state_goes_on(events: Events) -> None:
    data, _ = data_of(events)
    data = data.with_function(resolution)

    def make() -> sw.Loader:
        return data.loader(["resolution(x, y)"], batch_size=100, seed=3, threads=2)

    whole = [batch["features"][:, 0].tolist() for batch in make()]
    begun = make()
    running = iter(begun)
    assert [next(running)["features"][:, 0].tolist() for _ in range(4)] == whole[:4]
    resumed = make()
    resumed.load_state_dict(begun.state_dict())
    assert [batch["features"][:, 0].tolist() for batch in resumed] == whole[4:]
    other = data.loader(["resolution(y, x)"], batch_size=100, seed=3)
    with pytest.raises(sw.ConfigError):
        other.load_state_dict(begun.state_dict())


def test_iterators_dropped_half_way(events: Events) -> None:
    data, _ = data_of(events)
    called = threading.Event()

    def slow(x: Any) -> Any:
        called.set()
        threading.Event().wait(0.01)
        return x

    loader = data.with_function(slow).loader(["slow(x)"], batch_size=10, seed=1, threads=2, cache=False)
    for taken in (0, 1, 5):
        running = iter(loader)
        for _ in range(taken):
            next(running)
        del running
    called.clear()
    epoch = loader._current.epoch(0)  # not closed, and let go of while its threads may want the lock
    assert called.wait(TIME_LIMIT)
    del epoch
    gc.collect()
    assert sum(len(batch["features"]) for batch in loader) == 1000


@pytest.mark.parametrize("threads", [1, 2])
def test_exceptions(events: Events, threads: int) -> None:
    data, _ = data_of(events)
    fails = False

    def failing(x: Any) -> Any:
        threading.Event().wait(0.02)
        if fails:
            raise ValueError("such values are not for me")
        return x

    data = data.with_function(failing)
    loader = data.loader(["1 + failing(x)"], batch_size=10, shuffle=False, threads=threads, buffer_rows=50)
    batches = iter(loader)
    next(batches)
    fails = True
    with pytest.raises(sw.ConfigError, match="'failing' failed: ValueError: such values are not for me") as caught:
        list(batches)
    assert "^" in str(caught.value)
    assert f"{Path(__file__).name}, line" in str(caught.value)
    assert caught.value.file in map(str, events[0])
    assert caught.value.entries is not None
    with pytest.raises(sw.ConfigError, match="such values"):
        data.filter("failing(x) > 1").count()
    with pytest.raises(sw.ConfigError, match="such values"):
        list(data.filter("failing(x) > 1").loader(["x"], on_error="skip"))
    fails = False
    assert len(data.arrays("failing(x)")["failing(x)"]) == 1000


@pytest.mark.parametrize(
    ("function", "error", "text"),
    [
        (lambda x: x[1:], sw.SchemaError, "'f' gave .* of float64 instead of .* of float64"),
        (lambda x: x.astype(np.complex128), sw.ConfigError, "'f' failed: it gave an array of complex128"),
        (lambda x: x[:, None], sw.SchemaError, r"'f' gave .* of float64\[1\] instead"),
        (lambda x: x[0], sw.ConfigError, "'f' failed: it gave float32: an array of numbers is wanted"),
        (lambda _: None, sw.ConfigError, "'f' failed: it gave NoneType"),
        (lambda x: ["a"] * len(x), sw.ConfigError, "'f' failed: it gave list"),
        (lambda x: np.ma.masked_array(x), sw.ConfigError, "masked"),
        (resolution, sw.ConfigError, "'f' failed: TypeError: .*missing 1 required positional argument"),
        (lambda x: x.fill(1), sw.ConfigError, "'f' failed: ValueError: .*read-only"),
    ],
)  # fmt: skip
def test_wrong_results(events: Events, function: Any, error: type[sw.Error], text: str) -> None:
    data = sw.open(events[0]).with_function(function, "f")
    with pytest.raises(error, match=text) as caught:
        data.arrays("sqrt(f(x))", threads=1)  # so that the first file is read first
    assert "^" in str(caught.value)
    assert caught.value.file == str(events[0][0])
    assert caught.value.entries is not None


@pytest.mark.parametrize(
    ("function", "returns", "text"),
    [
        (lambda h: h, "list<int64>", "gave .* of list<float32> instead of .* of list<int64>"),
        (lambda h: h[1:], "list<float32>", "gave .* of list<float32> instead"),
        (lambda h: ak.sum(h, axis=1), "list<float32>", "gave .* of float32 instead"),
        (lambda h: ak.max(h, axis=1), "float32", "failed: it gave"),
        (lambda h: h, "float32", "failed: it gave"),
        (lambda h: ["a"] * len(h), "list<float32>", "failed: it gave list"),
        (lambda h: [[None]] * len(h), "list<float32>", "failed: it gave list"),
        (lambda _: 3, "list<float32>", "failed: it gave int"),
    ],
)
def test_wrong_lists(events: Events, function: Any, returns: str, text: str) -> None:
    data = sw.open(events[0]).with_function(function, "f", returns=returns, elementwise=False)
    with pytest.raises((sw.ConfigError, sw.SchemaError), match=text):
        data.arrays("f(hit)")


def test_wrong_arguments(events: Events) -> None:
    data = sw.open(events[0]).with_function(resolution)
    for name in ("resolution", "sqrt", "two words", "1st", "pi", "<lambda>"):
        with pytest.raises(sw.ConfigError, match=name):
            data.with_function(resolution, name)
    with pytest.raises(sw.ConfigError, match="<lambda>"):
        data.with_function(lambda x: x)
    with pytest.raises(sw.ConfigError, match="can't be called"):
        data.with_function(3, "three")  # type: ignore[arg-type]
    for returns in ("int32", "string", "", "list<float32>", "float32[2]", "double", "struct<a: float64>"):
        with pytest.raises(sw.ConfigError, match=r"returns is|type"):
            data.with_function(resolution, "g", returns=returns)
    with pytest.raises(sw.ConfigError, match="returns is"):
        data.with_function(resolution, "g", returns="list<string>", elementwise=False)
    with pytest.raises(sw.ConfigError, match="called with no column"):
        data.define("a", "resolution(1, 2)")


def test_pickling_and_joining(events: Events) -> None:
    paths, whole = events
    data = sw.open(paths[:2]).with_function(resolution).define(res="resolution(x, y)").filter("res > 1")
    copy = pickle.loads(pickle.dumps(data))  # noqa: S301
    assert copy.arrays("res", library="np")["res"].tolist() == data.arrays("res", library="np")["res"].tolist()
    loader = data.loader(["resolution(y, x)"], batch_size=50, seed=1)
    again = pickle.loads(pickle.dumps(loader))  # noqa: S301
    assert [b["features"].tolist() for b in again] == [b["features"].tolist() for b in loader]
    local = sw.open(paths).with_function(lambda x: x, "local")
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(local)

    other = sw.open(paths[2:]).with_function(resolution).define(res="resolution(x, y)").filter("res > 1")
    assert data.concat(other).count() == (resolution(whole["x"], whole["y"]) > 1).sum()
    with pytest.raises(sw.ConfigError, match="functions"):
        sw.open(paths[:2]).concat(sw.open(paths[2:]).with_function(resolution))


def test_features_that_call_them_stay(events: Events, tmp_path: Path) -> None:
    data, _ = data_of(events)
    data = data.with_function(resolution).define(res="resolution(x, y)")
    direct = data.loader(["x", "log(resolution(x, y) + 1)"]).features
    through = data.loader(["x", "2 * res"]).features
    for spec in (direct, through):
        assert len(spec.inputs[0].variables) == 2
        assert spec == spec
        assert "features" in repr(spec)
        assert spec == pickle.loads(pickle.dumps(spec))  # noqa: S301
        for export in (spec.to_json, spec.to_dict, lambda spec=spec: spec.save(tmp_path / "features.yaml")):
            with pytest.raises(sw.ConfigError, match=r"'resolution' is none of .*Python, can't be saved"):
                export()
    assert not (tmp_path / "features.yaml").exists()
    assert through.definitions == {"res": "resolution(x, y)"}
    plain = data.loader(["x", "2 * y"]).features
    assert sw.FeatureSpec.from_json(plain.to_json()) == plain
    assert data.fit(sw.FeatureSpec({"a": [sw.Variable("res", transforms="standard")]})).is_fitted
    for spec in (direct, sw.FeatureSpec({"features": ["x", "2 * res"]})):
        with pytest.raises(sw.ConfigError, match="'resolution' is none of"):
            sw.bundle.export(object(), str(tmp_path / "b.tar"), features=spec, sample=data)


def test_functions_are_let_go(events: Events) -> None:
    class Doubled:
        def __call__(self, x: Any) -> Any:
            return 2 * x

    function = Doubled()
    gone = weakref.ref(function)
    data = sw.open(events[0]).with_function(function, "doubled")
    kept = data.arrays("doubled(x)", library="np")["doubled(x)"]
    list(data.loader(["doubled(x)"], threads=2))
    del function, data
    gc.collect()
    assert gone() is None
    assert kept[4] == 4


def test_arguments_may_be_kept(events: Events) -> None:
    data, whole = data_of(events)
    kept: list[Any] = []

    def noted(x: Any) -> Any:
        kept.append(x)
        return x

    data = data.with_function(noted)
    for _ in range(3):
        data.arrays(["noted(x * 2)", "sqrt(y)"], threads=1)
    assert np.concatenate(kept).tolist() == np.tile(whole["x"] * 2, 3).tolist()


EXITS = {
    "at once": "del running, epoch",
    "running": "first = next(running)",
    "in a call": "import time; time.sleep(0.05)",
    "in another thread": """
import threading
threading.Thread(target=lambda: [data.arrays("slow(x)") for _ in range(20)]).start()
""",
    "by an exception": "next(running); raise SystemExit(0)",
    "after a fork": """
next(running)
import os
child = os.fork()
if child == 0:
    raise SystemExit(0)
assert os.waitpid(child, 0)[1] == 0
""",
}


@pytest.mark.parametrize("when", EXITS)
def test_the_interpreter_ends(events: Events, when: str) -> None:
    script = f"""
import time
import sapwood as sw

def slow(x):
    time.sleep(0.002)
    return x + 1

data = sw.open({[str(path) for path in events[0]]!r}).with_function(slow)
loader = data.loader(["slow(x)", "slow(y)"], batch_size=5, seed=1, threads=3)
running = iter(loader)
epoch = loader._current.epoch(5)
{EXITS[when]}
print("done")
"""
    ended = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", script],
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert ended.returncode == 0, ended.stderr
    assert "leaked" not in ended.stderr or "fork" in when  # a child can't end the threads that it has not
    assert "Fatal" not in ended.stderr


def test_forked_workers(events: Events) -> None:
    torch = pytest.importorskip("torch")
    data, whole = data_of(events)
    loader = data.with_function(resolution).loader(["resolution(x, y)"], dtype="float64", batch_size=50, seed=1)
    batches = torch.utils.data.DataLoader(loader.torch_dataset(2), batch_size=None, num_workers=2)
    values = np.concatenate([batch["features"][:, 0].numpy() for batch in batches])
    assert sorted(values) == sorted(resolution(whole["x"], whole["y"]))


@pytest.mark.parametrize("format", ["TTree", "RNTuple"])
def test_empty_and_small_data(make_tree: Any, format: str) -> None:
    path = make_tree("small.root", numbered(3), format=format)
    data = sw.open(path).with_function(lambda x: x + 0 * x[0], "same").filter("same(x) > 2")
    assert data.count() == 0
    assert len(data.arrays("same(y)")["same(y)"]) == 0
    assert list(data.loader(["same(y)"])) == []
