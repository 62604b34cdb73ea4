"""One measurement in a process of its own; `run.py` starts it and reads the JSON it prints last.

python measure.py TASK IMPLEMENTATION CASE THREADS DATA [MEMORY]
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))  # last: a folder here is called as a package is

import cases  # noqa: E402


class Clock:
    """Wall and processor time of a `with` block; of another program when set."""

    def __init__(self):
        self.wall = self.cpu = 0.0

    def __enter__(self):
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_):
        self.wall = time.perf_counter() - self._wall
        self.cpu = time.process_time() - self._cpu


def load(task, implementation):
    """The module benchmarks/<task>/<implementation>.py, which may be named like the package that it measures."""
    spec = importlib.util.spec_from_file_location(f"{task}_{implementation}", HERE / task / f"{implementation}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measure_read(module, case, files, threads):
    """The second time: by then code is compiled and memory mapped."""
    import uproot

    with uproot.open(files[0]) as file:
        names = [str(name) for name in file[case.table].keys(recursive=False)]
    clock = Clock()
    module.read(files, case, names, threads, clock)
    rows, sums = module.read(files, case, names, threads, clock)
    return {"seconds": clock.wall, "cpu": clock.cpu, "rows": rows, "sums": sums}


def measure_load(module, case, files, threads):
    """The second epoch; the first, which may compile, gives the number of rows and the sum over all features."""
    batches = cases.batches_of(case)
    epochs = module.epochs(files, case, batches, threads)
    rows, total = 0, 0.0
    for features, target in next(epochs):
        rows += target.shape[0]
        total += sum(float(tensor.double().sum()) for tensor in features)
    clock, again, first = Clock(), 0, 0.0
    with clock:
        start = time.perf_counter()
        for features, target in next(epochs):
            first = first or time.perf_counter() - start
            again += target.shape[0] + 0 * features[0].shape[0]
    if again != rows:
        raise AssertionError(f"{rows} rows in the first epoch, {again} in the second")
    return {
        "seconds": clock.wall,
        "cpu": clock.cpu,
        "rows": rows,
        "sums": {"features": (total, 0.0)},
        "first_batch": first,
    }


def measure_memory(module, case, files, threads, memory):
    batches = cases.batches_of(case)
    clock = Clock()
    with clock:
        figures = module.run(files, case, batches, threads, memory)
    return {"seconds": clock.wall, "cpu": clock.cpu, **figures}


def peak_memory():
    """Of this program, in bytes. Not getrusage's, which counts what the process was before it became this program."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def main():
    task, implementation, case_name, threads, data, *memory = sys.argv[1:]
    case = next(case for case in [*cases.CASES, *cases.MEMORY_CASES] if case.name == case_name)
    files = [str(path) for pattern in case.patterns for path in sorted(Path(data).glob(pattern))]
    measure = {"read": measure_read, "load": measure_load, "memory": measure_memory}[task]
    result = measure(load(task, implementation), case, files, int(threads), *map(int, memory))
    result["peak_memory"] = peak_memory()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
