"""Batches: every row once, the same bits whatever the threads, exact values, clean ends."""

import gc
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from conftest import Columns, MakeTree, numbered

import sapwood as sw

Batches = list[dict[str, np.ndarray]]
Events = tuple[list[Path], Columns]


def ids(batches: Any, name: str = "features") -> np.ndarray:
    """The first channel of all batches' rows, in order."""
    parts = [batch[name].reshape(len(batch[name]), -1)[:, 0] for batch in batches]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def id_loader(events: Events, **options: Any) -> sw.Loader:
    return sw.open(events[0]).loader("id", dtype="int64", **{"batch_size": 64, "seed": 7, **options})


def same_batches(a: Batches, b: Batches) -> bool:
    return len(a) == len(b) and all(
        one.keys() == two.keys() and all(one[name].tobytes() == two[name].tobytes() for name in one)
        for one, two in zip(a, b, strict=True)
    )


# Coverage, order, length


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("buffer_rows", [None, 10, 200, 10_000])
@pytest.mark.parametrize("batch_size", [1, 64, 1000, 5000])
def test_every_row_once(events: Events, shuffle: bool, buffer_rows: int | None, batch_size: int) -> None:
    loader = id_loader(events, shuffle=shuffle, buffer_rows=buffer_rows, batch_size=batch_size)
    batches = list(loader)
    assert sorted(ids(batches)) == events[1]["id"].tolist()
    assert len(loader) == len(batches) == -(-1000 // batch_size)
    sizes = [len(batch["features"]) for batch in batches]
    assert sizes[:-1] == [batch_size] * (len(batches) - 1)
    assert sum(sizes) == loader.num_rows == 1000


def test_order_of_the_files_without_shuffle(events: Events) -> None:
    loader = id_loader(events, shuffle=False, threads=4)
    for _ in range(2):
        assert ids(loader).tolist() == events[1]["id"].tolist()


def test_shuffle_mixes(events: Events) -> None:
    order = ids(id_loader(events))
    assert not np.array_equal(order, np.sort(order))
    assert abs(np.corrcoef(np.arange(1000), order)[0, 1]) < 0.15


def test_drop_remainder(events: Events) -> None:
    loader = id_loader(events, drop_remainder=True)
    batches = list(loader)
    assert len(loader) == len(batches) == 15
    assert {len(batch["features"]) for batch in batches} == {64}
    assert len(set(ids(batches))) == 15 * 64
    assert len(id_loader(events, drop_remainder=True, batch_size=1001)) == 0
    assert list(id_loader(events, drop_remainder=True, batch_size=1001)) == []
    assert len(list(id_loader(events, drop_remainder=True, batch_size=1000))) == 1


def test_one_entry(make_tree: MakeTree) -> None:
    loader = sw.open(make_tree("one.root", numbered(1))).loader(["x", "y"], target="kind", weights="weight")
    (batch,) = loader
    assert len(loader) == 1
    assert {name: array.shape for name, array in batch.items()} == {
        "features": (1, 2),
        "target": (1,),
        "weights": (1,),
    }


def test_no_entries(make_tree: MakeTree) -> None:
    loader = sw.open(make_tree("none.root", numbered(0))).loader("x")
    assert (len(loader), loader.num_rows, list(loader)) == (0, 0, [])
    assert loader.explain().rows == 0
    train, val = loader.split(val=0.5)
    assert len(train) == len(val) == 0


# Determinism


def jet_loader(jets: sw.Dataset, **options: Any) -> sw.Loader:
    return jets.loader(
        {"part": ["part_px", "part_charge", "part_isMuon"], "jet": ["jet_pt", "jet_tau1"]},
        target="sample_label",
        pad={"part": 40},
        **{"batch_size": 256, "seed": 3, "buffer_rows": 1500, **options},
    )


@pytest.mark.parametrize(
    "options", [{"threads": 2}, {"threads": 4}, {"threads": 8}, {"memory": "60 MB"}, {"memory": "200 MB", "threads": 3}]
)
def test_same_bits_for_any_threads_and_memory(jets: sw.Dataset, options: dict[str, Any]) -> None:
    reference, other = jet_loader(jets, threads=1), jet_loader(jets, **options)
    for _ in range(2):
        assert same_batches(list(reference), list(other))


def test_seeds_and_epochs_differ(events: Events) -> None:
    loader, again, other = id_loader(events), id_loader(events), id_loader(events, seed=8)
    first, second = ids(loader), ids(loader)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, ids(other))
    assert np.array_equal(first, ids(again))
    assert np.array_equal(second, ids(again))


def test_epoch_can_be_set(events: Events) -> None:
    loader = id_loader(events)
    epochs = [ids(loader) for _ in range(3)]
    assert loader.epoch == 3
    loader.epoch = 1
    assert np.array_equal(ids(loader), epochs[1])


