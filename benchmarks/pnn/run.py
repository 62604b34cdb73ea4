"""The papers' parameterised network, trained from four loaders: ./dev bench pnn [--quick]

From a CSV file through PyTorch's DataLoader, from ROOT's RDataLoader, from sapwood.root.RDataLoader in its place, and
from Dataset.loader, on generated events. Each training is a process of its own. Given the same order of rows, all but
ROOT's must give the same losses bit for bit, and the AUC of all must agree within the spread of the seeds. ROOT's is
left out where ROOT is not installed. `--docs` writes times, memory and the figure into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import checks
import data
import figures
import numpy as np
import report
import task

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

import provenance  # noqa: E402
import workers  # noqa: E402

WORKER = HERE / "worker.py"
IMPLEMENTATIONS = ["csv_dataloader", "root_rdataloader", "sapwood_root", "sapwood_loader"]
EVENTS, QUICK_EVENTS = 200_000, 6_000
EPOCHS, QUICK_EPOCHS = 6, 2
SEEDS, QUICK_SEEDS = 5, 2
Result = dict[str, Any]


def measure(names: list[str], files: dict[str, list[str]], folder: Path, seeds: list[int], epochs: int) -> Result:
    """Trains all for each seed in turn."""
    shared: Result = {"files": files["train"], "folder": str(folder)}
    prepared = workers.result(WORKER, "prepare", test_files=files["test"], seeds=seeds, epochs=epochs, **shared)
    found: Result = {
        name: {"export": workers.result(WORKER, "export", implementation=name, **shared), "runs": []} for name in names
    }
    shared |= {"epochs": epochs, "means": prepared["means"], "scales": prepared["scales"]}
    for seed in seeds:
        for name in names:
            run = workers.result(WORKER, "train", implementation=name, seed=seed, **shared)
            found[name]["runs"].append(run)
            print(f"{name}, seed {seed}: {run['seconds']:.2f} s, first batch {run['first_batch']:.2f} s", flush=True)
    return {"rows": prepared["rows"], "test_rows": prepared["test_rows"], "implementations": found}


def compare(results: Result, folder: Path, epochs: int, *, with_auc: bool) -> None:
    """Adds the AUC of all and what is drawn, when everything agrees."""
    implementations = results["implementations"]
    runs = {name: [dict(np.load(run.pop("results"))) for run in of["runs"]] for name, of in implementations.items()}
    checks.same_bits(runs)
    is_signal = np.load(folder / "test.npy")[:, task.COLUMNS.index(task.TARGET)] > 0
    results["curves"] = {}
    for name, of in runs.items():
        curves = [checks.curve(run, is_signal) for run in of]
        implementations[name]["auc"] = [curve.auc for curve in curves]
        losses = np.stack([run["losses"].reshape(epochs, -1).mean(1) for run in of])
        scores = np.stack([run["scores"] for run in of])
        results["curves"][name] = figures.curves_of(losses, scores, is_signal, curves)
    if with_auc:
        areas = {name: of["auc"] for name, of in implementations.items()}
        results["auc_difference"], results["auc_spread"] = checks.same_auc(areas)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="little data, 2 epochs, 2 seeds; AUCs are not compared")
    parser.add_argument("--data", type=Path, help="where data are made and kept (build/bench-data)")
    parser.add_argument("--output", type=Path, help="JSON, table and figure (build/bench-pnn.json, .md, .svg)")
    parser.add_argument("--docs", action="store_true", help="write the section and the figure of docs/, too")
    options = parser.parse_args()
    if options.docs and options.quick:
        parser.error("--docs is for full runs")
    build = HERE.parents[1] / "build"
    folder = (options.data or build / ("bench-data-quick" if options.quick else "bench-data")) / "pnn"
    output = options.output or build / ("bench-pnn-quick.json" if options.quick else "bench-pnn.json")
    output.parent.mkdir(parents=True, exist_ok=True)
    files = data.make(folder, QUICK_EVENTS if options.quick else EVENTS)
    epochs = QUICK_EPOCHS if options.quick else EPOCHS
    seeds = list(range(1, 1 + (QUICK_SEEDS if options.quick else SEEDS)))
    names = list(IMPLEMENTATIONS)
    if importlib.util.find_spec("ROOT") is None:
        names.remove("root_rdataloader")
        print("ROOT is not installed: its RDataLoader is left out", flush=True)

    results = {
        **provenance.of_run("pnn"),
        **measure(names, files, folder, seeds, epochs),
        "points": len(data.GRID),
        "seeds": len(seeds),
        "epochs": epochs,
        "batch": task.BATCH,
    }
    compare(results, folder, epochs, with_auc=not options.quick)
    output.write_text(json.dumps(results, indent=1))
    lines = report.section(results)
    output.with_suffix(".md").write_text("\n".join(lines) + "\n")
    figures.draw(results["curves"], output.with_suffix(".svg"))
    print("\n".join([*lines, "", f"written: {output}, {output.with_suffix('.md')}, {output.with_suffix('.svg')}"]))
    if options.docs:
        report.write_docs(results)


if __name__ == "__main__":
    main()
