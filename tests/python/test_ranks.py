"""Several processes that share an epoch: each row once among them, as many batches on each, also after restarts."""

import json
import os
import pickle
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, Columns, MakeTree, numbered
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sapwood as sw

Events = tuple[list[Path], Columns]


def loader_of(events: Events, **options: Any) -> sw.Loader:
    wanted = {"batch_size": 64, "seed": 7, "buffer_rows": 150, **options}
    return sw.open(events[0]).loader("id", dtype="int64", **wanted)


def ids(batches: Any) -> list[int]:
    parts = [np.asarray(batch["features"])[:, 0] for batch in batches]
    return np.concatenate(parts).tolist() if parts else []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    epoch=st.integers(0, 5),
    split=st.none() | st.floats(0.3, 0.9),
    options=st.fixed_dictionaries(
        {
            "buffer_rows": st.none() | st.integers(1, 1200),
            "shuffle": st.booleans(),
            "threads": st.sampled_from([1, 2, 8]),
        }
    ),
    legs=st.lists(st.tuples(st.integers(1, 8), st.integers(2, 50), st.integers(0, 4)), min_size=1, max_size=4),
    data=st.data(),
)
def test_every_row_once_whatever_the_ranks(
    events: Events,
    epoch: int,
    split: float | None,
    options: dict[str, Any],
    legs: list[tuple[int, int, int]],
    data: st.DataObject,
) -> None:
    """Each leg is (ranks, batch size, batches before the restart); the last one goes on to the end."""
    given_out: list[int] = []
    state: dict[str, Any] | None = None

    def run_leg(ranks: int, batch_size: int, batches: int | None) -> list[dict[str, Any]]:
        counts, states = set(), []
        for rank in range(ranks):
            loader = loader_of(events, batch_size=batch_size, rank=rank, world_size=ranks, **options)
            if split is not None:
                loader = loader.split(val=split)[1]
            loader.epoch = epoch
            if state is not None:
                loader.load_state_dict(state)
            running = iter(loader)
            some = list(islice(running, batches))
            given_out.extend(ids(some))
            counts.add(len(some))
            states.append(json.loads(json.dumps(loader.state_dict())))
            running.close()
        assert len(counts) == 1
        return states

    for number, (ranks, batch_size, batches) in enumerate(legs):
        last = number == len(legs) - 1
        try:
            states = run_leg(ranks, batch_size, None if last else batches)
        except sw.ConfigError as error:  # fewer rows than ranks are left
            if "can't be parted" not in str(error):
                raise
            run_leg(1, batch_size, None)
            break
        state = data.draw(st.sampled_from(states))
        if state["epoch"] > epoch:
            break
    whole = loader_of(events, **options)
    if split is not None:
        whole = whole.split(val=split)[1]
    assert sorted(given_out) == sorted(ids(whole))