def test_drawn_seed_is_reported(events: Events) -> None:
    a, b = id_loader(events, seed=None), id_loader(events, seed=None)
    assert a.seed != b.seed
    assert a.seed == a.explain().seed
    assert str(a.seed) in str(a.explain())
    assert np.array_equal(ids(a), ids(id_loader(events, seed=a.seed)))


# Splits


def test_split_is_disjoint_and_complete(events: Events) -> None:
    parts = id_loader(events).split(val=0.2, test=0.3)
    rows = [ids(part) for part in parts]
    assert sorted(np.concatenate(rows)) == events[1]["id"].tolist()
    assert [len(part) for part in rows] == [part.num_rows for part in parts]
    assert [len(part) for part in parts] == [-(-part.num_rows // 64) for part in parts]
    assert [len(part) for part in rows] == [500, 200, 300]


def test_split_stays_the_same(events: Events) -> None:
    first = [set(ids(part)) for part in id_loader(events, threads=1).split(val=0.2)]
    loader = id_loader(events, threads=3).split(val=0.2)
    for _ in range(2):
        assert [set(ids(part)) for part in loader] == first
    assert [set(ids(part)) for part in id_loader(events, shuffle=False).split(val=0.2)] == first
    assert [set(ids(part)) for part in id_loader(events, seed=9).split(val=0.2)] != first


def test_split_without_shuffle_keeps_order(events: Events) -> None:
    for part in id_loader(events, shuffle=False).split(val=0.4):
        rows = ids(part)
        assert np.array_equal(rows, np.sort(rows))


@pytest.mark.parametrize("shuffle", [True, False])
def test_split_in_order(events: Events, shuffle: bool) -> None:
    whole = events[1]["id"].tolist()

    def split(loader: sw.Loader, **parts: float) -> list[list[int]]:
        loaders = loader.split(by="order", **parts)
        rows = [ids(part).tolist() for part in loaders]
        assert [len(part) for part in rows] == [part.num_rows for part in loaders]
        assert shuffle == (rows[0] != sorted(rows[0]))
        return [sorted(part) for part in rows]

    loader = id_loader(events, shuffle=shuffle)
    assert split(loader, val=0.2, test=0.3) == [whole[:500], whole[500:700], whole[700:]]
    assert split(loader.split(val=0.5, by="order")[1], val=0.333) == [whole[500:834], whole[834:]]
    drawn = loader.split(val=0.4)[0]
    assert split(drawn, val=0.25) == [sorted(ids(drawn))[:450], sorted(ids(drawn))[450:]]
    filtered = sw.open(events[0]).filter("id % 3 == 0").loader("id", dtype="int64", seed=7, shuffle=shuffle)
    passing = [row for row in whole if row % 3 == 0]
    assert split(filtered, val=0.1) == [passing[: -(len(passing) // 10)], passing[-(len(passing) // 10) :]]


def test_parts_in_order_are_loaders_like_others(events: Events) -> None:
    whole = events[1]["id"].tolist()
    val = id_loader(events).split(val=0.437, by="order")[1]
    ranks = [id_loader(events, rank=rank, world_size=3).split(val=0.437, by="order")[1] for rank in range(3)]
    assert sorted(row for rank in ranks for row in ids(rank)) == sorted(ids(val)) == whole[-437:]
    val.epoch = 0
    order = ids(val)
    val.epoch = 0
    begun = ids(list(islice(val, 3)))
    again = pickle.loads(pickle.dumps(id_loader(events).split(val=0.437, by="order")[1]))  # noqa: S301
    again.load_state_dict(val.state_dict())
    assert np.array_equal(np.concatenate([begun, ids(again)]), order)
    with pytest.raises(sw.ConfigError, match="of other data"):
        id_loader(events).split(val=0.436, by="order")[1].load_state_dict(val.state_dict())
    assert len(set(ids(val.balance("kind"))) - set(whole[-437:])) == 0
    with pytest.raises(sw.ConfigError, match="too few rows"):
        id_loader(events).split(val=0.0001, by="order")
    with pytest.raises(sw.ConfigError, match="by is 'order', must be 'file', or a list"):
        id_loader(events).k_fold(3, by="order")  # type: ignore[arg-type]


def test_epochs_on_a_device_can_be_repeated(events: Events) -> None:
    loader = id_loader(events)
    first = next(loader.torch("cpu"))["features"]
    loader.epoch = 0
    assert np.array_equal(ids(loader)[: len(first)], first[:, 0])


# Values


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


# What a loader says of itself


def test_explain_agrees_with_what_comes(jets: sw.Dataset) -> None:
    loader = jet_loader(jets)
    plan = loader.explain()
    batches = list(loader)
    assert (plan.rows, plan.entries, plan.files) == (9600, 9600, 4)
    assert plan.clusters == len(jets.clusters)
    assert plan.batches == len(batches) == len(loader)
    assert plan.last_batch_rows == len(batches[-1]["target"])
    assert (plan.batch_size, plan.seed, plan.buffer_rows) == (256, 3, 1500)
    assert [tensor.name for tensor in plan.tensors] == list(batches[0])
    for tensor in plan.tensors:
        array = batches[0][tensor.name]
        assert array.shape == (256, *tensor.shape)
        assert str(array.dtype) == tensor.dtype
    shares = plan.staging_bytes + plan.unit_bytes + plan.ready_bytes
    assert shares <= plan.memory == 10**9
    assert plan.expected_lift >= 1
    text = str(plan)
    for word in ("9,600", "part_mask", "[256, 3, 40]", "1,500 rows"):
        assert word in text


def test_stats(jets: sw.Dataset) -> None:
    loader = jet_loader(jets, memory="60 MB")
    assert loader.stats() is None
    batches = list(loader)
    stats = loader.stats()
    assert stats is not None
    assert (stats.rows, stats.batches) == (9600, len(batches))
    assert 0 < stats.peak_bytes <= 60_000_000
    assert stats.stored_bytes >= loader.explain().stored_bytes > 0
    assert stats.decode_seconds > 0
    assert stats.consumer_wait_seconds >= 0


@pytest.mark.parametrize("threads", [1, 8])
def test_stats_count_what_was_delivered(jets: sw.Dataset, threads: int) -> None:
    loader = jet_loader(jets, batch_size=100, threads=threads)
    for number, _ in enumerate(loader, start=1):
        stats = loader.stats()
        assert stats is not None
        assert (stats.batches, stats.rows) == (number, 100 * number)


def test_shows_itself(jets: sw.Dataset) -> None:
    loader = jet_loader(jets)
    assert repr(loader).startswith("<Loader: 9600 rows in 38 batches of part [3, 40] float32")
    assert "part_mask" in loader._repr_html_()


# PyTorch


def test_torch_shares_memory_and_values(jets: sw.Dataset) -> None:
    torch = pytest.importorskip("torch")
    arrays, tensors = jet_loader(jets).numpy(), jet_loader(jets).torch()
    for one, other in zip(arrays, tensors, strict=True):
        for name, array in one.items():
            assert torch.equal(other[name], torch.from_numpy(array))
    batch = next(jet_loader(jets).torch("cpu"))
    assert batch["target"].dtype == torch.int64
    assert batch["part_mask"].dtype == torch.bool


# Ends


def num_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def settled(count: int) -> bool:
    """Whether the process has no more than `count` threads, at the latest soon."""
    deadline = time.monotonic() + 5
    while num_threads() > count and time.monotonic() < deadline:
        time.sleep(0.01)
    return num_threads() <= count


def test_dropped_iterator_ends_its_threads(examples: Path) -> None:
    many = sw.open({"jets": [examples / "QCD_ttree.root"] * 10})  # more than there may be batches ready
    before = num_threads()
    for _ in range(10):
        batches = iter(many.loader("part_px", pad=128, threads=4, memory="60 MB", buffer_rows=1500))
        next(batches)
        assert num_threads() > before
        del batches
        gc.collect()
        assert settled(before)


def test_finished_epoch_leaves_no_threads(jets: sw.Dataset) -> None:
    before = num_threads()
    loader = jet_loader(jets, threads=4)
    list(loader)
    assert settled(before)


def test_break_in_the_loop(jets: sw.Dataset) -> None:
    before = num_threads()
    loader = jet_loader(jets)
    for _ in loader:
        break
    gc.collect()
    assert settled(before)
    assert len(list(loader)) == len(loader)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_abandoned_loaders_free_their_memory(jets: sw.Dataset) -> None:
    def use_a_little() -> None:
        batches = iter(jet_loader(jets, buffer_rows=5000))
        next(batches)

    for _ in range(5):
        use_a_little()
    gc.collect()
    before = resident_bytes()
    for _ in range(30):
        use_a_little()
    gc.collect()
    assert resident_bytes() < before + 30e6


def test_batches_outlive_the_loader(events: Events) -> None:
    loader = id_loader(events, batch_size=100, threads=4)
    batches = [batch["features"] for batch in loader]
    copies = [batch.copy() for batch in batches]
    del loader
    gc.collect()
    list(id_loader(events, batch_size=100, seed=99))  # memory given back would be used again here
    for batch, copy in zip(batches, copies, strict=True):
        assert np.array_equal(batch, copy)


def test_batches_can_be_written_to(events: Events) -> None:
    for batch in id_loader(events):
        batch["features"] += 1


def test_two_epochs_at_once(events: Events) -> None:
    loader = id_loader(events)
    one, other = iter(loader), iter(loader)
    rows = [ids([a, b]) for a, b in zip(one, other, strict=True)]
    assert Counter(np.concatenate(rows).tolist()) == Counter(events[1]["id"].tolist() * 2)


LOOP = """
import signal, sys, sapwood as sw
signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell ignore it
loader = sw.open(sys.argv[1]).loader("jet_pt", batch_size=16)
print("ready", flush=True)
while True:
    for batch in loader:
        pass
"""


def test_ctrl_c_ends_at_once(examples: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LOOP, str(examples / "QCD_ttree.root")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            begin = time.monotonic()
            _, errors = process.communicate(timeout=20)
            assert time.monotonic() - begin < 2
        finally:
            process.kill()
    assert errors.strip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT


# Bounds


@pytest.mark.parametrize("threads", [1, 8, 16])
@pytest.mark.parametrize(
    "options",
    [
        {"memory": "16 MB"},
        {"memory": "16 MB", "buffer_rows": 10},
        {"memory": "1 GB", "buffer_rows": 10},
        {"memory": "20 MB", "batch_size": 30_000},
        {"memory": "16 MB", "shuffle": False},
    ],
)
def test_what_is_accepted_is_read_within_its_memory(make_tree: MakeTree, threads: int, options: dict[str, Any]) -> None:
    path = make_tree("many.root", {"id": np.arange(300_000), "x": np.zeros(300_000, np.float32)}, clusters=3)
    loader = sw.open(path).loader(["id", "x"], dtype="int64", seed=1, threads=threads, **options)
    assert np.array_equal(np.sort(ids(loader)), np.arange(300_000))
    stats = loader.stats()
    assert stats is not None
    assert stats.peak_bytes <= loader.explain().memory


def test_wide_rows_in_order(make_tree: MakeTree) -> None:
    path = make_tree("wide.root", {"wide": np.arange(20_000 * 256, dtype=np.float32).reshape(20_000, 256)}, clusters=20)
    loader = sw.open(path).loader("wide", shuffle=False, memory="40 MB", threads=2)
    assert np.array_equal(ids(loader), np.arange(20_000) * 256.0)


def test_batches_too_large_are_refused_before_anything_is_read(make_tree: MakeTree) -> None:
    data = sw.open(make_tree("many.root", {"x": np.zeros(900_000, np.float32)}, clusters=9))
    with pytest.raises(sw.ConfigError, match=r"batches of 300000 rows .* \d+ rows would"):
        data.loader("x", batch_size=300_000, memory="20 MB")


@pytest.mark.parametrize("memory", ["inf", "1e400", 2**64, [], -1, "lots"])
def test_memory_that_is_none(events: Events, memory: Any) -> None:
    with pytest.raises(sw.ConfigError, match="memory is"):
        id_loader(events, memory=memory)


def test_memory_may_be_a_float(events: Events) -> None:
    assert id_loader(events, memory=1e8).explain().memory == 10**8


def test_epochs_are_bounded(events: Events) -> None:
    loader = id_loader(events)
    loader.epoch = 2**32
    with pytest.raises(sw.ConfigError, match="epoch is 4294967296"):
        next(iter(loader))


LIMITED = """
import resource, sys
import sapwood as sw
data = sw.open(sys.argv[1] + "/QCD_ttree.root")
loader = data.loader("jet_pt", threads=64)
used = int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmSize"))) * 1024
resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, used + 2**26))  # no room for so many stacks
try:
    list(loader)
except sw.IoError as error:
    print(error)
"""


def test_threads_that_are_not_to_be_had(examples: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", LIMITED, str(examples)], timeout=60, capture_output=True, text=True)
    assert "can't start a thread" in ended.stdout, ended.stderr


def test_a_forked_child_may_drop_its_parents_iterator(events: Events) -> None:
    running = iter(id_loader(events, batch_size=1))
    next(running)
    child = os.fork()
    if child == 0:
        del running
        gc.collect()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert len(list(running)) == 999


def test_more_files_than_may_be_open(make_tree: MakeTree) -> None:
    columns = {"i": np.arange(3), "j": ak.Array([[1], [], [2, 3]])}
    paths = [make_tree(f"f{i}.root", columns) for i in range(300)]
    code = (
        "import resource, sys; import sapwood as sw\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (250, 250))\n"
        "data = sw.open(sys.argv[1])\n"
        "assert len(data.arrays()['j']) == 900\n"
        "assert sum(len(batch['features']) for batch in data.loader('i', threads=4)) == 900\n"
    )
    subprocess.run([sys.executable, "-c", code, str(paths[0].parent / "f*.root")], timeout=60, check=True)
