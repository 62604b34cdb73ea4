"""One measurement in a process of its own; `run.py` starts it and reads the JSON it prints last.

python measure.py TASK IMPLEMENTATION CASE THREADS DATA [MEMORY]
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))  # last: a folder here is called as a package is

import cases  # noqa: E402


class Clock:
    """Wall and processor time of a `with` block, ended processes that it started included; or what another program
    measured of itself.
    """

    def __init__(self):
        self.wall = self.cpu = 0.0
        self.more = {}

    def set(self, found):
        self.wall, self.cpu = found["seconds"], found["cpu"]
        self.more = {name: found[name] for name in ("bytes", "peak_memory") if name in found}

    def __enter__(self):
        self._wall, self._cpu = time.perf_counter(), self._processor_time()
        return self

    def __exit__(self, *_):
        self.wall = time.perf_counter() - self._wall
        self.cpu = self._processor_time() - self._cpu

    @staticmethod
    def _processor_time():
        times = os.times()
        return time.process_time() + times.children_user + times.children_system


def load(task, implementation):
    """The module benchmarks/<task>/<implementation>.py, which may be named like the package that it measures."""
    spec = importlib.util.spec_from_file_location(f"{task}_{implementation}", HERE / task / f"{implementation}.py")
    module = importlib.util.module_from_spec(spec)
    sys.path.append(str(HERE / task))
    spec.loader.exec_module(module)
    return module


def measure_read(module, case, files, threads):
    """The second time: by then code is compiled and memory mapped."""
    import sapwood

    names = sapwood.open(files[0], case.table).columns
    clock = Clock()
    module.read(files, case, names, threads, clock)
    rows, sums = module.read(files, case, names, threads, clock)
    return {"seconds": clock.wall, "cpu": clock.cpu, "rows": rows, "sums": sums, **clock.more}


def measure_load(module, case, files, threads, batches=None):
    """The second epoch, of whose batches each value is added up once. The first, which may compile, gives the number of
    rows, the sum over all features, and the time until there is a batch when there was not even a loader before.
    """
    batches = batches or cases.batches_of(case)
    if hasattr(module, "run"):
        return module.run(files, case, batches, threads)
    import torch

    torch.set_num_threads(1)
    start = time.perf_counter()
    epochs = module.epochs(files, case, batches, threads)
    rows, total, first_ever = 0, 0.0, 0.0
    with family_peak(module) as peak:
        for features, target in next(epochs):
            first_ever = first_ever or time.perf_counter() - start
            rows += target.shape[0]
            total += sum(float(tensor.double().sum()) for tensor in features)
    clock, again, first, touched = Clock(), 0, 0.0, 0.0
    with clock:
        start = time.perf_counter()
        for features, target in next(epochs):
            first = first or time.perf_counter() - start
            again += target.shape[0]
            touched += sum(float(tensor.sum()) for tensor in features)
    if again != rows:
        raise AssertionError(f"{rows} rows in the first epoch, {again} in the second")
    return {
        "seconds": clock.wall,
        "cpu": clock.cpu,
        "rows": rows,
        "sums": {"features": (total, 0.0)},
        "first_batch": first,
        "first_batch_ever": first_ever,
        **peak,
    }


def measure_memory(module, case, files, threads, memory):
    batches = cases.batches_of(case)
    clock = Clock()
    with clock:
        figures = module.run(files, case, batches, threads, memory)
    return {"seconds": clock.wall, "cpu": clock.cpu, **figures}


def peak_memory():
    """Of this program, in bytes. Not getrusage's, which counts what the process was before it became this program."""
    return _kilobytes("/proc/self/status", "VmHWM")


def _kilobytes(path, name):
    return 1024 * int(next(line for line in Path(path).read_text().splitlines() if line.startswith(name)).split()[1])


@contextlib.contextmanager
def family_peak(module):
    """The largest memory of this process and its workers together, looked at ten times a second; what they share
    counts once. Empty for implementations without worker processes.
    """
    found = {}
    done = threading.Event()

    def watch():
        while not done.wait(0.1):
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            total = 0
            for process in ("self", *children):
                with contextlib.suppress(OSError, StopIteration):
                    total += _kilobytes(f"/proc/{process}/smaps_rollup", "Pss:")
            found["peak_memory"] = max(found.get("peak_memory", 0), total)

    watcher = threading.Thread(target=watch)
    if hasattr(module, "WORKERS"):
        watcher.start()
    try:
        yield found
    finally:
        done.set()
        if watcher.ident is not None:
            watcher.join()


def main():
    task, implementation, case_name, threads, data, *memory = sys.argv[1:]
    case = next(case for case in [*cases.CASES, *cases.MEMORY_CASES] if case.name == case_name)
    files = [str(path) for pattern in case.patterns for path in sorted(Path(data).glob(pattern))]
    measure = {"read": measure_read, "load": measure_load, "memory": measure_memory}[task]
    result = measure(load(task, implementation), case, files, int(threads), *map(int, memory))
    result.setdefault("peak_memory", peak_memory())
    print(json.dumps(result))


if __name__ == "__main__":
    main()
