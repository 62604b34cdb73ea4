"""Splits of a loader: no row in two parts, the same parts each time."""

import pickle
from itertools import islice

import numpy as np
import pytest
from loader_rows import Events, id_loader, ids

import sapwood as sw


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
