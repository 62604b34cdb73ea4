"""Columns of two data sets joined by entry: as NumPy, Awkward and ROOT join them, in every way of reading."""

import json
import pickle
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from conftest import Columns, MakeTree, numbered

import sapwood as sw
from sapwood import bundle, predict
from sapwood.root import RDataLoader

ENTRIES = 1000


def calibration(length: int) -> Columns:
    """Columns that tell of which entry they are, and are called as some of `numbered` and as none."""
    number = np.arange(length)
    counts = number * 5 % 4
    return {
        "x": (number * 3.0).astype(np.float32),
        "scale": 1.0 + number / length,
        "good": number % 4 != 0,
        "corner": np.stack([number, -number], 1).astype(np.int32),
        "jet": ak.unflatten(np.arange(counts.sum()).astype(np.float32), counts),
    }


def cut(columns: Columns, edges: list[int]) -> list[Columns]:
    return [{name: values[start:stop] for name, values in columns.items()} for start, stop in pairwise(edges)]


def written(make_tree: MakeTree, of_main: str, of_friend: str) -> tuple[sw.Dataset, sw.Dataset]:
    """Three files and five of a friend, whose files and clusters end elsewhere."""
    for i, part in enumerate(cut(numbered(ENTRIES), [0, 500, 800, ENTRIES])):
        make_tree(f"main_{i}.root", part, clusters=4, format=of_main)
    for i, part in enumerate(cut(calibration(ENTRIES), [0, 30, 450, 510, 910, ENTRIES])):
        path = make_tree(f"friend_{i}.root", part, clusters=3, format=of_friend, tree="calib")
    return opened(path.parent)


@pytest.fixture(params=[("TTree", "TTree"), ("TTree", "RNTuple"), ("RNTuple", "TTree")], ids="-".join)
def both(request: pytest.FixtureRequest, make_tree: MakeTree) -> tuple[sw.Dataset, sw.Dataset]:
    return written(make_tree, *request.param)


@pytest.fixture
def mixed(make_tree: MakeTree) -> tuple[sw.Dataset, sw.Dataset]:
    return written(make_tree, "RNTuple", "TTree")


def opened(folder: Path) -> tuple[sw.Dataset, sw.Dataset]:
    return sw.open(folder / "main_*.root"), sw.open(folder / "friend_*.root", "calib")


def loader_of(data: sw.Dataset, **options: Any) -> sw.Loader:
    wanted = {"batch_size": 64, "seed": 7, "buffer_rows": 150, **options}
    features = {"id": "id", "c": ["c.x", "x * c.scale"], "jets": "c.jet"}
    return data.loader(features, target="c.good", pad={"jets": 3}, dtype={"id": "int64", "c": "float64"}, **wanted)


def contents(batches: Any) -> list[bytes]:
    return [b"".join(array.tobytes() for array in batch.values()) for batch in batches]


def check_batches(batches: list[Any]) -> list[int]:
    """Each row's columns of both are of one entry; gives the entries."""
    rows = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
    number = rows["id"][:, 0] - 2**40
    assert rows["c"][:, 0].tolist() == (3.0 * number).tolist()
    x = np.sqrt(number).astype(np.float32)
    assert rows["c"][:, 1] == pytest.approx(x * (1 + number / ENTRIES))
    assert rows["jets_mask"][:, 0].sum(1).tolist() == (number * 5 % 4).tolist()
    assert rows["target"].tolist() == (number % 4 != 0).tolist()
    return number.tolist()


def test_arrays_have_columns_of_both(both: tuple[sw.Dataset, sw.Dataset]) -> None:
    data, other = both
    joined = data.friend(other, "c")
    assert joined.columns == [*data.columns, *(f"c.{name}" for name in other.columns)]
    assert joined.num_entries == ENTRIES
    assert [len(friend.files) for friend in joined.friends] == [5]
    assert "3 files, 1 friend" in repr(joined)
    expected = {**numbered(ENTRIES), **{f"c.{name}": values for name, values in calibration(ENTRIES).items()}}
    for start, stop in [(0, ENTRIES), (490, 512), (20, 900), (7, 7)]:
        read = joined.arrays(None, start, stop, library="ak")
        assert set(read.fields) >= set(expected)
        for name, values in expected.items():
            assert ak.array_equal(read[name], values[start:stop], dtype_exact=True), name


