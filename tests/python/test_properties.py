"""What a loader promises, for 1 to 8 threads under several bounds on memory: the same bits, each row once, bounds kept,
going on after any batch, ranks and parts that are disjoint and complete.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sapwood as sw

Part = Callable[[sw.Loader], sw.Loader]

THREADS = (1, 2, 4, 8)
MEMORY = ("10 MB", "13 MB", "30 MB", "100 MB", "1 GB", None)
ROWS = 9600

LAYOUTS: dict[str, dict[str, Any]] = {
    "flat": {"features": {"jet": ["jet_pt", "jet_tau1 * 2", "jet_nparticles"]}},
    "padded": {"features": {"part": ["part_px", "part_charge"], "jet": "jet_pt"}, "pad": {"part": 40}},
    "last": {"features": {"part": ["part_px", "part_py"]}, "pad": 12, "channels": "last", "dtype": "float16"},
    "packed": {"features": {"part": ["part_px", "part_charge"], "jet": "jet_pt"}, "packed": "part"},
}

PARTS: dict[str, Part] = {
    "whole": lambda loader: loader,
    "fraction": lambda loader: loader.split(val=0.3)[1],
    "fold": lambda loader: loader.k_fold(3)[1][0],
    "values": lambda loader: loader.split(val=0.4, by=["jet_pt", "jet_eta"])[1],
    "condition": lambda loader: loader.split(val="jet_pt > 600")[1],
}

CASES = {
    "layout": st.sampled_from(list(LAYOUTS)),
    "part": st.sampled_from(list(PARTS)),
    "options": st.fixed_dictionaries(
        {
            "batch_size": st.sampled_from([1, 7, 256, 1000, 20_000]) | st.integers(50, 2000),
            "buffer_rows": st.sampled_from([1, 200, 1500]) | st.integers(1, 3000),
            "shuffle": st.booleans(),
            "drop_remainder": st.booleans(),
            "seed": st.integers(0, 2**64 - 1),
        }
    ),
    "epoch": st.integers(0, 3),
}


def loader_of(jets: sw.Dataset, layout: str, **options: Any) -> sw.Loader:
    return jets.loader(**LAYOUTS[layout], target="sample_label", **options)  # type: ignore[arg-type]


def contents(batches: Iterator[Any] | sw.Loader) -> list[bytes]:
    return [b"".join(array.tobytes() for array in batch.values()) for batch in batches]


def jet_rows(batches: Iterator[Any] | sw.Loader) -> Counter[float]:
    """The jets by a value that all of them have of their own."""
    return Counter(value for batch in batches for value in batch["jet"][:, 0].tolist())


def check_threads_and_memory(
    jets: sw.Dataset,
    layout: str,
    part: str,
    options: dict[str, Any],
    epoch: int,
    threads: int,
    memory: Any,
    cache: bool,
) -> None:
    reference = PARTS[part](loader_of(jets, layout, threads=1, memory=None, **options))
    reference.epoch = epoch
    expected = contents(reference)
    try:
        loader = PARTS[part](loader_of(jets, layout, threads=threads, memory=memory, cache=cache, **options))
    except sw.ConfigError as error:  # it does not fit, and says so before anything is read
        assert "memory" in str(error)  # noqa: PT017
        return
    for _ in range(2):  # the second time with rows that stayed
        loader.epoch = epoch
        assert contents(loader) == expected
        stats = loader.stats()
        assert stats is not None
        assert stats.batches == len(expected) == len(loader)
        assert stats.peak_bytes <= loader.explain().memory or memory is None


def check_going_on(
    jets: sw.Dataset, layout: str, part: str, options: dict[str, Any], epoch: int, threads: int, data: st.DataObject
) -> None:
    first = PARTS[part](loader_of(jets, layout, threads=threads, memory="30 MB", **options))
    first.epoch = epoch
    expected = contents(first)
    for _ in range(3):
        after = data.draw(st.integers(0, max(len(expected) - 1, 0)), label="after")
        first.epoch = epoch
        running = iter(first)
        assert contents(islice(running, after)) == expected[:after]
        state = json.loads(json.dumps(first.state_dict()))
        running.close()  # type: ignore[attr-defined]
        others = data.draw(st.tuples(st.sampled_from(THREADS), st.sampled_from(["30 MB", "1 GB", None])))
        second = PARTS[part](loader_of(jets, layout, threads=others[0], memory=others[1], **options))
        second.load_state_dict(state)
        assert contents(second) == expected[after:]


def check_ranks(
    jets: sw.Dataset, part: str, options: dict[str, Any], epoch: int, legs: list[tuple[int, int, int]], threads: int
) -> None:
    """Each leg is (ranks, batch size, batches before the restart); the last one goes on to the end."""
    options = {**options, "drop_remainder": False}
    expected = jet_rows(PARTS[part](loader_of(jets, "flat", threads=threads, **options)))
    seen: Counter[float] = Counter()
    state: dict[str, Any] | None = None
    for number, (ranks, batch_size, batches) in enumerate(legs):
        counts = set()
        loaders = []
        for rank in range(ranks):
            more = {"threads": threads, "memory": "40 MB", "rank": rank, "world_size": ranks}
            loader = PARTS[part](loader_of(jets, "flat", **{**options, **more, "batch_size": batch_size}))
            loader.epoch = epoch
            if state is not None:
                loader.load_state_dict(state)
            given = list(islice(iter(loader), batches if number < len(legs) - 1 else None))
            seen += jet_rows(iter(given))
            counts.add(len(given))
            loaders.append(loader)
        assert len(counts) == 1
        state = json.loads(json.dumps(loaders[number % ranks].state_dict()))
    assert seen == expected


@settings(max_examples=25, deadline=None)
@given(**CASES, threads=st.sampled_from(THREADS), memory=st.sampled_from(MEMORY), cache=st.booleans())
def test_threads_and_memory_change_nothing(jets: sw.Dataset, **case: Any) -> None:
    check_threads_and_memory(jets, **case)


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(**CASES, threads=st.just(8), memory=st.sampled_from(MEMORY), cache=st.booleans())
def test_threads_and_memory_change_nothing_at_length(jets: sw.Dataset, **case: Any) -> None:
    check_threads_and_memory(jets, **case)


@settings(max_examples=10, deadline=None)
@given(**CASES, threads=st.sampled_from(THREADS), data=st.data())
def test_goes_on_after_any_batch(jets: sw.Dataset, **case: Any) -> None:
    check_going_on(jets, **case)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(**CASES, threads=st.just(8), data=st.data())
def test_goes_on_after_any_batch_at_length(jets: sw.Dataset, **case: Any) -> None:
    check_going_on(jets, **case)


@pytest.mark.parametrize("threads", [(1, 8), (8, 1), (8, 8)])
@pytest.mark.parametrize("layout", ["padded", "packed"])
def test_goes_on_after_every_batch(jets: sw.Dataset, layout: str, threads: tuple[int, int]) -> None:
    small = jets.limit(2400)
    options = {"batch_size": 100, "buffer_rows": 500, "seed": 9}
    first = loader_of(small, layout, threads=threads[0], memory="10 MB", **options)
    expected = contents(first)
    assert len(expected) == 24
    first.epoch = 0
    for after, _ in enumerate(first, start=1):
        second = loader_of(small, layout, threads=threads[1], memory="60 MB", **options)
        second.load_state_dict(first.state_dict())
        assert contents(second) == expected[after:]


RESTARTS = {
    "part": CASES["part"],
    "options": CASES["options"],
    "epoch": CASES["epoch"],
    # Few enough batches that rows are left at each restart.
    "legs": st.lists(st.tuples(st.integers(1, 8), st.integers(2, 60), st.integers(0, 4)), min_size=1, max_size=4),
}


@settings(max_examples=15, deadline=None)
@given(**RESTARTS, threads=st.sampled_from(THREADS))
def test_ranks_and_restarts_cover_each_row_once(jets: sw.Dataset, **case: Any) -> None:
    check_ranks(jets, **case)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(**RESTARTS, threads=st.just(8))
def test_ranks_and_restarts_cover_each_row_once_at_length(jets: sw.Dataset, **case: Any) -> None:
    check_ranks(jets, **case)


@settings(max_examples=15, deadline=None)
@given(
    options=CASES["options"],
    epoch=CASES["epoch"],
    threads=st.sampled_from(THREADS),
    memory=st.sampled_from(["15 MB", "1 GB"]),
    cut=st.floats(0.05, 0.9),
)
def test_parts_are_disjoint_and_complete(
    jets: sw.Dataset, options: dict[str, Any], epoch: int, threads: int, memory: str, cut: float
) -> None:
    wanted = {**options, "drop_remainder": False, "threads": threads, "memory": memory}
    loader = loader_of(jets, "flat", **wanted)
    all_rows = jet_rows(loader)
    assert sum(all_rows.values()) == ROWS
    for parts in (
        loader.split(val=cut, test=(1 - cut) / 2),
        loader.split(val=cut, by=["jet_pt", "jet_eta"]),
        loader.split(val="jet_pt > 700", test="jet_eta > 0"),
        loader.split(val=0.5, by="file"),
        loader.k_fold(3)[epoch % 3],
    ):
        together: Counter[float] = Counter()
        for part in parts:
            part.epoch = epoch
            rows = jet_rows(part)
            assert sum(rows.values()) == part.num_rows
            together += rows
        assert together == all_rows


def test_eight_threads_give_what_one_gives_epoch_after_epoch(jets: sw.Dataset) -> None:
    """With rows that stay in memory, and those that don't, over epochs of one loader."""
    options = {"batch_size": 256, "seed": 3, "buffer_rows": 1000}
    one = loader_of(jets, "padded", threads=1, memory="1 GB", **options)
    epochs = [contents(one) for _ in range(3)]
    for memory in ("10 MB", "14 MB", "100 MB"):
        eight = loader_of(jets, "padded", threads=8, memory=memory, **options)
        assert [contents(eight) for _ in range(3)] == epochs
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert np.unique([len(epoch) for epoch in epochs]).tolist() == [38]
