"""Classes and bins as often as asked for: exact, the same number in each epoch, and all through it."""

import json
import pickle
from collections import Counter
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MakeTree, write_tree
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sapwood as sw

SIZES = {"rare": 150, "some": 400, "many": 2000}
label_of = np.repeat(list(SIZES), list(SIZES.values()))


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> sw.Dataset:
    """Three samples of 150, 400 and 2,000 rows in five files; `id` counts the rows of all of them."""
    folder = tmp_path_factory.mktemp("samples")
    rng = np.random.default_rng(3)
    paths: dict[str, list[Path]] = {}
    first = 0
    for label, size in SIZES.items():
        files = 3 if label == "many" else 1
        for file, (start, stop) in enumerate(pairwise(np.linspace(0, size, files + 1).astype(int))):
            number = np.arange(first + start, first + stop)
            columns = {
                "id": number.astype(np.int64),
                "kind": (number % 10 // 7 + 2 * (number % 10 == 9)).astype(np.int32),
                "pt": rng.exponential(100, len(number)).astype(np.float32),
                "eta": rng.normal(0, 1.2, len(number)),
            }
            path = folder / f"{label}_{file}.root"
            write_tree(path, columns, clusters=6 if label == "many" else 2)
            paths.setdefault(label, []).append(path)
        first += size
    return sw.open(paths)


@pytest.fixture(scope="module")
def columns(samples: sw.Dataset) -> dict[str, Any]:
    return {name: np.asarray(values) for name, values in samples.arrays(["id", "kind", "pt", "eta"]).items()}


def loader_of(data: sw.Dataset, **options: Any) -> sw.Loader:
    wanted = {"batch_size": 50, "seed": 7, "buffer_rows": 120, **options}
    return data.loader("id", dtype="int64", **wanted)


def ids(batches: Any) -> list[int]:
    parts = [np.asarray(batch["features"])[:, 0] for batch in batches]
    return np.concatenate(parts).tolist() if parts else []


def classes_of(rows: list[int]) -> dict[str, int]:
    return dict(Counter(label_of[rows].tolist()))


def assert_even(uses: np.ndarray[Any, Any]) -> None:
    assert uses.max() - uses.min() <= 1, np.unique(uses, return_counts=True)


def test_samples_come_equally_often(samples: sw.Dataset) -> None:
    loader = loader_of(samples).balance()
    assert loader.num_rows == 450
    assert len(loader) == 9
    uses = np.zeros(len(label_of), int)
    for epoch in range(14):
        rows = ids(loader)
        assert classes_of(rows) == {"rare": 150, "some": 150, "many": 150}
        assert len(set(rows)) == len(rows)
        np.add.at(uses, rows, 1)
        if epoch == 13:
            assert uses[-2000:].min() == 1  # 14 * 150 of 2,000
    for label in SIZES:
        assert_even(uses[label_of == label])


@pytest.mark.parametrize("buffer_rows", [None, 20, 120, 1000])
def test_oversampling(samples: sw.Dataset, buffer_rows: int | None) -> None:
    shares = {"rare": 0.5, "some": 0.2, "many": 0.3}
    loader = loader_of(samples, buffer_rows=buffer_rows).balance(fractions=shares, most_copies=3.5)
    assert loader.num_rows == 1050
    total = np.zeros(len(label_of), int)
    for _ in range(5):
        rows = ids(loader)
        assert classes_of(rows) == {"rare": 525, "some": 210, "many": 315}
        uses = np.bincount(rows, minlength=len(label_of))
        for label in SIZES:
            assert_even(uses[label_of == label])
        total += uses
    for label in SIZES:
        assert_even(total[label_of == label])


@pytest.mark.parametrize("rows", [3, 100, 1001, 1777])
def test_number_of_rows(samples: sw.Dataset, rows: int) -> None:
    loader = loader_of(samples, shuffle=rows % 2 == 0).balance(rows=rows, most_copies=12)
    assert loader.num_rows == rows
    got = classes_of(ids(loader))
    assert sum(got.values()) == rows
    assert max(got.values()) - min(got.values()) <= 1


@pytest.mark.parametrize("by", ["kind", "kind * 1.0", "kind + 0.5 - 0.5"])
def test_values_of_a_column(samples: sw.Dataset, columns: dict[str, Any], by: str) -> None:
    loader = loader_of(samples).balance(by, fractions={0: 0.5, 1: 0.25, 3: 0.25})
    stored = np.bincount(columns["kind"])
    assert stored.tolist() == [1785, 510, 0, 255]
    assert loader.num_rows == 1020
    uses = np.zeros(len(label_of), int)
    for _ in range(4):
        rows = ids(loader)
        assert np.bincount(columns["kind"][rows]).tolist() == [510, 255, 0, 255]
        np.add.at(uses, rows, 1)
    for kind in (0, 1, 3):
        assert_even(uses[columns["kind"] == kind])
    assert [of.name for of in loader.explain().classes] == ["0", "1", "3"]


def test_by_sample_label_is_by_samples(samples: sw.Dataset) -> None:
    loaders = [loader_of(samples).balance(by) for by in (None, "sample_label")]
    assert ids(loaders[0]) == ids(loaders[1])


@pytest.mark.parametrize("most_copies", [1, 3])
@pytest.mark.parametrize("rows", [None, 300])
def test_bins_come_equally_often(
    samples: sw.Dataset, columns: dict[str, Any], rows: int | None, most_copies: int
) -> None:
    bins = {"pt": [0.0, 50, 100, 200, np.inf], "eta": [-2.5, -1, 0, 1, 2.5]}
    loader = loader_of(samples).balance(bins=bins, rows=rows, most_copies=most_copies)
    plan = loader.explain()
    inside = np.abs(columns["eta"]) <= 2.5
    assert plan.outside == (~inside).sum()
    if rows is not None:
        assert loader.num_rows == rows
    for _ in range(2):
        got = ids(loader)
        assert len(got) == loader.num_rows
        for of, label in zip(plan.classes, SIZES, strict=True):
            chosen = [row for row in got if label_of[row] == label]
            axes, edges = ["pt", "eta"], list(bins.values())
            counts = np.histogramdd([columns[axis][chosen] for axis in axes], edges)[0].ravel()
            mask = inside & (label_of == label)
            stored = np.histogramdd([columns[axis][mask] for axis in axes], edges)[0].ravel()
            assert (of.rows, of.stored, of.bins) == (len(chosen), mask.sum(), (stored > 0).sum())
            most = stored * most_copies
            level = counts[counts < most].min() if (counts < most).any() else most.max()
            assert ((counts == most) | (counts >= level)).all()
            assert counts.max() <= level + 1
            assert of.short_bins == ((most > 0) & (most < level)).sum()
            if rows is None:
                assert level <= np.ceil(np.quantile(stored[stored > 0], 0.1) * most_copies)


def test_edges_as_numpy_has_them(make_tree: MakeTree) -> None:
    values = np.array([0.0, 1, 2, 2, 1, -1, 3, np.nan, 0.5, 1.5, np.inf])
    path = make_tree("edges.root", {"v": values, "id": np.arange(len(values))})
    loader = sw.open(path).loader("id", dtype="int64", seed=1).balance(bins={"v": [0, 1, 2]}, rows=6)
    got = ids(loader)
    inside = values[(values >= 0) & (values <= 2)]
    assert np.histogram(inside, [0, 1, 2])[0].tolist() == [2, 5]
    assert np.histogram(values[got], [0, 1, 2])[0].tolist() == [2, 4]
    assert loader.explain().outside == 4


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> sw.Dataset:
    """Samples of 1,000, 5,000 and 20,000 rows, in 10, 20 and 60 clusters."""
    folder = tmp_path_factory.mktemp("uneven")
    first = 0
    for label, size, clusters in UNEVEN:
        write_tree(folder / f"{label}.root", {"id": np.arange(first, first + size)}, clusters=clusters)
        first += size
    return sw.open({label: folder / f"{label}.root" for label, _, _ in UNEVEN})


UNEVEN = [("rare", 1000, 10), ("some", 5000, 20), ("many", 20_000, 60)]
uneven_sample_of = np.repeat(range(3), [size for _, size, _ in UNEVEN])


@pytest.mark.parametrize("buffer_rows", [300, 1200])
@pytest.mark.parametrize(
    "balance",
    [
        {},
        {"rows": 9000, "most_copies": 3},
        {"rows": 30_000, "most_copies": 10},
        {"fractions": {"rare": 0.1, "some": 0.1, "many": 0.8}},
    ],
)
def test_balance_holds_all_through_the_epoch(uneven: sw.Dataset, balance: dict[str, Any], buffer_rows: int) -> None:
    """Numbers of a class in batches vary about as `explain` says, from what drawing rows gives on."""
    loader = uneven.loader("id", dtype="int64", seed=5, batch_size=60, buffer_rows=buffer_rows).balance(**balance)
    plan = loader.explain()
    share = np.array([of.rows for of in plan.classes]) / loader.num_rows
    drawn = 60 * share * (1 - share) * (loader.num_rows - 60) / (loader.num_rows - 1)
    ratios = []
    for _ in range(3):
        for batch in islice(loader, loader.num_rows // 60):
            counts = np.bincount(uneven_sample_of[batch["features"][:, 0]], minlength=3)
            ratios.append(((counts - 60 * share) ** 2 / drawn).mean())
    assert plan.expected_vif - 0.3 < np.mean(ratios) < 1.2 * plan.expected_vif + 0.2
    if balance.get("rows", 0) < 10_000 and "fractions" not in balance:
        assert np.mean(ratios) < 1.35


def test_scarce_units_are_spread_over_the_epoch(uneven: sw.Dataset) -> None:
    """Copies of a row lie apart: in each quarter of the epoch there are about a quarter of the rare rows."""
    plain = uneven.loader("id", dtype="int64", seed=5, batch_size=60, buffer_rows=1000)
    loader = plain.balance(rows=24_000, most_copies=8)
    assert 1.2 < loader.explain().stored_bytes / plain.explain().stored_bytes < 1.8
    for quarter in np.array_split(np.array(ids(loader)), 4):
        uses = np.bincount(quarter, minlength=len(uneven_sample_of))[:1000]
        assert abs(uses.sum() - 2000) < 350
        assert uses.max() <= 6
        assert (uses > 0).mean() > 0.6


def test_more_rows_than_memory_has_numbers_for(make_tree: MakeTree) -> None:
    """Which class a row is of is read again, and ranks are refused."""
    number = np.arange(300_000)
    data = sw.open(make_tree("long.root", {"id": number, "kind": number // 7 % 10 // 8}, clusters=30))

    def make(**options: Any) -> sw.Loader:
        loader = data.loader("id", dtype="int64", batch_size=1000, **{"seed": 2, "buffer_rows": 5000, **options})
        return loader.split(val=0.1)[0].balance("kind", bins={"id % 10": [0, 5, 9]}, rows=30_000)

    few, many = make(memory="2 MB"), make(memory="50 MB")
    for _ in range(2):
        assert ids(few) == ids(many)
    with pytest.raises(sw.ConfigError, match="for ranks or restarts, takes 600000 bytes"):
        next(iter(make(memory="2 MB", rank=0, world_size=2)))


@pytest.mark.parametrize("options", [{}, {"shuffle": False}, {"cache": False}, {"buffer_rows": None}])
@pytest.mark.parametrize(
    "balance", [{}, {"most_copies": 6}, {"by": "kind", "bins": {"pt": [0, 100, 300]}, "most_copies": 4}]
)
def test_threads_and_memory_change_nothing(
    samples: sw.Dataset, options: dict[str, Any], balance: dict[str, Any]
) -> None:
    loaders = [loader_of(samples, threads=threads, **options).balance(**balance) for threads in (1, 2, 4, 8)]
    for _ in range(3):
        assert len({tuple(ids(loader)) for loader in loaders}) == 1
    other = loader_of(samples, **{**options, "seed": 8}).balance(**balance)
    if options.get("shuffle", True):
        assert ids(other) != ids(loaders[0])


def test_rows_that_stay_in_memory(samples: sw.Dataset) -> None:
    kept, plain = (loader_of(samples, cache=cache).balance(most_copies=5, rows=2000) for cache in (True, False))
    for epoch in range(3):
        assert ids(kept) == ids(plain)
        stats = kept.stats()
        assert stats is not None
        assert (stats.stored_bytes > 0) == (epoch == 0)
    plain_stats = plain.stats()
    assert plain_stats is not None
    assert plain_stats.stored_bytes == plain.explain().stored_bytes


@pytest.mark.parametrize(
    "split",
    [
        lambda loader: loader.split(val=0.3)[0],
        lambda loader: loader.split(val="id % 4 == 1")[1],
        lambda loader: loader.split(val=0.4, by=["id"])[0],
        lambda loader: loader.k_fold(3)[1][0],
        lambda loader: loader.split(val=0.5)[0].split(val="kind > 0")[0],
    ],
)
def test_parts_of_splits(samples: sw.Dataset, split: Any) -> None:
    part = split(loader_of(samples))
    whole = ids(part)
    loader = part.balance(most_copies=2)
    stored = classes_of(whole)
    uses = np.zeros(len(label_of), int)
    for _ in range(3):
        rows = ids(loader)
        assert len(rows) == loader.num_rows
        got = classes_of(rows)
        assert got == dict.fromkeys(SIZES, 2 * min(stored.values()))
        np.add.at(uses, rows, 1)
    assert set(np.flatnonzero(uses)) <= set(whole)
    for label in SIZES:
        assert_even(uses[[row for row in whole if label_of[row] == label]])


def test_parts_by_files(make_tree: MakeTree) -> None:
    paths = {
        label: [make_tree(f"{label}{i}.root", {"id": np.arange(size) + 1000 * i}) for i in range(4)]
        for label, size in (("a", 30), ("b", 90))
    }
    train = sw.open(paths).loader("id", dtype="int64", seed=3, batch_size=10).split(val=0.25, by="file")[0]
    loader = train.balance()
    assert loader.num_rows == 180
    assert len(ids(loader)) == 180


BALANCES = st.sampled_from(
    [
        {},
        {"rows": 777, "most_copies": 7},
        {"by": "kind", "most_copies": 3.5},
        {"bins": {"pt": [0, 60, 200, np.inf], "eta": [-3, 0, 3]}, "most_copies": 4},
    ]
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    balance=BALANCES,
    epoch=st.integers(0, 5),
    split=st.none() | st.just(0.5),
    options=st.fixed_dictionaries(
        {"buffer_rows": st.none() | st.integers(1, 1200), "shuffle": st.booleans(), "threads": st.integers(1, 3)}
    ),
    legs=st.lists(st.tuples(st.integers(1, 4), st.integers(2, 50), st.integers(0, 4)), min_size=1, max_size=4),
    data=st.data(),
)
def test_the_same_rows_whatever_the_ranks(
    samples: sw.Dataset,
    balance: dict[str, Any],
    epoch: int,
    split: float | None,
    options: dict[str, Any],
    legs: list[tuple[int, int, int]],
    data: st.DataObject,
) -> None:
    """Each leg is (ranks, batch size, batches before the restart); the last one goes on to the end."""

    def make(**more: Any) -> sw.Loader:
        loader = loader_of(samples, **options, **more)
        loader = (loader.split(val=split)[0] if split else loader).balance(**balance)
        loader.epoch = epoch
        return loader

    given_out: list[int] = []
    state: dict[str, Any] | None = None
    for number, (ranks, batch_size, batches) in enumerate(legs):
        last = number == len(legs) - 1
        counts, states = set(), []
        try:
            for rank in range(ranks):
                loader = make(batch_size=batch_size, rank=rank, world_size=ranks)
                if state is not None:
                    loader.load_state_dict(state)
                running = iter(loader)
                some = list(islice(running, None if last else batches))
                given_out.extend(ids(some))
                counts.add(len(some))
                states.append(json.loads(json.dumps(loader.state_dict())))
                running.close()
        except sw.ConfigError as error:  # fewer rows than ranks are left
            if "can't be parted" not in str(error):
                raise
            return
        assert len(counts) == 1
        state = data.draw(st.sampled_from(states))
        if state["epoch"] > epoch:
            break
    assert sorted(given_out) == sorted(ids(make()))


@pytest.mark.parametrize("balance", [{"rows": 800, "most_copies": 7}, {"by": "kind", "bins": {"pt": [0, 50, 500]}}])
@pytest.mark.parametrize("shuffle", [True, False])
def test_goes_on_after_every_batch(samples: sw.Dataset, balance: dict[str, Any], shuffle: bool) -> None:
    first, second = (loader_of(samples, threads=threads, shuffle=shuffle).balance(**balance) for threads in (1, 3))
    first.epoch = 2
    expected = [ids([batch]) for batch in first]
    first.epoch = 2
    for after, batch in enumerate(first, start=1):
        assert ids([batch]) == expected[after - 1]
        second.load_state_dict(json.loads(json.dumps(first.state_dict())))
        assert [ids([rest]) for rest in second] == expected[after:]


def test_ranks_have_as_many_batches(samples: sw.Dataset) -> None:
    for ranks in range(1, 6):
        loaders = [
            loader_of(samples, rank=rank, world_size=ranks).balance(rows=903, most_copies=8) for rank in range(ranks)
        ]
        epochs = [list(loader) for loader in loaders]
        assert {len(epoch) for epoch in epochs} == {len(loaders[0])}
        assert [len(ids(epoch)) for epoch in epochs] == [loader.num_rows for loader in loaders]
        assert classes_of([row for epoch in epochs for row in ids(epoch)]) == dict.fromkeys(SIZES, 301)
        assert "from 2,550" in str(loaders[0].explain())


def test_pickling_and_shares(samples: sw.Dataset) -> None:
    loader = loader_of(samples).split(val=0.2)[0].balance("kind", bins={"pt": [0, 100, 500]}, most_copies=2)
    running = iter(loader)
    list(islice(running, 3))
    copy = pickle.loads(pickle.dumps(loader))  # noqa: S301
    assert ids(copy) == ids(running)
    shares = [loader.share(worker, 3) for worker in range(3)]
    for share in shares:
        share.epoch = 0
    loader.epoch = 0
    assert sorted(row for share in shares for row in ids(share)) == sorted(ids(loader))


def test_in_a_data_loader(samples: sw.Dataset) -> None:
    torch_data = pytest.importorskip("torch.utils.data")
    loader = loader_of(samples).balance(most_copies=3)
    expected = sorted(ids(loader))
    loader.epoch = 0
    got = ids(torch_data.DataLoader(loader.torch_dataset(num_workers=2), batch_size=None, num_workers=2))
    assert sorted(got) == expected


def test_states_of_other_balances_are_refused(samples: sw.Dataset) -> None:
    state = loader_of(samples).balance().state_dict()
    others: list[dict[str, Any]] = [
        {"rows": 300},
        {"by": "kind"},
        {"bins": {"pt": [0, 1000]}},
        {"fractions": {"rare": 0.5, "some": 0.25, "many": 0.25}},
    ]
    for other in others:
        with pytest.raises(sw.ConfigError, match="balance differ"):
            loader_of(samples, batch_size=50).balance(**other).load_state_dict(state)
    with pytest.raises(sw.ConfigError, match="balance differ"):
        loader_of(samples).load_state_dict(state)
    other_seed = loader_of(samples, seed=9).balance()
    other_seed.load_state_dict(state)
    assert ids(other_seed) == ids(loader_of(samples).balance())


@pytest.mark.parametrize("buffer_rows", [4000, None])
def test_memory_holds(make_tree: MakeTree, buffer_rows: int | None) -> None:
    """A rare class of 300 rows that come 200 times as often as others, in few entries."""
    wide = {f"x{i}": np.arange(60_000, dtype=np.float64) for i in range(30)}
    rare = {name: values[:300] for name, values in wide.items()}
    data = sw.open({"many": make_tree("many.root", wide, clusters=30), "rare": make_tree("rare.root", rare)})
    loader = data.loader(list(wide), memory="24 MB", buffer_rows=buffer_rows, seed=1, dtype="float64", cache=False)
    balanced = loader.balance(rows=120_000, most_copies=200)
    rows = sum(len(batch["features"]) for batch in balanced)
    assert rows == 120_000
    stats, plan = balanced.stats(), balanced.explain()
    assert stats is not None
    assert stats.peak_bytes < 24e6
    assert plan.stored_bytes < 3.5 * loader.explain().stored_bytes


def test_what_it_will_do_is_told(samples: sw.Dataset) -> None:
    loader = loader_of(samples).balance(bins={"pt": [0, 50, 100, np.inf], "eta": [-2, 2]}, rows=900, most_copies=3)
    text = str(loader.explain())
    for words in (
        "rows           900 from 2,550 in 5 files",
        "balance        class  rows stored  rows of an epoch  copies",
        "in 9 bins that hold rows",
        "rows are outside the bins",
    ):
        assert words in text, text
    assert loader_of(samples).explain().classes == []


def test_unreadable_clusters(make_tree: MakeTree) -> None:
    number = np.arange(4000)
    path = make_tree("events.root", {"id": number, "noise": np.random.default_rng(1).random(4000)}, clusters=8)
    good = sw.open(path).loader(["id", "noise"], dtype="float64", seed=1, batch_size=100).balance("id % 2", rows=1000)
    expected = [np.asarray(batch["features"])[:, 0].astype(int).tolist() for batch in good]
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    path.write_bytes(data)

    def make(**options: Any) -> sw.Loader:
        loader = sw.open(path).loader(
            ["id", "noise"], dtype="float64", seed=1, batch_size=100, on_error="skip", **options
        )
        return loader.balance("id % 2", rows=1000)

    loader = make()
    with pytest.warns(RuntimeWarning, match="were skipped"):
        rows = [row for batch in loader for row in batch["features"][:, 0].astype(int).tolist()]
    lost = [(of.start, of.stop) for of in loader.skipped()]
    stats = loader.stats()
    assert stats is not None
    kept = [row for batch in expected for row in batch if not any(start <= row < stop for start, stop in lost)]
    assert rows == kept
    assert stats.skipped_rows == 1000 - len(rows) > 0
    with pytest.warns(RuntimeWarning, match="came twice in their place"):
        assert [sum(len(batch["features"]) for batch in make(rank=rank, world_size=2)) for rank in (0, 1)] == [500, 500]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fractions": {"rare": 0.5, "some": 0.5}}, "'many' missing"),
        ({"fractions": {"rare": 0.5, "some": 0.25, "many": 0.2, "none": 0.05}}, "'none' is no class; there are 'rare'"),
        ({"fractions": {"rare": 0.5, "some": 0.25, "many": 0.2}}, "sum to 0.95"),
        ({"fractions": {"rare": 0.5, "some": 0.5, "many": 0}}, "'many' is 0"),
        ({"by": "kind", "fractions": {0: 0.5, 1: 0.5}}, "'3' missing"),
        ({"rows": 451}, "class 'rare' has 150 rows, which give at most 150 with most_copies=1, .* 451 rows is 151"),
        ({"rows": 0}, "rows is 0"),
        ({"most_copies": 0.5}, "most_copies is 0.5"),
        ({"most_copies": 1001}, "most_copies is 1001"),
        ({"bins": {"pt": [1]}}, "edges of 'pt'"),
        ({"bins": {"pt": [1, 1]}}, "edges of 'pt'"),
        ({"bins": {"pt": [0, float("nan")]}}, "edges of 'pt'"),
        ({"bins": {"pt": [-2, -1]}}, "class 'rare' has no rows"),
        ({"bins": {"pt": range(300), "eta": range(300)}}, "bins: more than 65535"),
        ({"by": "id", "bins": {"pt": range(101)}}, "'id' has more than 655 different values"),
        ({"by": "kind", "fractions": {0: 0.5, 1: 0.3, 3.5: 0.2}}, "'3.5' is no class"),
        ({"by": "pt"}, "'pt' is .*: classes are whole numbers"),
        ({"by": "1 + 1"}, "read no column"),
    ],
)
def test_what_can_not_be_balanced(samples: sw.Dataset, options: dict[str, Any], message: str) -> None:
    with pytest.raises(sw.ConfigError, match=message):
        loader_of(samples).balance(**options)


def test_columns_that_are_no_numbers(events: Any) -> None:
    loader = sw.open(events[0]).loader("id", seed=1)
    for options in ({"by": "hit"}, {"bins": {"position": [0, 1]}}, {"by": "idd"}):
        with pytest.raises(sw.SchemaError, match=r"one number for each entry|idd"):
            loader.balance(**options)


def test_balance_comes_last_and_once(samples: sw.Dataset) -> None:
    loader = loader_of(samples).balance()
    for again in (
        lambda: loader.balance(),
        lambda: loader.split(val=0.5),
        lambda: loader.split(val="kind > 0"),
        lambda: loader.k_fold(2),
    ):
        with pytest.raises(sw.ConfigError, match="split it first, then balance"):
            again()