def test_names_stay_without_a_prefix(both: tuple[sw.Dataset, sw.Dataset]) -> None:
    data, other = both
    with pytest.raises(sw.ConfigError, match="there is a column 'x' already: give the friend a prefix"):
        data.friend(other)
    joined = data.friend(other.select(["jet", "scale"]))
    assert joined.columns == [*data.columns, "jet", "scale"]
    read = joined.arrays(["scale * y", "sum(jet)"], library="np")
    assert read["scale * y"].tolist() == (calibration(ENTRIES)["scale"] * numbered(ENTRIES)["y"]).tolist()
    with pytest.raises(sw.SchemaError, match="corner"):
        joined.arrays("corner")
    assert data.select("id").friend(other.select("good")).columns == ["id", "good"]


def test_as_uproot_reads_them(both: tuple[sw.Dataset, sw.Dataset]) -> None:
    data, other = both
    joined = data.friend(other, "c").filter("c.good && x > 5")
    files = [
        ak.concatenate([uproot.open(f"{file.path}:{part.tree}").arrays() for file in part.files])
        for part in (data, other)
    ]
    mask = files[1].good & (files[0].x > 5)
    read = joined.arrays(["hit", "c.jet", "c.corner"], library="ak")
    assert ak.array_equal(read["hit"], files[0].hit[mask], dtype_exact=True)
    assert ak.array_equal(read["c.jet"], files[1].jet[mask], dtype_exact=True)
    assert ak.array_equal(read["c.corner"], files[1].corner[mask], dtype_exact=True)


def test_as_root_joins_them(make_tree: MakeTree, tmp_path: Path, cern_root: Any) -> None:
    for i, part in enumerate(cut(numbered(ENTRIES), [0, 500, ENTRIES])):
        make_tree(f"main_{i}.root", part, clusters=4)
    for i, part in enumerate(cut(calibration(ENTRIES), [0, 30, 700, ENTRIES])):
        make_tree(f"friend_{i}.root", part, tree="calib")
    data, other = opened(tmp_path)
    chains = [cern_root.TChain("tree"), cern_root.TChain("calib")]
    for chain, part in zip(chains, (data, other), strict=True):
        for file in part.files:
            chain.Add(file.path)
    chains[0].AddFriend(chains[1], "c")
    frame = cern_root.RDataFrame(chains[0]).Filter("c.good && x > 5").Define("scaled", "x * c.scale")
    theirs = frame.AsNumpy(["id", "scaled", "c.x", "c.jet"])
    joined = data.friend(other, "c").define("scaled", "x * c.scale").filter("c.good && x > 5")
    ours = joined.arrays(["id", "scaled", "c.x", "c.jet"], library="np")
    assert len(ours["id"]) > 500
    for name in ("id", "scaled", "c.x"):
        assert ours[name].tolist() == theirs[name].tolist()
    assert [list(jet) for jet in ours["c.jet"]] == [list(jet) for jet in theirs["c.jet"]]
    of_frame = sw.open(frame).arrays(["id", "scaled", "c.x", "c.jet"], library="np")
    assert of_frame["scaled"].tolist() == ours["scaled"].tolist()


def test_definitions_filters_and_statistics(both: tuple[sw.Dataset, sw.Dataset], tmp_path: Path) -> None:
    pytest.importorskip("hist")
    data, other = both
    before = data.define("half", "y / 2").filter("kind != 1", "kinds")
    joined = before.friend(other, "c").define("scaled", "half * c.scale").alias("count", "c.x").filter("c.good")
    number = np.arange(ENTRIES)
    kept = number[(number % 5 != 1) & (number % 4 != 0)]
    scaled = kept * 0.75 * (1 + kept / ENTRIES)
    assert joined.count() == len(kept)
    assert [(cut.name, cut.after) for cut in joined.report()] == [("kinds", 800), ("c.good", len(kept))]
    assert joined.arrays("scaled", library="np")["scaled"] == pytest.approx(scaled)
    (statistics,) = joined.scan("c.x")
    assert (statistics.entries, statistics.max) == (len(kept), 3 * kept.max())
    assert joined.describe(["count", "scaled"])[0].mean == pytest.approx(3 * kept.mean())
    assert joined.hist("c.x", bins=10, range=(0, 3000)).sum() == len(kept)
    assert len(joined.sample(0.5, seed=1).arrays("c.x")["c.x"]) == joined.sample(0.5, seed=1).count()
    assert joined.to_parquet(tmp_path / "joined.parquet", ["id", "c.jet", "scaled"], step="4 kB") == len(kept)
    parquet = ak.from_parquet(tmp_path / "joined.parquet")
    assert parquet["id"].tolist() == (kept + 2**40).tolist()
    assert ak.num(parquet["c.jet"]).tolist() == (kept * 5 % 4).tolist()
    joined.to_root(tmp_path / "joined.root", "tree", ["scaled"])
    assert sw.open(tmp_path / "joined.root").arrays("scaled", library="np")["scaled"] == pytest.approx(scaled)


