"""One step in a process of its own; `run.py` starts it and reads the JSON it prints last.

python worker.py {prepare,export,train} REQUEST    where REQUEST is JSON: the arguments of that function.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path

import numpy as np
import task

sys.path.append(str(Path(__file__).resolve().parents[1]))  # last: a folder there is called as a package is

import measure


def prepare(files, test_files, folder, seeds, epochs):
    """The rows of the test part, as everyone is asked about them; the orders of the rows, for who takes one; and mean
    and standard deviation of each input.
    """
    import sapwood as sw

    events = sw.open(files, task.TREE).define(**task.DEFINITIONS)
    test = sw.open(test_files, task.TREE).define(**task.DEFINITIONS).arrays(task.COLUMNS, library="np")
    np.save(Path(folder) / "test.npy", np.stack([test[name] for name in task.COLUMNS], 1).astype(np.float32))
    for seed in seeds:
        training = task.Training(files, folder, seed, epochs, [], [])
        loader = events.loader("event", dtype="int64", batch_size=task.BATCH, seed=seed)
        orders = [np.concatenate([batch["features"][:, 0] for batch in loader]) for _ in range(epochs)]
        np.save(training.orders, np.stack(orders))
    found = events.scan(task.INPUTS)
    return {
        "rows": len(events),
        "test_rows": len(test[task.TARGET]),
        "means": [statistics.mean for statistics in found],
        "scales": [statistics.standard_deviation for statistics in found],
    }


def export(implementation, files, folder):
    """The time of writing the file that the implementation reads; nothing of one that needs none."""
    import sapwood as sw

    module = importlib.import_module(implementation)
    if not hasattr(module, "export"):
        return {}
    clock = measure.Clock()
    with clock:
        module.export(sw.open(files, task.TREE).define(**task.DEFINITIONS), Path(folder))
    return {"seconds": clock.wall, "cpu": clock.cpu, "bytes": (Path(folder) / module.NAME).stat().st_size}


def train(implementation, **request):
    """Times and peak memory; the loss of each batch and the scores of the test rows go into a file of the folder."""
    import network

    training = task.Training(**request)
    module = importlib.import_module(implementation)
    model, optimizer = network.make(training)
    imported = measure.peak_memory()
    losses, seconds, waited, clock, first = [], [], [], measure.Clock(), 0.0
    with clock:
        start = time.perf_counter()
        epochs = module.epochs(training)
        for _ in range(training.epochs):
            begin = asked = time.perf_counter()
            wait, batches = 0.0, iter(next(epochs))
            while (batch := next(batches, None)) is not None:
                got = time.perf_counter()
                wait += got - asked
                first = first or got - start
                losses.append(network.step(model, optimizer, *batch))
                asked = time.perf_counter()
            seconds.append(time.perf_counter() - begin)
            waited.append(wait + time.perf_counter() - asked)
    peak = measure.peak_memory()
    scores = network.scores(model, np.load(Path(training.folder) / "test.npy")[:, : len(task.INPUTS)])
    results = Path(training.folder) / f"{implementation}_{training.seed}.npz"
    np.savez(results, losses=np.array(losses, np.float32), scores=scores)
    return {
        "first_batch": first,
        "seconds": clock.wall,
        "cpu": clock.cpu,
        "epochs": seconds,
        "waited": waited,
        "peak_memory": peak,
        "peak_over_imports": peak - imported,
        "results": str(results),
    }


def main():
    function, request = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps({"prepare": prepare, "export": export, "train": train}[function](**request)))


if __name__ == "__main__":
    main()