@pytest.mark.parametrize("drop_remainder", [False, True])
@pytest.mark.parametrize("ranks", range(1, 9))
def test_as_many_batches_on_each_rank(events: Events, ranks: int, drop_remainder: bool) -> None:
    loaders = [
        loader_of(events, rank=rank, world_size=ranks, drop_remainder=drop_remainder, batch_size=50)
        for rank in range(ranks)
    ]
    epochs = [list(loader) for loader in loaders]
    assert {len(epoch) for epoch in epochs} == {len(loader) for loader in loaders} == {len(loaders[0])}
    rows = [row for epoch in epochs for row in ids(epoch)]
    assert len(set(rows)) == len(rows) == (1000 // (50 * ranks) * 50 * ranks if drop_remainder else 1000)
    assert [loader.num_rows for loader in loaders] == [len(ids(epoch)) for epoch in epochs]
    plans = [loader.explain() for loader in loaders]
    assert sum(plan.rows + plan.dropped_rows for plan in plans) == 1000
    assert ("left out" in str(plans[0])) == (plans[0].dropped_rows > 0)


def test_another_epoch_has_other_rows(events: Events) -> None:
    loader = loader_of(events, rank=0, world_size=4)
    assert set(ids(loader)) != set(ids(loader))


def test_state_of_another_rank_will_do(events: Events) -> None:
    first, second = (loader_of(events, rank=rank, world_size=2) for rank in range(2))
    expected = ids(second)
    running = iter(first)
    list(islice(running, 3))
    second.load_state_dict(first.state_dict())
    assert ids(second) == expected[3 * 64 :]


def test_rows_that_do_not_part_evenly_are_refused(make_tree: MakeTree) -> None:
    few = sw.open(make_tree("few.root", numbered(5)))
    with pytest.raises(sw.ConfigError, match="5 rows can't be parted among 8 ranks"):
        list(few.loader("x", seed=1, rank=0, world_size=8))
    assert list(few.loader("x", seed=1, rank=0, world_size=8, drop_remainder=True)) == []
    with pytest.raises(sw.ConfigError, match="batches of 1"):
        len(few.loader("x", batch_size=1, seed=1, rank=0, world_size=2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rank": 2, "world_size": 2}, "rank is 2"),
        ({"rank": -1, "world_size": 2}, "rank is -1"),
        ({"rank": 0, "world_size": 0}, "world_size is 0"),
        ({"rank": 1}, "give both"),
        ({"rank": 0, "world_size": 2, "seed": None}, "give seed"),
    ],
)
def test_wrong_ranks_are_refused(events: Events, options: dict[str, Any], message: str) -> None:
    with pytest.raises(sw.ConfigError, match=message):
        loader_of(events, **options)


def test_torchrun_tells_the_rank(events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "3")
    loader = loader_of(events)
    assert (loader.rank, loader.world_size) == (1, 3)
    assert "rank" in str(loader.explain())
    assert loader_of(events, rank=0, world_size=1).world_size == 1


def test_ranks_are_found_when_they_are_known(events: Events) -> None:
    """Of a loader that was made before `torch.distributed` was initialised."""
    distributed = pytest.importorskip("torch").distributed
    fake = pytest.importorskip("torch.testing._internal.distributed.fake_pg")
    loaders = [loader_of(events), loader_of(events).split(val=0.5)[0], loader_of(events, rank=0, world_size=1)]
    without_seed = loader_of(events, seed=None)
    assert [loader.world_size for loader in loaders] == [1, 1, 1]
    distributed.init_process_group("fake", rank=1, world_size=3, store=fake.FakeStore())
    try:
        assert [(loader.rank, loader.world_size) for loader in loaders] == [(1, 3), (1, 3), (0, 1)]
        assert ids(loaders[0]) == ids(loader_of(events, rank=1, world_size=3))
        assert pickle.loads(pickle.dumps(loaders[0])).world_size == 3  # noqa: S301
        with pytest.raises(sw.ConfigError, match="give seed"):
            len(without_seed)
    finally:
        distributed.destroy_process_group()


PARTS = {
    "whole": lambda loader: loader,
    "fraction": lambda loader: loader.split(val=0.3)[1],
    "training rows of a fold": lambda loader: loader.k_fold(3)[1][0],
    "validation rows of a fold, parted": lambda loader: loader.k_fold(3)[1][1].split(val=0.5)[0],
    "file": lambda loader: loader.split(val=0.4, by="file")[0],
    "values": lambda loader: loader.split(val=0.4, by=["id"])[1],
    "condition": lambda loader: loader.split(val="kind == 2", test="kind == 3")[2],
}


@pytest.mark.parametrize("part", PARTS)
def test_pickled_loaders_are_the_same(events: Events, part: str) -> None:
    data = sw.open({"a": (events[0][:1], 1.5), "b": (events[0][1:], 2.0)}).limit(900)
    loader = data.loader({"features": "id"}, dtype="int64", target="sample_label", batch_size=64, buffer_rows=100)
    loader = PARTS[part](loader)
    list(loader)
    again = pickle.loads(pickle.dumps(loader))  # noqa: S301
    assert ids(again) == ids(loader) != []


@pytest.mark.parametrize("buffer_rows", [None, 100])
@pytest.mark.parametrize("part", ["whole", "fraction", "values"])
def test_pickled_shares_are_the_same(events: Events, part: str, buffer_rows: int | None) -> None:
    loader = PARTS[part](loader_of(events, memory="90 MB", threads=6, batch_size=20, buffer_rows=buffer_rows))
    loader.epoch = 3
    share = loader.share(1, 3)
    again = pickle.loads(pickle.dumps(share))  # noqa: S301
    assert (again.rank, again.world_size, again.epoch) == (1, 3, 3)
    plan = again.explain()
    assert (plan.memory, plan.threads) == (30_000_000, 2)
    assert str(plan) == str(share.explain())
    running = iter(again)
    some = ids(islice(running, 4))
    later = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(again))))  # noqa: S301
    assert later.explain().memory == 30_000_000
    assert some + ids(later) == ids(share)
    of_share = pickle.loads(pickle.dumps(share.share(1, 2)))  # noqa: S301
    assert (of_share.rank, of_share.world_size, of_share.explain().memory) == (3, 6, 15_000_000)
    workers = [pickle.loads(pickle.dumps(loader.share(worker, 3))) for worker in range(3)]  # noqa: S301
    assert sorted(row for worker in workers for row in ids(worker)) == sorted(ids(loader))


