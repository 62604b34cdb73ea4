"""Loaders within bounds: of memory, threads and open files, and what is refused."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from conftest import MakeTree
from loader_rows import Events, id_loader, ids

import sapwood as sw


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
