"""Rows that stay in memory from epoch to epoch: the same batches, read once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Columns, MakeTree, numbered

import sapwood as sw

Events = tuple[list[Path], Columns]


def loader_of(paths: list[Path], **options: Any) -> sw.Loader:
    wanted = {"batch_size": 64, "seed": 7, "dtype": {"id": "int64"}, **options}
    return sw.open(paths).loader(
        {"id": "id", "x": ["x", "sqrt(y)"], "hits": ["hit", "channel"]}, pad={"hits": 3}, **wanted
    )


def contents(batches: Any) -> list[bytes]:
    return [b"".join(array.tobytes() for array in batch.values()) for batch in batches]


def read_in_last_epoch(loader: sw.Loader) -> int:
    stats = loader.stats()
    assert stats is not None
    return stats.stored_bytes


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("memory", [None, "200 MB"])
@pytest.mark.parametrize("buffer_rows", [None, 100])
def test_the_same_batches_without_reading(
    events: Events, memory: str | None, buffer_rows: int | None, shuffle: bool, threads: int
) -> None:
    options = {"memory": memory, "buffer_rows": buffer_rows, "shuffle": shuffle, "threads": threads}
    plain = loader_of(events[0], cache=False, **options)
    kept = loader_of(events[0], **options)
    assert plain.explain().cached == 0
    assert kept.explain().cached == 1
    assert "all of the rows stay" in str(kept.explain())
    for epoch in range(3):
        assert contents(kept) == contents(plain)
        assert read_in_last_epoch(plain) == plain.explain().stored_bytes
        assert read_in_last_epoch(kept) == (plain.explain().stored_bytes if epoch == 0 else 0)


def test_parts_of_a_split_share_what_is_kept(events: Events) -> None:
    train, val = loader_of(events[0]).split(val=0.3)
    plain_train, plain_val = loader_of(events[0], cache=False).split(val=0.3)
    assert contents(train) == contents(plain_train)
    assert contents(val) == contents(plain_val)
    assert read_in_last_epoch(val) == 0
    by_value = [loader_of(events[0], cache=cache).split(val="kind == 2")[1] for cache in (True, False)]
    for _ in range(2):
        assert contents(by_value[0]) == contents(by_value[1])
    assert read_in_last_epoch(by_value[0]) == 0


def test_epochs_at_once_and_left_early(events: Events) -> None:
    kept, plain = loader_of(events[0], threads=2), loader_of(events[0], cache=False)
    first, second = iter(kept), iter(kept)
    pairs = list(zip(first, second, strict=True))
    assert contents(pair[0] for pair in pairs) == contents(plain)
    assert contents(pair[1] for pair in pairs) == contents(plain)
    next(iter(kept))
    plain.epoch = kept.epoch
    assert contents(kept) == contents(plain)


def test_resuming_with_rows_that_are_kept(events: Events) -> None:
    kept = loader_of(events[0], buffer_rows=100)
    list(kept)
    running = iter(kept)
    some = [next(running) for _ in range(5)]
    state = kept.state_dict()
    rest = contents(running)
    kept.load_state_dict(state)
    assert contents(kept) == rest
    assert len(some) + len(rest) == len(kept)


def test_ranks_keep_what_they_read(events: Events) -> None:
    ranks = [loader_of(events[0], rank=rank, world_size=2, memory=None) for rank in range(2)]
    plain = [loader_of(events[0], rank=rank, world_size=2, cache=False) for rank in range(2)]
    for _ in range(8):
        for kept, other in zip(ranks, plain, strict=True):
            assert contents(kept) == contents(other)
    assert sum(map(read_in_last_epoch, ranks)) < sum(map(read_in_last_epoch, plain))


def test_part_of_the_rows_where_memory_is_short(make_tree: MakeTree) -> None:
    """A buffer of few rows, and room for about half of them."""
    columns = {f"x{i}": np.arange(200_000, dtype=np.float64) + i for i in range(20)}
    path = make_tree("big.root", columns, clusters=100)
    data = sw.open(path)
    loaders = [
        data.loader(list(columns), memory="64 MB", buffer_rows=2000, seed=1, cache=cache, dtype="float64")
        for cache in (True, False)
    ]
    share = loaders[0].explain().cached
    assert 0.3 < share < 1
    for epoch in range(3):
        assert contents(loaders[0]) == contents(loaders[1])
        read = read_in_last_epoch(loaders[0]) / read_in_last_epoch(loaders[1])
        assert read == pytest.approx(1 if epoch == 0 else 1 - share, abs=0.06)
        stats = loaders[0].stats()
        assert stats is not None
        assert stats.peak_bytes < 64e6


def test_memory_of_a_few_bytes_still_loads(make_tree: MakeTree) -> None:
    data = sw.open(make_tree("small.root", numbered(3000), clusters=30))
    loader = data.loader("x", memory="2 MB", seed=1)
    for _ in range(2):
        assert sum(len(batch["features"]) for batch in loader) == 3000