@pytest.mark.parametrize("part", PARTS)
def test_parts_resume_and_are_shared_among_ranks(events: Events, part: str) -> None:
    whole = PARTS[part](loader_of(events, batch_size=10))
    expected = ids(whole)
    whole.epoch = 0
    running = iter(whole)
    some = ids(islice(running, 5))
    state = whole.state_dict()
    assert some + ids(running) == expected
    again = PARTS[part](loader_of(events, batch_size=10))
    again.load_state_dict(state)
    assert some + ids(again) == expected
    assert len(expected) == whole.num_rows
    ranks = [PARTS[part](loader_of(events, batch_size=10, rank=rank, world_size=3)) for rank in range(3)]
    assert sorted([row for rank in ranks for row in ids(rank)]) == sorted(expected)
    for rank in ranks:
        rank.load_state_dict(state)
    assert sorted(some + [row for rank in ranks for row in ids(rank)]) == sorted(expected)


def test_folds_take_turns(events: Events) -> None:
    validated = []
    for train, val in loader_of(events).k_fold(4):
        rows = ids(val)
        validated += rows
        assert sorted(rows + ids(train)) == events[1]["id"].tolist()
    assert sorted(validated) == events[1]["id"].tolist()
    with pytest.raises(sw.ConfigError, match="folds"):
        loader_of(events).k_fold(1)
    for by in ("file", ["id"]):
        folds = [ids(val) for _, val in loader_of(events).k_fold(3, by=by)]  # type: ignore[arg-type]
        assert sorted(row for fold in folds for row in fold) == events[1]["id"].tolist()


def test_split_by_file(events: Events) -> None:
    loader = loader_of(events)
    train, val = loader.split(val=0.3, by="file")
    assert sorted(ids(train) + ids(val)) == events[1]["id"].tolist()
    assert train.explain().files + val.explain().files == 3
    assert train.explain().stored_bytes + val.explain().stored_bytes == loader.explain().stored_bytes
    with pytest.raises(sw.ConfigError, match="3 files are too few"):
        loader.split(val=0.2, test=0.2, more=0.2, by="file")
    of_samples = sw.open({"a": events[0][:1] * 2, "b": events[0][1:]}).loader("id", seed=1)
    for part in of_samples.split(val=0.5, by="file"):
        assert part.explain().files == 2


def test_split_by_values_is_the_same_wherever_rows_are(events: Events, make_tree: MakeTree) -> None:
    columns = {"id": events[1]["id"][::-1].astype(np.int64), "kind": events[1]["kind"][::-1].astype(np.int16)}
    again = make_tree("again.root", columns)
    parts = loader_of(events).split(val=0.25, test=0.25, by=["id", "kind"])
    others = loader_of(([again], {})).split(val=0.25, test=0.25, by=["id", "kind"])
    for part, other in zip(parts, others, strict=True):
        assert sorted(ids(part)) == sorted(ids(other))
    sizes = [part.num_rows for part in parts]
    assert sum(sizes) == 1000
    assert abs(sizes[0] - 500) < 80
    assert abs(sizes[1] - 250) < 70
    by_kind = loader_of(events).split(val=0.5, by=["kind"])
    kinds = dict(zip(events[1]["id"].tolist(), events[1]["kind"].tolist(), strict=True))
    assert not {kinds[row] for row in ids(by_kind[0])} & {kinds[row] for row in ids(by_kind[1])}


