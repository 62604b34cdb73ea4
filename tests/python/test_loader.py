"""Batches: every row once, the same bits whatever the threads, and what a loader says of itself."""

from typing import Any

import numpy as np
import pytest
from conftest import MakeTree, numbered
from loader_rows import Events, id_loader, ids, jet_loader, same_batches

import sapwood as sw

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


def test_epochs_on_a_device_can_be_repeated(events: Events) -> None:
    loader = id_loader(events)
    first = next(loader.torch("cpu"))["features"]
    loader.epoch = 0
    assert np.array_equal(ids(loader)[: len(first)], first[:, 0])
