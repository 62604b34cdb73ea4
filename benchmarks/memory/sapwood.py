"""Peak resident memory of one epoch of `Dataset.loader`, over what the process had before there was a loader."""

from pathlib import Path

import torch  # noqa: F401 - part of the baseline

import sapwood


def resident(what):
    """VmRSS (now) or VmHWM (peak) of this process, in bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) * 1024


def run(files, case, batches, threads, memory):
    dataset = sapwood.open(files, case.table)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    baseline = resident("VmRSS")
    loader = dataset.loader(
        batches.scalars,
        batches.target,
        batch_size=batches.batch_size,
        threads=threads,
        memory=memory,
        cache=False,
        seed=1,
    )
    rows, total = 0, 0.0
    for batch in loader.torch():
        rows += len(batch["target"])
        total += float(batch["features"][0, 0])
    if rows != dataset.num_entries:
        raise AssertionError(f"{rows} rows of {dataset.num_entries}")
    stats = loader.stats()
    return {
        "rows": rows,
        "bytes": sum(Path(path).stat().st_size for path in files),
        "baseline": baseline,
        "peak_over_baseline": resident("VmHWM") - baseline,
        "peak_counted": stats.peak_bytes,
    }
