"""Going on where a loader stood: the batches that would have come, bit for bit, on another loader."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Columns, MakeTree, numbered
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sapwood as sw

Events = tuple[list[Path], Columns]


def loader_of(events: Events, **options: Any) -> sw.Loader:
    wanted = {"batch_size": 64, "seed": 7, "buffer_rows": 150, **options}
    return sw.open(events[0]).loader({"id": "id", "hits": "hit"}, pad={"hits": 3}, dtype={"id": "int64"}, **wanted)


def contents(batches: Any) -> list[bytes]:
    return [b"".join(array.tobytes() for array in batch.values()) for batch in batches]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batch_size=st.integers(1, 400),
    buffer_rows=st.none() | st.integers(1, 1200),
    epoch=st.integers(0, 5),
    shuffle=st.booleans(),
    drop_remainder=st.booleans(),
    split=st.none() | st.floats(0.05, 0.95),
    threads=st.tuples(st.sampled_from([1, 2, 4, 8]), st.sampled_from([1, 2, 4, 8])),
    data=st.data(),
)
def test_goes_on_after_any_batch(
    events: Events, split: float | None, epoch: int, threads: tuple[int, int], data: st.DataObject, **options: Any
) -> None:
    first, second = (loader_of(events, threads=count, **options) for count in threads)
    if split is not None:
        first, second = first.split(val=split)[1], second.split(val=split)[1]
    first.epoch = epoch
    expected = contents(first)
    after = data.draw(st.integers(0, len(expected)))
    first.epoch = epoch
    running = iter(first)
    given_out = contents(islice(running, after))
    state = json.loads(json.dumps(first.state_dict()))
    assert given_out == expected[:after]
    second.load_state_dict(state)
    if after == len(expected) and after > 0:  # all were given, but the end was not asked for
        assert contents(second) == []
    else:
        assert contents(second) == expected[after:]
    assert second.epoch == epoch + 1
    assert contents(second) == contents(loader_at(first, epoch + 1))


def loader_at(loader: sw.Loader, epoch: int) -> sw.Loader:
    loader.epoch = epoch
    return loader


def test_state_of_a_drawn_seed(events: Events) -> None:
    first = loader_of(events, seed=None)
    running = iter(first)
    next(running)
    state = first.state_dict()
    rest = contents(running)
    second = loader_of(events, seed=None)
    second.load_state_dict(state)
    assert second.seed == first.seed
    assert contents(second) == rest
    assert contents(second) == contents(first)


def test_state_between_epochs(events: Events) -> None:
    first = loader_of(events)
    assert first.state_dict()["epoch"] == 0
    list(first)
    state = first.state_dict()
    assert (state["epoch"], state["batches"]) == (1, 0)
    second = loader_of(events)
    second.load_state_dict(state)
    assert second.state_dict() == state
    assert contents(second) == contents(first)


def test_state_after_a_loop_that_was_left(events: Events) -> None:
    first = loader_of(events)
    for number, _ in enumerate(first):
        if number == 4:
            break
    state = first.state_dict()
    assert (state["epoch"], state["batches"]) == (0, 5)
    second = loader_of(events)
    second.load_state_dict(state)
    assert contents(second) == contents(loader_of(events))[5:]


def test_another_epoch_forgets_the_place(events: Events) -> None:
    loader = loader_of(events)
    next(iter(loader))
    state = loader.state_dict()
    loader.epoch = 5
    assert (loader.state_dict()["epoch"], loader.state_dict()["batches"]) == (5, 0)
    loader.load_state_dict(state)
    loader.epoch = 3
    assert (loader.state_dict()["epoch"], loader.state_dict()["batches"]) == (3, 0)
    with pytest.raises(sw.ConfigError, match="epoch is -1"):
        loader.epoch = -1


def test_a_failed_start_keeps_the_place(make_tree: MakeTree) -> None:
    path = make_tree("ten.root", numbered(10))
    loader = sw.open(path).loader("x", batch_size=4, seed=1)
    running = iter(loader)
    list(islice(running, 2))
    state = loader.state_dict()
    many = sw.open(path).loader("x", batch_size=4, seed=1, rank=0, world_size=8)
    many.load_state_dict(state)
    for _ in range(2):
        with pytest.raises(sw.ConfigError, match="2 rows can't be parted"):
            next(iter(many))
        assert many.state_dict() == state


def test_state_of_the_newest_iteration(events: Events) -> None:
    pytest.importorskip("torch")
    for device in (None, "cpu"):
        loader = loader_of(events)
        older, newer = loader.torch(device), loader.torch(device)
        next(older)
        list(islice(newer, 2))
        next(older)
        assert (loader.state_dict()["epoch"], loader.state_dict()["batches"]) == (1, 2)
        list(older)
        assert (loader.state_dict()["epoch"], loader.state_dict()["batches"]) == (1, 2)


def test_state_is_small_and_does_not_change(events: Events) -> None:
    loader = loader_of(events)
    running = iter(loader)
    next(running)
    state = loader.state_dict()
    assert len(json.dumps(state)) < 500
    kept = dict(state)
    next(running)
    assert state == kept != loader.state_dict()


@pytest.mark.parametrize(
    ("options", "names"),
    [({"shuffle": False}, "shuffle"), ({"drop_remainder": True}, "drop")],
)
def test_states_of_other_options_are_refused(events: Events, options: dict[str, Any], names: str) -> None:
    state = loader_of(events).state_dict()
    with pytest.raises(sw.ConfigError, match=names):
        loader_of(events, **options).load_state_dict(state)


def test_states_of_other_data_are_refused(events: Events, make_tree: MakeTree) -> None:
    state = loader_of(events).state_dict()
    with pytest.raises(sw.ConfigError, match="other data"):
        loader_of((events[0][1:], {})).load_state_dict(state)
    with pytest.raises(sw.ConfigError, match="other features"):
        sw.open(events[0]).loader("id", batch_size=64, buffer_rows=150).load_state_dict(state)
    part = loader_of(events, seed=8).split(val=0.5)[0]
    with pytest.raises(sw.ConfigError, match="split"):
        part.load_state_dict(state)
    with pytest.raises(sw.ConfigError, match="seed=7"):
        part.load_state_dict(loader_of(events).split(val=0.5)[0].state_dict())
    big = sw.open(make_tree("big.root", numbered(200_000))).loader("x", memory="100 MB", seed=1)
    small = sw.open(make_tree("big.root", numbered(200_000))).loader("x", memory="12 MB", seed=1)
    with pytest.raises(sw.ConfigError, match="room for about"):
        small.load_state_dict(big.state_dict())


@pytest.mark.parametrize(
    "change",
    [
        {"version": 9},
        {"bucket": "x"},
        {"closed": [[1, 64]]},
        {"closed": [[0, 64, 2]]},
        {"rank": 1},
        {"part": [[0.5, 0.2]]},
        {"key": -1},
        {"batches": -3},
        {"bucket": 10**9},
        {"epoch": None},
        {"seed": 2**70},
    ],
)
def test_broken_states_are_refused(events: Events, change: dict[str, Any]) -> None:
    loader = loader_of(events)
    running = iter(loader)
    next(running)
    state = {**loader.state_dict(), **change}
    with pytest.raises(sw.ConfigError):
        load_and_run(loader, state)
    with pytest.raises(sw.ConfigError, match="missing"):
        loader.load_state_dict({})


def load_and_run(loader: sw.Loader, state: dict[str, Any]) -> None:
    loader.load_state_dict(state)
    list(loader)


def test_in_checkpoints_of_pytorch(events: Events, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    loader = loader_of(events)
    running = loader.torch()
    next(running)
    torch.save({"loader": loader.state_dict()}, tmp_path / "checkpoint.pt")
    rest = [batch["id"].numpy() for batch in running]
    other = loader_of(events)
    other.load_state_dict(torch.load(tmp_path / "checkpoint.pt")["loader"])
    assert np.array_equal(np.concatenate(rest), np.concatenate([batch["id"].numpy() for batch in other.torch()]))