def test_limits(both: tuple[sw.Dataset, sw.Dataset]) -> None:
    data, other = both
    after = data.friend(other, "c").limit(820)
    before = data.limit([300, 300, 40]).friend(other.limit(640), "c").limit([300, 200, 20])
    for joined, ids in (
        (after, np.arange(820)),
        (before, np.r_[0:300, 500:700, 800:820]),
    ):
        entries = ids if joined is after else np.r_[0:300, 300:500, 600:620]
        for reopened in (joined, pickle.loads(pickle.dumps(joined))):  # noqa: S301
            read = reopened.arrays(["id", "c.x"], library="np")
            assert (read["id"] - 2**40).tolist() == ids.tolist()
            assert read["c.x"].tolist() == (3.0 * entries).tolist()


def test_what_does_not_fit_is_refused(mixed: tuple[sw.Dataset, sw.Dataset], make_tree: MakeTree) -> None:
    data, other = mixed
    joined = data.friend(other, "c")
    for wrong, prefix, message in [
        (other.limit(999), "c", "the friend has 999 entries, the data set 1000"),
        (other.filter("good"), "c", "the friend has filters"),
        (other.sample(0.5, seed=1), "c", "the friend has filters"),
        (other.define("z", "x + 1"), "c", "the friend has a definition, 'z'"),
        (other, "c.d", "can't be a prefix"),
        (other, "pi", "can't be a prefix"),
        (other.select("entry_"), "c", "columns of its files, not 'entry_'"),
        (make_tree("one.root", {"x": np.zeros(ENTRIES)}), "c", r"must be a data set: sapwood\.open"),
    ]:
        with pytest.raises(sw.ConfigError, match=message):
            data.friend(wrong, prefix)  # type: ignore[arg-type]
    with pytest.raises(sw.ConfigError, match="another prefix"):
        joined.friend(other, "c")
    with pytest.raises(sw.ConfigError, match="concat first"):
        data.concat(joined)
    with pytest.raises(ValueError, match="concat first"):
        RDataLoader([joined, joined], batch_size=10, columns=["x"])
    assert RDataLoader(joined, batch_size=10, columns=["x", "c.x"]).num_batches == ENTRIES // 10
    with pytest.raises(sw.ConfigError, match="can't be the name"):
        joined.define("c.x", "1.0 * y")


def test_frames_are_refused(mixed: tuple[sw.Dataset, sw.Dataset], cern_root: Any) -> None:
    data, other = mixed
    frame = sw.open(cern_root.RDataFrame("calib", [file.path for file in other.files]))
    with pytest.raises(sw.ConfigError, match="AddFriend"):
        data.friend(frame, "c")
    with pytest.raises(sw.ConfigError, match="AddFriend"):
        frame.friend(data, "c")


@pytest.mark.parametrize(
    "name",
    [
        "test_nested_structs_rntuple_v1-0-0-0.root",
        "test_stl_containers_rntuple_v1-0-0-0.root",
        "uproot-leaflist.root",
        "uproot-small-evnt-tree-fullsplit.root",
        "uproot-stl_containers.root",
    ],
)
def test_columns_of_all_kinds(test_files: Path, name: str) -> None:
    data = sw.open(test_files / name)
    joined = sw.open([test_files / name, test_files / name]).friend(sw.open([test_files / name] * 2), "again")
    half = data.num_entries // 2
    for start, stop in ((0, data.num_entries), (half, data.num_entries + half)):
        read = joined.arrays(None, start, stop)
        assert len(read) == 2 * len(data.columns) > 0
        for column in data.columns:
            assert read[f"again.{column}"].equals(read[column]), column
    members = [column.name for column in data.schema if column.is_member and column.type]
    for member in members[:5]:
        assert joined.arrays(f"again.{member}")[f"again.{member}"].equals(joined.arrays(member)[member])
        chosen = data.friend(data.select(member), "m")
        assert chosen.columns == [*data.columns, f"m.{member}"]


