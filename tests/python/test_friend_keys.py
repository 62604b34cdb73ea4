"""Friends whose entries are found by keys."""

import pickle
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

import sapwood as sw

EVENTS = 1000


def write(path: Path, tree: str, data: dict[str, Any], clusters: int = 4) -> None:
    arrays = {name: ak.Array(values) for name, values in data.items()}
    with uproot.recreate(path) as file:
        written = file.mktree(tree, {name: ak.type(values).content for name, values in arrays.items()})
        step = -(-len(next(iter(arrays.values()))) // clusters)
        for start in range(0, step * clusters, step):
            written.extend({name: values[start : start + step] for name, values in arrays.items()})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """events.root; and friends of it in the same order, in any order, and with half of the events."""
    folder = tmp_path_factory.mktemp("keys")
    numbers = np.arange(EVENTS)
    run, event = (numbers // 100).astype("int32"), (numbers * 7 + 3).astype("uint64")
    write(folder / "events.root", "t", {"run": run, "event": event, "x": numbers * 1.0})

    def write_friend(name: str, which: np.ndarray, files: int) -> None:
        for number, part in enumerate(np.array_split(which, files)):
            lists = ak.Array([[float(i)] * (i % 3) for i in part])
            data = {"run": run[part], "event": event[part], "y": part * 2.0, "lists": lists}
            write(folder / f"{name}{number}.root", "f", data)

    write_friend("same", numbers, 2)
    write_friend("mixed", np.random.default_rng(1).permutation(numbers), 3)
    write_friend("half", np.random.default_rng(2).permutation(numbers)[: EVENTS // 2], 1)
    return folder


def friend(folder: Path, name: str) -> sw.Dataset:
    return sw.open(folder / f"{name}*.root", "f").select(["y", "lists"])


@pytest.mark.parametrize("name", ["same", "mixed"])
def test_entries_of_the_same_keys_go_together(folder: Path, name: str) -> None:
    data = sw.open(folder / "events.root").friend(friend(folder, name), on=["run", "event"])
    for copy in (data, pickle.loads(pickle.dumps(data))):  # noqa: S301
        arrays = copy.arrays(["x", "y", "lists"], library="np")
        assert (arrays["y"] == 2 * arrays["x"]).all()
        assert all(entry.tolist() == [i] * (i % 3) for i, entry in enumerate(arrays["lists"]))
    part = data.arrays(["y", "lists"], entry_start=333, entry_stop=444, library="np")
    assert part["y"].tolist() == [2.0 * i for i in range(333, 444)]
    assert [len(entry) for entry in part["lists"]] == [i % 3 for i in range(333, 444)]


def test_formulas_limits_and_loaders_use_them(folder: Path) -> None:
    data = sw.open(folder / "events.root").friend(friend(folder, "mixed"), prefix="f", on="event")
    filtered = data.limit(500).filter("f.y > 100 && x < 200")
    assert ak.to_list(filtered.arrays(["x"])["x"]) == [float(i) for i in range(51, 200)]
    loader = data.loader(features=["x", "f.y"], batch_size=64, seed=1)
    rows = np.concatenate([batch["features"] for batch in loader.numpy()])
    assert len(rows) == EVENTS
    assert (rows[:, 1] == 2 * rows[:, 0]).all()


def test_entries_without_partner(folder: Path) -> None:
    data = sw.open(folder / "events.root")
    with pytest.raises(sw.ConfigError, match=r"no entry of the friend has event = \d+, as entry \d+ has"):
        data.friend(friend(folder, "half"), on="event")
    filled = data.friend(friend(folder, "half"), on=["event", "run"], missing="fill")
    arrays = filled.arrays(["x", "y", "lists"], library="np")
    found = arrays["y"] != 0
    assert EVENTS // 2 - 1 <= found.sum() <= EVENTS // 2
    assert (arrays["y"][found] == 2 * arrays["x"][found]).all()
    assert all(len(entry) == (i % 3 if found[i] else 0) for i, entry in enumerate(arrays["lists"]) if i > 0)


def test_wrong_keys_are_told(folder: Path) -> None:
    data = sw.open(folder / "events.root")
    with pytest.raises(sw.ConfigError, match=r"two entries of the friend, 0 and 1, have run = 0"):
        data.friend(friend(folder, "same"), on="run")
    with pytest.raises(sw.ConfigError, match="'y' is float64: a key is an integer"):
        friend(folder, "same").friend(friend(folder, "mixed"), prefix="f", on="y")
    with pytest.raises(sw.SchemaError, match="nothing"):
        data.friend(friend(folder, "same"), on="nothing")
    with pytest.raises(sw.ConfigError, match="missing is 'drop'"):
        data.friend(friend(folder, "same"), on="event", missing="drop")  # type: ignore[arg-type]


def test_keys_of_all_64_bits_and_files_without_partners(tmp_path: Path) -> None:
    keys = np.array([0, 1, 2**63, 2**63 + 1, 2**64 - 2, 2**64 - 1], dtype="uint64")
    write(tmp_path / "a.root", "t", {"key": keys[:3], "x": np.arange(3.0)}, clusters=1)
    write(tmp_path / "b.root", "t", {"key": keys[3:], "x": np.arange(3.0, 6.0)}, clusters=1)
    write(tmp_path / "f.root", "f", {"key": keys[::-1], "y": np.arange(6.0)[::-1]}, clusters=2)
    write(tmp_path / "g.root", "f", {"key": keys[3:], "y": np.arange(3.0, 6.0)}, clusters=1)
    data = sw.open([tmp_path / "a.root", tmp_path / "b.root"], "t")
    whole = data.friend(sw.open(tmp_path / "f.root").select(["y"]), on="key")
    assert whole.arrays(["y"], library="np")["y"].tolist() == list(range(6))
    half = data.friend(sw.open(tmp_path / "g.root").select(["y"]), on="key", missing="fill")
    assert half.arrays(["y"], library="np")["y"].tolist() == [0, 0, 0, 3, 4, 5]