def test_split_by_conditions(events: Events) -> None:
    rest, val, test = loader_of(events).split(val="kind == 2 || kind == 3", test="kind >= 3")
    kinds = dict(zip(events[1]["id"].tolist(), events[1]["kind"].tolist(), strict=True))
    assert {kinds[row] for row in ids(rest)} == {0, 1}
    assert {kinds[row] for row in ids(val)} == {2, 3}
    assert {kinds[row] for row in ids(test)} == {4}
    assert [part.num_rows for part in (rest, val, test)] == [400, 400, 200]
    assert len(rest) == 7


@pytest.mark.parametrize(
    ("parts", "error", "message"),
    [
        ({"val": "kind"}, sw.SchemaError, "must be bool"),
        ({"val": "hit > 1"}, sw.SchemaError, "must be bool"),
        ({"val": "knid == 2"}, sw.SchemaError, "kind"),
        ({"val": "kind == 2", "test": 0.1}, sw.ConfigError, "either fractions or conditions"),
        ({"val": "kind == 2", "by": "file"}, sw.ConfigError, "either fractions or conditions"),
        ({"val": "kind == 2", "test": "kind == 2"}, sw.ConfigError, "twice"),
        ({"val": "1 == 1"}, sw.ConfigError, "no column"),
        ({"val": 0.2, "by": "kind"}, sw.ConfigError, "list of columns"),
        ({"val": 0.2, "by": ["hit"]}, sw.SchemaError, "one number"),
        ({"val": 1.2}, sw.ConfigError, "leave rows"),
    ],
)
def test_wrong_splits_are_refused(events: Events, parts: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        loader_of(events).split(**parts)


def test_arrow_batches(events: Events) -> None:
    pa = pytest.importorskip("pyarrow")
    loader = sw.open(events[0]).loader(
        {"flat": ["x", "y"], "hits": "hit"}, pad={"hits": 3}, target="kind", batch_size=64, seed=1
    )
    arrays = list(loader)
    loader.epoch = 0
    for batch, expected in zip(loader.arrow(), arrays, strict=True):
        assert isinstance(batch, pa.RecordBatch)
        assert batch.schema.names == list(expected)
        assert batch.column("target").to_pylist() == expected["target"].tolist()
        for name in ("flat", "hits"):
            assert np.array_equal(batch.column(name).to_numpy_ndarray(), expected[name])
        mask = batch.column("hits_mask")
        assert mask.type.shape == [1, 3]
        assert np.array_equal(np.array(mask.storage.to_pylist()), expected["hits_mask"].reshape(-1, 3))


def test_packed_groups_are_lists_in_arrow(events: Events) -> None:
    pytest.importorskip("pyarrow")
    loader = sw.open(events[0]).loader(
        {"hits": ["hit", "channel"], "id": "id"}, packed="hits", dtype={"id": "int64"}, batch_size=64, shuffle=False
    )
    hits = [hit for batch in loader.arrow() for hit in batch.column("hits").to_pylist()]
    expected = zip(events[1]["hit"].to_list(), events[1]["channel"].to_list(), strict=True)
    assert hits == [[list(pair) for pair in zip(*entry, strict=True)] for entry in expected]


# Of PyTorch


def test_on_a_device_the_state_does_not_count_what_is_copied_ahead(events: Events) -> None:
    pytest.importorskip("torch")
    loader = loader_of(events)
    expected = ids(loader)
    loader.epoch = 0
    running = loader.torch("cpu")
    first = list(islice(running, 4))
    state = loader.state_dict()
    assert state["batches"] == 4
    assert ids(first) + ids(running) == expected
    assert loader.state_dict()["batches"] == 0
    other = loader_of(events)
    other.load_state_dict(state)
    assert ids(other.torch("cpu")) == expected[4 * 64 :]


@pytest.mark.parametrize("context", ["fork", "spawn"])
@pytest.mark.parametrize(("num_workers", "persistent"), [(0, False), (1, False), (2, False), (3, True)])
def test_in_a_data_loader(events: Events, num_workers: int, persistent: bool, context: str) -> None:
    torch = pytest.importorskip("torch")
    loader = loader_of(events, batch_size=40)
    dataset = loader.torch_dataset(num_workers)
    batches = torch.utils.data.DataLoader(
        dataset,
        batch_size=None,
        num_workers=num_workers,
        persistent_workers=persistent,
        multiprocessing_context=context if num_workers else None,
    )
    orders = []
    for epoch in range(2):
        assert dataset.epoch == epoch
        given_out = list(batches)
        assert len(given_out) == len(batches)
        orders.append(ids(given_out))
        assert sorted(orders[-1]) == events[1]["id"].tolist()
    assert orders[0] != orders[1]
    if not persistent:
        dataset.epoch = 0
        assert ids(batches) == orders[0]


@pytest.mark.parametrize("num_workers", [0, 1, 2])
def test_in_torchdatas_stateful_loader(events: Events, num_workers: int) -> None:
    stateful = pytest.importorskip("torchdata.stateful_dataloader")

    def make() -> Any:
        dataset = loader_of(events, batch_size=40).torch_dataset(num_workers)
        return stateful.StatefulDataLoader(dataset, batch_size=None, num_workers=num_workers)

    whole = make()
    expected = [ids(whole) for _ in range(2)]
    first = make()
    running = iter(first)
    some = ids(islice(running, 7))
    second = make()
    second.load_state_dict(first.state_dict())
    assert some + ids(second) == expected[0]
    assert ids(second) == expected[1]
    first = make()
    list(first)
    second = make()
    second.load_state_dict(first.state_dict())
    assert ids(second) == expected[1]


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_may_change_in_number_and_after_a_look(events: Events, context: str) -> None:
    torch = pytest.importorskip("torch")
    dataset = loader_of(events, batch_size=40).torch_dataset()
    next(iter(dataset))
    for num_workers in (2, 0, 3, 2):
        batches = torch.utils.data.DataLoader(
            dataset,
            batch_size=None,
            num_workers=num_workers,
            multiprocessing_context=context if num_workers else None,
        )
        assert sorted(ids(batches)) == events[1]["id"].tolist()
    assert dataset.epoch == 5


def test_states_of_a_data_set(events: Events) -> None:
    pytest.importorskip("torch")
    loader = loader_of(events, batch_size=40)
    dataset = loader.torch_dataset()
    dataset.epoch = 5
    assert dataset.state_dict()["epoch"] == 5
    list(islice(dataset, 3))
    state = dataset.state_dict()
    other = loader_of(events, batch_size=40).torch_dataset()
    other.load_state_dict(state)
    assert other.state_dict() == state
    assert other.epoch == 5
    iter(other)  # is thrown away
    assert len(list(other)) == 22
    assert other.epoch == 6
    other.load_state_dict(state)
    other.epoch = 3
    assert len(list(other)) == 25
    within = loader_of(events, batch_size=40)
    within.load_state_dict(state)
    assert len(list(within.torch_dataset())) == 22
    within.load_state_dict(state)
    with pytest.raises(sw.ConfigError, match="within epoch 5"):
        list(torch_loader(within.torch_dataset(2), 2))


def torch_loader(dataset: Any, num_workers: int) -> Any:
    return pytest.importorskip("torch").utils.data.DataLoader(dataset, batch_size=None, num_workers=num_workers)


def test_lightning_trains(events: Events) -> None:
    lightning = pytest.importorskip("lightning.pytorch")
    import torch

    seen: list[int] = []

    class Model(lightning.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def training_step(self, batch: Any, _: int) -> Any:
            seen.extend(ids([batch]))
            return self.layer(batch["features"].float()).mean()

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 1e-30)

    dataset = loader_of(events).torch_dataset()
    trainer = lightning.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    trainer.fit(Model(), torch.utils.data.DataLoader(dataset, batch_size=None))
    assert sorted(seen[:1000]) == sorted(seen[1000:]) == events[1]["id"].tolist()
    assert seen[:1000] != seen[1000:]


@pytest.mark.slow
def test_the_example_of_two_processes(tmp_path: Path) -> None:
    """Trains with DistributedDataParallel, is stopped half-way, and goes on with another number of processes."""
    pytest.importorskip("torch")
    script = ROOT / "examples" / "ddp" / "train.py"

    def run(processes: int, *arguments: str) -> str:
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
        done = subprocess.run(
            [*command, str(script), "--output", str(tmp_path), *arguments],
            capture_output=True,
            text=True,
            timeout=240,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "epoch 0: 1792 rows" in run(2, "--stop-after", "7")
    out = run(3)
    assert "goes on in epoch 0 with 3 processes" in out
    assert "epoch 0: 5600 rows" in out
    assert "epoch 1: 5600 rows" in out
