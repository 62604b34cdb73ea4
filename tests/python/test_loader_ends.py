"""Clean ends: no threads, no memory left behind, wherever an epoch is left."""

import gc
import os
import time
from collections import Counter
from pathlib import Path

import numpy as np
from interrupts import interrupt
from loader_rows import Events, id_loader, ids, jet_loader

import sapwood as sw


def num_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def settled(count: int) -> bool:
    """Whether the process has no more than `count` threads, at the latest soon."""
    deadline = time.monotonic() + 5
    while num_threads() > count and time.monotonic() < deadline:
        time.sleep(0.01)
    return num_threads() <= count


def test_dropped_iterator_ends_its_threads(examples: Path) -> None:
    many = sw.open({"jets": [examples / "QCD_ttree.root"] * 10})  # more than there may be batches ready
    before = num_threads()
    for _ in range(10):
        batches = iter(many.loader("part_px", pad=128, threads=4, memory="60 MB", buffer_rows=1500))
        next(batches)
        assert num_threads() > before
        del batches
        gc.collect()
        assert settled(before)


def test_finished_epoch_leaves_no_threads(jets: sw.Dataset) -> None:
    before = num_threads()
    loader = jet_loader(jets, threads=4)
    list(loader)
    assert settled(before)


def test_break_in_the_loop(jets: sw.Dataset) -> None:
    before = num_threads()
    loader = jet_loader(jets)
    for _ in loader:
        break
    gc.collect()
    assert settled(before)
    assert len(list(loader)) == len(loader)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_abandoned_loaders_free_their_memory(jets: sw.Dataset) -> None:
    def use_a_little() -> None:
        batches = iter(jet_loader(jets, buffer_rows=5000))
        next(batches)

    for _ in range(5):
        use_a_little()
    gc.collect()
    before = resident_bytes()
    for _ in range(30):
        use_a_little()
    gc.collect()
    assert resident_bytes() < before + 30e6


def test_batches_outlive_the_loader(events: Events) -> None:
    loader = id_loader(events, batch_size=100, threads=4)
    batches = [batch["features"] for batch in loader]
    copies = [batch.copy() for batch in batches]
    del loader
    gc.collect()
    list(id_loader(events, batch_size=100, seed=99))  # memory given back would be used again here
    for batch, copy in zip(batches, copies, strict=True):
        assert np.array_equal(batch, copy)


def test_batches_can_be_written_to(events: Events) -> None:
    for batch in id_loader(events):
        batch["features"] += 1


def test_two_epochs_at_once(events: Events) -> None:
    loader = id_loader(events)
    one, other = iter(loader), iter(loader)
    rows = [ids([a, b]) for a, b in zip(one, other, strict=True)]
    assert Counter(np.concatenate(rows).tolist()) == Counter(events[1]["id"].tolist() * 2)


def test_ctrl_c_ends_at_once(examples: Path) -> None:
    begin = "loader = sw.open(sys.argv[1]).loader('jet_pt', batch_size=16)"
    assert interrupt(begin, "for _ in loader: pass", examples / "QCD_ttree.root") < 2


def test_a_forked_child_may_drop_its_parents_iterator(events: Events) -> None:
    running = iter(id_loader(events, batch_size=1))
    next(running)
    child = os.fork()
    if child == 0:
        del running
        gc.collect()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert len(list(running)) == 999
