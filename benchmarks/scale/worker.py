"""One measurement in a process of its own; `run.py` starts it and reads the JSON it prints last.

python worker.py {start,epoch,disk,train,point} REQUEST    where REQUEST is JSON: the arguments of that function.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # last: a folder there is called as a package is

import cases
import measure
import page_cache
import torch

STATUS = Path("/proc/self/status")


def resident(what="VmRSS"):
    """VmRSS (now) or VmHWM (peak) of this process, in bytes."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) * 1024


def reset_peak():
    Path("/proc/self/clear_refs").write_text("5")


def start(files, threads, buffer_bytes, cold, all_caches):
    """Opening, the loader and its first batch, of all columns but the last, the label. With `buffer_bytes` the shuffle
    buffer has rows of so many bytes, else what the loader takes by itself.
    """
    import sapwood

    if cold:
        page_cache.drop(files, all_caches)
    else:
        page_cache.load(files)
    before, faults = resident(), resource.getrusage(resource.RUSAGE_SELF).ru_majflt
    cpu = time.process_time()
    times = [time.perf_counter()]
    dataset = sapwood.open(files, "Events")
    times.append(time.perf_counter())
    opened = resident()
    *features, label = dataset.columns
    options = {"threads": threads, "batch_size": 1024, "seed": 1, "cache": False}
    if buffer_bytes:
        options["buffer_rows"] = buffer_bytes // (4 * len(features))
    loader = dataset.loader(features, label, **options)
    times.append(time.perf_counter())
    planned = resident()
    batches = loader.torch()
    rows = len(next(batches)["target"])
    times.append(time.perf_counter())
    cpu = time.process_time() - cpu
    if rows != min(1024, dataset.num_entries):
        raise AssertionError(f"the first batch has {rows} rows")
    return {
        "open": times[1] - times[0],
        "loader": times[2] - times[1],
        "first_batch": times[3] - times[2],
        "seconds": times[3] - times[0],
        "cpu": cpu,
        "rows": dataset.num_entries,
        "columns": len(features) + 1,
        "buffer_rows": min(loader.explain().buffer_rows, dataset.num_entries),
        "open_bytes": opened - before,
        "loader_bytes": planned - opened,
        "major_faults": resource.getrusage(resource.RUSAGE_SELF).ru_majflt - faults,
    }


def epoch(files, threads, memory, cold, all_caches):
    """A shuffled epoch of jets within `memory`; their resident memory is looked at ten times a second."""
    import sapwood

    batches = cases.BATCHES["jets"]
    if cold:
        page_cache.drop(files, all_caches)
    else:
        page_cache.load(files)
    before = resident()
    dataset = sapwood.open(files, "tree")
    reset_peak()
    baseline = resident()
    clock = measure.Clock()
    curve = []
    with clock:
        start_time = time.perf_counter()
        loader = dataset.loader(
            {"lists": batches.lists, "scalars": batches.scalars},
            batches.target,
            pad={"lists": batches.length},
            batch_size=batches.batch_size,
            threads=threads,
            memory=memory,
            cache=False,
            seed=1,
        )
        rows, first, next_look = 0, 0.0, 0.0
        for batch in loader.torch():
            now = time.perf_counter()
            first = first or now - start_time
            rows += len(batch["target"])
            if now >= next_look:
                curve.append((now - start_time, resident() - baseline))
                next_look = now + 0.1
    if rows != dataset.num_entries:
        raise AssertionError(f"{rows} rows of {dataset.num_entries}")
    plan, stats = loader.explain(), loader.stats()
    return {
        "seconds": clock.wall,
        "cpu": clock.cpu,
        "rows": rows,
        "bytes": sum(Path(path).stat().st_size for path in files),
        "read_bytes": stats.stored_bytes,
        "decoded_bytes": plan.decoded_bytes,
        "buffer_rows": plan.buffer_rows,
        "first_batch": first,
        "metadata_bytes": baseline - before,
        "peak_over_baseline": resident("VmHWM") - baseline,
        "peak_over_start": resident("VmHWM") - before,
        "peak_counted": stats.peak_bytes,
        "fetch": stats.fetch_seconds,
        "decode": stats.decode_seconds,
        "stage": stats.stage_seconds,
        "assemble": stats.assemble_seconds,
        "curve": curve,
    }