def test_without_entries(mixed: tuple[sw.Dataset, sw.Dataset]) -> None:
    data, other = mixed
    read = data.limit(0).friend(other.limit(0), "c").arrays(["c.jet", "c.x", "id"])
    assert {name: (len(values), str(values.type)) for name, values in read.items()} == {
        "c.jet": (0, "large_list<item: float not null>"),
        "c.x": (0, "float"),
        "id": (0, "int64"),
    }


def test_friends_of_friends(both: tuple[sw.Dataset, sw.Dataset]) -> None:
    data, other = both
    joined = data.friend(other.friend(data, "again"), "c").friend(data, "self").friend(other, "more")
    joined = pickle.loads(pickle.dumps(joined))  # noqa: S301
    names = ["id", "c.again.id", "self.id", "c.x", "more.x"]
    read = joined.arrays(names, 100, 950, library="np")
    for name, same in (("c.again.id", "id"), ("self.id", "id"), ("more.x", "c.x")):
        assert read[name].tolist() == read[same].tolist()
    assert read["c.x"].tolist() == (3.0 * np.arange(100, 950)).tolist()


def test_pickled_data_sets_are_the_same(both: tuple[sw.Dataset, sw.Dataset]) -> None:
    data, other = both
    joined = data.define("half", "y / 2").friend(other, "c").define("scaled", "half * c.scale").filter("c.good")
    for before in (joined, joined.select(["c.x", "scaled"]), data.select("x").friend(other.select("jet"))):
        after = pickle.loads(pickle.dumps(before))  # noqa: S301
        assert after.columns == before.columns
        assert [column.name for column in after.schema] == [column.name for column in before.schema]
        assert ak.array_equal(after.arrays(library="ak"), before.arrays(library="ak"))


def test_batches_are_the_same_for_any_threads(both: tuple[sw.Dataset, sw.Dataset]) -> None:
    data, other = both
    joined = data.friend(other, "c")
    expected = list(loader_of(joined, threads=1))
    assert sorted(check_batches(expected)) == list(range(ENTRIES))
    for threads in (2, 4):
        assert contents(loader_of(joined, threads=threads)) == contents(expected)
    assert contents(pickle.loads(pickle.dumps(loader_of(joined)))) == contents(expected)  # noqa: S301
    assert "c.x" in str(loader_of(joined).features.to_json())


def test_filtered_and_split(both: tuple[sw.Dataset, sw.Dataset]) -> None:
    data, other = both
    loader = loader_of(data.friend(other, "c").filter("c.good"))
    train, val = loader.split(val=0.25)
    parts = [check_batches(list(part)) for part in (train, val)]
    assert sorted(parts[0] + parts[1]) == [i for i in range(ENTRIES) if i % 4 != 0]
    assert len(parts[0]) > 2 * len(parts[1]) > 0
    even, odd = loader_of(data.friend(other, "c")).split(odd="c.x % 2 == 1")
    assert sorted(check_batches(list(odd))) == list(range(1, ENTRIES, 2))
    assert sorted(check_batches(list(even))) == list(range(0, ENTRIES, 2))


def test_resumes_after_any_batch(both: tuple[sw.Dataset, sw.Dataset], make_tree: MakeTree) -> None:
    data, other = both
    joined = data.friend(other, "c")
    first, second = loader_of(joined, threads=2), loader_of(joined, threads=1)
    expected = contents(first)
    for after in (1, 7):
        first.epoch = 0
        running = iter(first)
        given = contents(islice(running, after))
        state = json.loads(json.dumps(first.state_dict()))
        second.load_state_dict(state)
        assert given + contents(second) == expected
    another = sw.open(make_tree("another.root", calibration(ENTRIES)))
    with pytest.raises(sw.ConfigError, match="other data"):
        loader_of(data.friend(another, "c")).load_state_dict(state)


def test_ranks_share_the_rows(both: tuple[sw.Dataset, sw.Dataset]) -> None:
    data, other = both
    rows: list[int] = []
    for rank in range(2):
        batches = list(loader_of(data.friend(other, "c"), rank=rank, world_size=2))
        rows += check_batches(batches)
    assert sorted(rows) == list(range(ENTRIES))


