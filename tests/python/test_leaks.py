"""A thousand loaders, dropped at all moments, leave neither threads nor file handles nor memory behind."""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import uproot
from conftest import numbered, write_tree

import sapwood as sw

LOADERS = 1000
WARM_UP = 200


class Held(NamedTuple):
    """What the process holds."""

    threads: int
    handles: int
    resident: int  #: bytes
    allocated: int  #: bytes, of the heap; without Python's objects and what is mapped apart
    objects: int  #: of Python

    def check(self, before: Held) -> None:
        """What is held now is what was held then, up to noise: of 500 loaders, not one batch, buffer or thread."""
        assert (self.threads, self.handles) == (before.threads, before.handles)
        assert self.allocated - before.allocated < 100_000
        assert self.objects - before.objects < 250
        # The heap keeps pages for a few small blocks, so that this goes up and down by 2 MB.
        assert self.resident - before.resident < 8_000_000


class HeapInfo(ctypes.Structure):
    """The C library's struct mallinfo2."""

    _fields_ = [(name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd")] + [
        (name, ctypes.c_size_t) for name in ("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
    ]


def held() -> Held:
    library = ctypes.CDLL(None)
    gc.collect()
    library.malloc_trim(0)
    allocated = 0
    if hasattr(library, "mallinfo2"):
        library.mallinfo2.restype = HeapInfo
        info = library.mallinfo2()
        allocated = info.uordblks + info.hblkhd
    threads, handles = (sum(1 for _ in Path(f"/proc/self/{kind}").iterdir()) for kind in ("task", "fd"))
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return Held(threads, handles, resident, allocated, sys.getallocatedblocks())


def settled(before: Held) -> Held:
    """What is held once ended threads, which the system may list for a moment longer, are gone."""
    deadline = time.monotonic() + 5
    while (now := held()).threads != before.threads and time.monotonic() < deadline:
        time.sleep(0.01)
    return now


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Good ones of both formats, and one with a cluster whose bytes are wrong."""
    folder = tmp_path_factory.mktemp("leaks")
    good = [folder / "tree.root", folder / "ntuple.root"]
    write_tree(good[0], numbered(3000), clusters=10)
    write_tree(good[1], numbered(2000, 3000), clusters=5, format="RNTuple")
    broken = folder / "broken.root"
    write_tree(broken, numbered(2000), clusters=10)
    with uproot.open(broken) as file:
        place = file["tree"]["x"].member("fBasketSeek")[6]
    data = bytearray(broken.read_bytes())
    data[place + 100 : place + 140] = b"\xff" * 40
    broken.write_bytes(data)
    return {"good": good, "broken": [*good[:1], broken]}


def loader_of(files: list[Path], chance: random.Random, **options: Any) -> sw.Loader:
    jagged = chance.choice([{"pad": {"hits": 4}}, {"pad": {"hits": 4}, "channels": "last"}, {"packed": "hits"}])
    wanted: dict[str, Any] = {
        "target": "kind",
        "batch_size": chance.choice([50, 256, 1000]),
        "buffer_rows": chance.choice([None, 200, 1500]),
        "threads": chance.choice([1, 2, 4]),
        "shuffle": chance.random() < 0.8,
        "memory": chance.choice(["30 MB", "1 GB"]),
        "seed": chance.randrange(100),
    }
    return sw.open(files).loader({"flat": ["x", "y * 2"], "hits": ["hit", "channel"]}, **jagged, **wanted | options)


def some(batches: Iterator[Any], chance: random.Random) -> list[Any]:
    return list(islice(batches, chance.choice([1, 1, 2, 5])))


# Each makes a loader and drops it at a moment of its own.


def never_used(files: dict[str, list[Path]], chance: random.Random) -> None:
    loader = loader_of(files["good"], chance)
    str(loader.explain()), len(loader), loader.state_dict()


def before_the_first_batch(files: dict[str, list[Path]], chance: random.Random) -> None:
    loader = loader_of(files["good"], chance)
    iter(loader)
    running = loader._current.epoch(0)  # its threads read already
    time.sleep(chance.choice([0, 0.001, 0.003]))
    del loader, running


def in_the_middle(files: dict[str, list[Path]], chance: random.Random) -> None:
    for _ in zip(loader_of(files["good"], chance), range(chance.randrange(4)), strict=False):
        pass


def generator_closed(files: dict[str, list[Path]], chance: random.Random) -> None:
    running = loader_of(files["good"], chance).numpy()
    some(running, chance)
    running.close()  # type: ignore[attr-defined]
    assert next(running, None) is None


def batches_outlive_all(files: dict[str, list[Path]], chance: random.Random) -> None:
    loader = loader_of(files["good"], chance)
    batches = some(iter(loader), chance)
    copies = [batch["flat"].copy() for batch in batches]
    del loader
    for batch, copy in zip(batches, copies, strict=True):
        assert np.array_equal(batch["flat"], copy)
    views = [batch["flat"][1:] for batch in batches]
    del batches
    assert all(np.array_equal(view, copy[1:]) for view, copy in zip(views, copies, strict=True))


def loader_goes_first(files: dict[str, list[Path]], chance: random.Random) -> None:
    running = iter(loader_of(files["good"], chance))
    gc.collect(0)
    assert sum(len(batch["flat"]) for batch in running) == 5000


def two_epochs_at_once(files: dict[str, list[Path]], chance: random.Random) -> None:
    loader = loader_of(files["good"], chance)
    first, second = iter(loader), iter(loader)
    for _ in range(chance.choice([1, 3])):
        next(first), next(second)
    del first
    some(second, chance)


def in_another_thread(files: dict[str, list[Path]], chance: random.Random) -> None:
    """That goes on with the epoch after the loader was dropped here."""
    loader = loader_of(files["good"], chance)
    thread = threading.Thread(target=some, args=(iter(loader), chance))
    thread.start()
    del loader
    thread.join()


def the_loop_fails(files: dict[str, list[Path]], chance: random.Random) -> None:
    def loop() -> None:
        for batch in loader_of(files["good"], chance):
            len(batch["flat"]) / 0

    with pytest.raises(ZeroDivisionError):
        loop()


def in_a_cycle(files: dict[str, list[Path]], chance: random.Random) -> None:
    cycle: list[Any] = [iter(loader_of(files["good"], chance))]
    next(cycle[0])
    cycle.append(cycle)
    del cycle
    gc.collect(1)


def wrong_bytes(files: dict[str, list[Path]], chance: random.Random) -> None:
    with pytest.raises(sw.FormatError):
        list(loader_of(files["broken"], chance))


def wrong_bytes_skipped(files: dict[str, list[Path]], chance: random.Random) -> None:
    loader = loader_of(files["broken"], chance, on_error="skip")
    if chance.random() < 0.5:
        some(iter(loader), chance)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        list(loader)
    assert [(skip.start, skip.stop) for skip in loader.skipped()] == [(1200, 1400)]


def parts(files: dict[str, list[Path]], chance: random.Random) -> None:
    loader = loader_of(files["good"], chance)
    split = chance.choice(
        [
            lambda: loader.split(val=0.3, test=0.1),
            lambda: loader.split(val=0.5, by="file"),
            lambda: loader.split(val=0.3, by=["id"]),
            lambda: loader.split(val="kind == 2"),
            lambda: [part for fold in loader.k_fold(2) for part in fold],
        ]
    )
    for part in split():
        if chance.random() < 0.7:
            some(iter(part), chance)


def ranks(files: dict[str, list[Path]], chance: random.Random) -> None:
    seed = chance.randrange(100)
    loaders = [loader_of(files["good"], random.Random(seed), rank=rank, world_size=3) for rank in range(3)]  # noqa: S311
    running = [iter(loader) for loader in loaders]
    for epoch in running[: chance.choice([1, 3])]:
        some(epoch, chance)


def resumed(files: dict[str, list[Path]], chance: random.Random) -> None:
    loader = loader_of(files["good"], chance, batch_size=100)
    running = iter(loader)
    some(running, chance)
    again = pickle.loads(pickle.dumps(loader))  # noqa: S301
    del loader
    assert np.array_equal(next(iter(again))["flat"], next(running)["flat"])


def as_arrow(files: dict[str, list[Path]], chance: random.Random) -> None:
    some(loader_of(files["good"], chance).arrow(), chance)


def as_torch(files: dict[str, list[Path]], chance: random.Random) -> None:
    tensors = some(loader_of(files["good"], chance).torch(chance.choice([None, "cpu"])), chance)
    assert len(tensors[0]["flat"]) > 0


WAYS: list[Callable[[dict[str, list[Path]], random.Random], None]] = [
    never_used,
    before_the_first_batch,
    in_the_middle,
    generator_closed,
    batches_outlive_all,
    loader_goes_first,
    two_epochs_at_once,
    in_another_thread,
    the_loop_fails,
    in_a_cycle,
    wrong_bytes,
    wrong_bytes_skipped,
    parts,
    ranks,
    resumed,
]


@pytest.mark.slow
def test_a_thousand_loaders_leave_nothing(files: dict[str, list[Path]]) -> None:
    ways = [*WAYS]
    if find_spec("pyarrow"):
        ways.append(as_arrow)
    if find_spec("torch"):
        ways.append(as_torch)
    chance = random.Random(11)  # noqa: S311

    def drop(loaders: int) -> None:
        for number in range(loaders):
            ways[number % len(ways)](files, chance)

    drop(WARM_UP)
    before = held()
    drop(LOADERS // 2)
    half = settled(before)
    drop(LOADERS // 2)
    after = settled(before)
    half.check(before)
    after.check(half)
    after.check(before)
    # It does not grow: not more with the second half than with the first one, up to the same noise.
    assert after.resident - half.resident < half.resident - before.resident + 6_000_000