def disk(files, threads, all_caches):
    """How fast the system reads the files from front to back, with nothing done to their bytes."""
    page_cache.drop(files, all_caches)
    waiting = list(reversed(files))
    read = [0] * threads

    def work(thread):
        memory = bytearray(8 << 20)
        while waiting:
            try:
                path = waiting.pop()
            except IndexError:  # another thread was quicker
                return
            with Path(path).open("rb", buffering=0) as file:
                while got := file.readinto(memory):
                    read[thread] += got

    workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    start_time = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - start_time
    if sum(read) != sum(Path(path).stat().st_size for path in files):
        raise AssertionError(f"{sum(read)} bytes were read")
    return {"seconds": seconds, "bytes": sum(read)}


class Network(torch.nn.Module):
    """One convolution over the particles, its mean, and a linear layer with the numbers of the jet."""

    def __init__(self, channels, scalars):
        super().__init__()
        self.convolution = torch.nn.Conv1d(channels, 16, kernel_size=3, padding=1)
        self.head = torch.nn.Linear(16 + scalars, 1)

    def forward(self, particles, scalars):
        mean = torch.relu(self.convolution(particles)).mean(2)
        return self.head(torch.cat([mean, scalars], 1))[:, 0]


def train(implementation, files, threads, seconds, all_caches):
    """Trains for so long, from the first batch on, on files that are not in the page cache. Processor time and memory
    are all of the process; the baseline is that of a network that has taken a step, before anything was opened.
    """
    torch.set_num_threads(1)
    torch.manual_seed(1)
    batches = cases.BATCHES["jets"]
    module = measure.load("load", implementation)
    network = Network(len(batches.lists), len(batches.scalars))
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6)

    def step(features, target):
        score = network(*(tensor.float() for tensor in features))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(score, target.reshape(-1).float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    size = batches.batch_size
    step(
        [torch.zeros(size, len(batches.lists), batches.length), torch.zeros(size, len(batches.scalars))],
        torch.ones(size),
    )
    reset_peak()
    baseline = resident()
    page_cache.drop(files, all_caches)
    case = cases.Case("training", (), "tree", "jets")
    opened = time.perf_counter()
    epochs = module.epochs(files, case, batches, threads)
    clock, rows, trained = measure.Clock(), 0, 0.0
    first = done = 0.0
    while not done:
        for features, target in next(epochs):
            now = time.perf_counter()
            if not first:
                first = now
                clock.__enter__()
            elif now - first > seconds:
                done = now
                clock.__exit__()
                break
            step(as_jets(features, batches), target)
            trained += time.perf_counter() - now
            rows += target.shape[0]
    return {
        "seconds": clock.wall,
        "cpu": clock.cpu,
        "rows": rows,
        "first_batch": first - opened,
        "waited": clock.wall - trained,
        "peak_over_baseline": resident("VmHWM") - baseline,
        "baseline": baseline,
    }


def as_jets(features, batches):
    """Particles and scalars of a batch. ROOT gives both in one tensor, the lists first."""
    if len(features) == 2:
        return features
    width = len(batches.lists) * batches.length
    (rows,) = features
    return rows[:, :width].reshape(len(rows), len(batches.lists), batches.length), rows[:, width:]


def point(implementation, files, threads, batches):
    """A loader's second epoch, as benchmarks/measure.py measures it."""
    case = cases.Case("sweep", (), "Events", "flat")
    return measure.measure_load(measure.load("load", implementation), case, files, threads, cases.Batches(**batches))


def main():
    part, request = sys.argv[1], json.loads(sys.argv[2])
    functions = {"start": start, "epoch": epoch, "disk": disk, "train": train, "point": point}
    print(json.dumps(functions[part](**request)))


if __name__ == "__main__":
    main()