def test_workers_of_a_dataloader(mixed: tuple[sw.Dataset, sw.Dataset]) -> None:
    torch_data = pytest.importorskip("torch.utils.data")
    data, other = mixed
    dataset = loader_of(data.friend(other, "c").filter("c.good")).torch_dataset(2)
    batches = list(torch_data.DataLoader(dataset, batch_size=None, num_workers=2, multiprocessing_context="spawn"))
    rows = check_batches([{name: tensor.numpy() for name, tensor in batch.items()} for batch in batches])
    assert sorted(rows) == [i for i in range(ENTRIES) if i % 4 != 0]


def test_specifications_and_bundles(mixed: tuple[sw.Dataset, sw.Dataset], tmp_path: Path) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    pytest.importorskip("skl2onnx")
    pytest.importorskip("onnxruntime")
    data, other = mixed
    joined = data.friend(other, "c").define("scaled", "y * c.scale")
    spec = joined.fit(sw.FeatureSpec({"inputs": [sw.Variable("scaled", transforms="standard"), "c.x / 1000"]}))
    assert spec.definitions == {"scaled": "y * c.scale"}
    assert sw.FeatureSpec.from_json(spec.to_json()) == spec
    (batch,) = joined.loader(spec, shuffle=False, batch_size=ENTRIES)
    assert batch["inputs"][:, 0].mean() == pytest.approx(0, abs=1e-5)

    classifier = linear_model.LogisticRegression().fit(batch["inputs"], calibration(ENTRIES)["good"])
    bundle.export(classifier, tmp_path / "model.tar", features=spec, sample=joined)
    model = bundle.open(tmp_path / "model.tar")
    assert set(model.columns) == {"y", "c.scale", "c.x"}
    assert predict.predict(model, joined, tmp_path / "scores.parquet") == ENTRIES
    for path in (other.files[2].path, data.files[0].path):
        with pytest.raises(sw.ConfigError, match="is read: give the scores another name"):
            predict.predict(model, joined, path)


@pytest.fixture
def broken(make_tree: MakeTree) -> tuple[sw.Dataset, sw.Dataset]:
    """A file of ten clusters, and a friend's two, of which a basket of `x` in the second is wrong: entries 700 to 799
    of both together.
    """
    make_tree("main_0.root", numbered(ENTRIES), clusters=10)
    paths = [
        make_tree(f"friend_{i}.root", part, clusters=6, tree="calib")
        for i, part in enumerate(cut(calibration(ENTRIES), [0, 400, ENTRIES]))
    ]
    with uproot.open(paths[1]) as file:
        place = file["calib"]["x"].member("fBasketSeek")[3]
    content = bytearray(paths[1].read_bytes())
    content[place + 100 : place + 140] = b"\xff" * 40
    paths[1].write_bytes(content)
    return opened(paths[0].parent)


def test_errors_name_the_friends_file(broken: tuple[sw.Dataset, sw.Dataset]) -> None:
    data, other = broken
    joined = data.friend(other, "c")
    with pytest.raises(sw.FormatError, match=r"friend_1\.root"):
        joined.arrays(["id", "c.x"])
    with pytest.raises(sw.FormatError, match=r"friend_1\.root"):
        list(loader_of(joined))
    assert len(joined.arrays(["id", "c.scale"])["id"]) == ENTRIES
    assert len(joined.arrays(["id", "c.x"], 0, 700)["id"]) == 700


@pytest.mark.parametrize("threads", [1, 3])
def test_clusters_that_the_friend_cannot_give_are_skipped(broken: tuple[sw.Dataset, sw.Dataset], threads: int) -> None:
    data, other = broken
    loader = loader_of(data.friend(other, "c"), on_error="skip", threads=threads)
    with pytest.warns(RuntimeWarning, match="100 rows in 1 range"):
        rows = check_batches(list(loader))
    assert sorted(rows) == [*range(700), *range(800, ENTRIES)]
    (skip,) = loader.skipped()
    assert (skip.file, skip.start, skip.stop) == (data.files[0].path, 700, 800)
    assert "friend_1.root" in skip.error


def test_friends_that_are_gone_are_noticed(mixed: tuple[sw.Dataset, sw.Dataset], tmp_path: Path) -> None:
    data, other = mixed
    pickled = pickle.dumps(data.friend(other, "c"))
    (tmp_path / "friend_4.root").unlink()
    with pytest.raises(sw.IoError, match=r"friend_4\.root"):
        pickle.loads(pickled)  # noqa: S301
