"""Files with wrong bytes: what can be read comes, what can't is in the ledger."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from conftest import MakeTree, numbered

import sapwood as sw

ENTRIES = 2000


@pytest.fixture
def broken(make_tree: MakeTree) -> list[Path]:
    """Two files of ten clusters each; of the first one, bytes of clusters 3 and 7 are wrong."""
    paths = [
        make_tree(f"{name}.root", numbered(ENTRIES, first), clusters=10) for name, first in (("a", 0), ("b", ENTRIES))
    ]
    with uproot.open(paths[0]) as file:
        branches = file["tree"]
        places = [branches[name].member("fBasketSeek")[basket] for name, basket in (("x", 3), ("hit", 7))]
    data = bytearray(paths[0].read_bytes())
    for place in places:
        data[place + 100 : place + 140] = b"\xff" * 40
    paths[0].write_bytes(data)
    return paths


def loader_of(paths: list[Path], **options: Any) -> sw.Loader:
    wanted = {"batch_size": 100, "seed": 3, "buffer_rows": 300, **options}
    return sw.open(paths).loader(
        {"id": "id", "x": "x", "hits": "hit"}, pad={"hits": 3}, dtype={"id": "int64"}, **wanted
    )


def ids(batches: list[Any]) -> list[int]:
    return np.concatenate([batch["id"][:, 0] for batch in batches]).tolist() if batches else []


def readable() -> list[int]:
    numbers = np.arange(2 * ENTRIES)
    return (numbers[~((numbers >= 600) & (numbers < 800) | (numbers >= 1400) & (numbers < 1600))] + 2**40).tolist()


def test_wrong_bytes_are_raised_unless_told(broken: list[Path]) -> None:
    with pytest.raises(sw.FormatError, match=r"a\.root"):
        list(loader_of(broken))
    with pytest.raises(sw.ConfigError, match="on_error"):
        loader_of(broken, on_error="ignore")


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("shuffle", [True, False])
def test_clusters_that_cannot_be_read_are_skipped(broken: list[Path], shuffle: bool, threads: int) -> None:
    loader = loader_of(broken, on_error="skip", shuffle=shuffle, threads=threads)
    with pytest.warns(RuntimeWarning, match="400 rows in 2 ranges.*a.root"):
        rows = ids(list(loader))
    assert sorted(rows) == readable()
    assert sorted((skip.start, skip.stop) for skip in loader.skipped()) == [(600, 800), (1400, 1600)]
    assert all(skip.file == str(broken[0]) and skip.error for skip in loader.skipped())
    stats = loader.stats()
    assert stats is not None
    assert (stats.skipped_rows, stats.repeated_rows, stats.rows) == (400, 0, 3600)


@pytest.mark.parametrize("device", [None, "cpu"])
def test_where_warnings_are_errors_all_batches_come_before(broken: list[Path], device: str | None) -> None:
    pytest.importorskip("torch")
    loader = loader_of(broken, on_error="skip")
    rows: list[int] = []

    def loop() -> None:
        for batch in loader.torch(device):
            rows.extend(batch["id"][:, 0].tolist())

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="400 rows"):
            loop()
    assert sorted(rows) == readable()
    assert (loader.state_dict()["epoch"], loader.state_dict()["batches"]) == (1, 0)
    with pytest.warns(RuntimeWarning, match="400 rows"):
        assert sum(len(batch["id"]) for batch in loader.torch(device)) == len(rows)


def test_columns_that_are_not_wanted_may_be_wrong(broken: list[Path]) -> None:
    loader = sw.open(broken).loader("id", dtype="int64", seed=1, on_error="skip")
    assert sum(len(batch["features"]) for batch in loader) == 2 * ENTRIES
    assert loader.skipped() == []


def test_ranks_that_skip_repeat_rows(broken: list[Path]) -> None:
    epochs = []
    skipped = repeated = 0
    for rank in range(3):
        loader = loader_of(broken, on_error="skip", rank=rank, world_size=3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            epochs.append(list(loader))
        stats = loader.stats()
        assert stats is not None
        skipped += stats.skipped_rows
        repeated += stats.repeated_rows
        assert len(epochs[-1]) == len(loader)
    rows = [row for epoch in epochs for row in ids(epoch)]
    assert len(rows) == 2 * ENTRIES
    assert sorted(set(rows)) == readable()
    assert skipped == repeated == 400


def test_resuming_after_skipped_rows(broken: list[Path]) -> None:
    with pytest.warns(RuntimeWarning, match="skipped"):
        expected = ids(list(loader_of(broken, on_error="skip")))
    first = loader_of(broken, on_error="skip")
    running = iter(first)
    some = [next(running) for _ in range(20)]
    second = loader_of(broken, on_error="skip")
    second.load_state_dict(first.state_dict())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ids(some) + ids(list(second)) == expected


@pytest.mark.parametrize("shuffle", [True, False])
def test_ranks_that_skip_resume_after_any_batch(broken: list[Path], shuffle: bool) -> None:
    for rank in range(2):
        options = {"on_error": "skip", "rank": rank, "world_size": 2, "shuffle": shuffle}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = [batch["id"].tobytes() for batch in loader_of(broken, **options)]
            first = loader_of(broken, **options)
            for after, _ in enumerate(first, start=1):
                second = loader_of(broken, **options)
                second.load_state_dict(first.state_dict())
                assert [batch["id"].tobytes() for batch in second] == expected[after:]


def test_one_rank_repeats_nothing_after_a_restart(broken: list[Path]) -> None:
    first = loader_of(broken, on_error="skip")
    running = iter(first)
    for _ in range(10):
        next(running)
    second = loader_of(broken, on_error="skip", batch_size=50)
    second.load_state_dict(first.state_dict())
    with pytest.warns(RuntimeWarning, match="skipped"):
        list(second)
    stats = second.stats()
    assert stats is not None
    assert stats.repeated_rows == 0


@pytest.mark.parametrize("format", ["TTree", "RNTuple"])
def test_whatever_byte_is_wrong_each_row_comes_or_is_listed(make_tree: MakeTree, format: str) -> None:
    """Flips bytes, one at a time, everywhere in the file."""
    columns = {name: numbered(ENTRIES)[name] for name in ("id", "x", "hit")}
    path = make_tree("flipped.root", columns, clusters=8, format=format)
    good = path.read_bytes()
    random = np.random.default_rng(5)
    skips = 0
    for place in random.integers(200, len(good), 60):
        data = bytearray(good)
        data[place] ^= 1 << int(random.integers(8))
        path.write_bytes(data)
        try:
            loader = loader_of([path], on_error="skip")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rows = ids(list(loader))
        except sw.Error:
            continue  # the metadata is wrong
        lost = [number for skip in loader.skipped() for number in range(skip.start, skip.stop)]
        skips += len(loader.skipped())
        assert sorted(row - 2**40 for row in rows) == sorted(set(range(ENTRIES)) - set(lost))
    assert skips > 10
