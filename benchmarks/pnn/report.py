"""The results in Markdown, and their section of docs/benchmarks.md."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

import figures

sys.path.append(str(Path(__file__).resolve().parents[1]))

import pages

Result = dict[str, Any]


def times_table(implementations: dict[str, Result]) -> list[str]:
    heads = ["", "export", "first batch", "an epoch", "of it waiting for batches", "in all", "processor time"]
    rows = [times_row(name, result) for name, result in implementations.items()]
    return pages.table([*heads, "peak memory", "over imports", "AUC"], rows)


def times_row(name: str, result: Result) -> str:
    """Medians over the seeds; of epochs after the first, too. Memory is the largest."""
    runs, export = result["runs"], result["export"] or {"seconds": 0.0, "cpu": 0.0}
    epoch, waited = (statistics.median(statistics.median(run[key][1:]) for run in runs) for key in ("epochs", "waited"))
    seconds, cpu, first = (statistics.median(run[key] for run in runs) for key in ("seconds", "cpu", "first_batch"))
    cells = [
        pages.name_of(name),
        f"{export['seconds']:.2f} s" if result["export"] else "",
        f"{first:.2f} s",
        f"{epoch:.2f} s",
        f"{waited:.3f} s",
        f"{export['seconds'] + seconds:.1f} s",
        f"{export['cpu'] + cpu:.1f} s",
        pages.megabytes(max(run["peak_memory"] for run in runs)),
        pages.megabytes(max(run["peak_over_imports"] for run in runs)),
        f"{statistics.mean(result['auc']):.5f} ± {statistics.stdev(result['auc']):.5f}",
    ]
    return f"| {' | '.join(cells)} |"


def section(results: Result) -> list[str]:
    return [
        "## pnn",
        "",
        pages.measured_on(results),
        "",
        TEXT.format(**results),
        "",
        *times_table(results["implementations"]),
        "",
        checked(results),
        *busy(results["machine"]),
        "",
        pages.image("pnn", "Loss, ROC and output distributions of the parameterised network, of all implementations"),
    ]


def checked(results: Result) -> str:
    text = (
        "The losses of all batches and the scores of all test events are the same, bit for bit, of `csv dataloader`, "
        f"`sapwood root` and `sapwood loader`, for each of {results['seeds']} seeds."
    )
    if "root_rdataloader" not in results["implementations"]:
        text += " ROOT is not installed, so its loader is left out."
    if "auc_difference" in results:
        text += (
            f" The means of the AUC over the seeds differ by {results['auc_difference']:.5f} at most; one seed's "
            f"standard deviation is {results['auc_spread']:.5f}, and twice that is what is allowed."
        )
    return text


def busy(machine: Result) -> list[str]:
    if machine["load_before"] < machine["processors"]:
        return []
    return ["", "The machine was busy with other work meanwhile, so processor time says more here than time."]


def write_docs(results: Result) -> None:
    pages.write_section(section(results))
    figures.draw(results["curves"], pages.IMAGES / "pnn.svg")
    print(f"written: {pages.PAGE}, {pages.IMAGES / 'pnn.svg'}")


TEXT = (
    "The demonstration of ROOT's papers: a parameterised network of three hidden layers of 60 tells pairs of smuons, "
    "at {points} points of a grid of two masses, from background, by m_mumu, m_T, missing E_T, m_T2, the number of "
    "jets and the two masses. Background events have masses that were drawn from the grid when the files were made. "
    "The files are generated: {rows:,} events for training, {test_rows:,} for the AUC. m_mumu, m_T and m_T2 are "
    "sapwood's formulas, which `sapwood root` (`sapwood.root.RDataLoader`) and `sapwood loader` (`Dataset.loader`) "
    "compute as they read the events. `csv dataloader` (PyTorch's `DataLoader` over the tensors of a CSV file) and "
    "`root rdataloader` (`load_eager=True`) read a file of the inputs, which sapwood exports before. {epochs} epochs "
    "in batches of {batch}, Adam, PyTorch on one thread, a process for each training; the same start for a seed in all "
    "of them. `csv dataloader` gets the order of sapwood's loader for the seed as its sampler, and finding it is not "
    "timed; ROOT's order is its own. All keep the rows in memory. First batch: from opening the file, libraries "
    'imported. An epoch, after the first, contains the training. "In all" and processor time are of export and all '
    'epochs, the first batch among them. "Over imports" is the peak of memory over the one before anything is opened. '
    "Medians of the seeds; of memory the largest. The figure has means over the seeds, and of the loss a band from the "
    "smallest to the largest."
)
