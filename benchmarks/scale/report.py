"""The results of benchmarks/scale in Markdown, and their section of docs/benchmarks.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import figures

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

from docs_page import PAGE, measured_on, table, write_section  # noqa: E402

IMAGES = PAGE.parent / "images"
AIMS = {False: 0.5, True: 2.0}  # seconds to the first batch with a buffer of 64 MB, of 1,000 files: cached, cold
AXES = {
    "batch_size": "rows of a batch",
    "buffer_rows": "rows of the shuffle buffer",
    "cluster_rows": "rows of a cluster",
    "columns": "columns",
}
Result = dict[str, Any]


def megabytes(value: float) -> str:
    return f"{value / 1e6:,.0f} MB"


def name_of(implementation: str) -> str:
    return implementation.replace("_", " ")


def start_rows(results: list[Result]) -> list[str]:
    rows = []
    for result in results:
        bytes_known = "cold" if result["cold"] else "cached"
        buffer = megabytes(result["buffer_bytes"]) if result["buffer_bytes"] else f"{result['buffer_rows']:,} rows"
        judged = result["buffer_bytes"] and result["files"] == 1000
        aim = f" ({AIMS[result['cold']]:g})" if judged else ""
        again = f"{result['decompress_buffer']:.2f} s" if "decompress_buffer" in result else ""
        memory = (result["open_bytes"] + result["loader_bytes"]) / result["files"]
        rows.append(
            f"| {result['format']}, {result['files']:,} file{'s' if result['files'] > 1 else ''}, {bytes_known} "
            f"| {buffer} | {result['open']:.3f} s | {result['loader']:.3f} s | {result['first_batch']:.3f} s "
            f"| {result['seconds']:.3f} s{aim} | {result['seconds'] / result['files'] * 1e3:.2f} ms "
            f"| {memory / 1e3:,.0f} kB | {again} |"
        )
    return rows


def start_table(results: list[Result]) -> list[str]:
    heads = ["", "shuffle buffer", "opening", "loader", "first batch", "in all (aim)", "of each file"]
    return table([*heads, "memory of each file", "decompressing one buffer"], start_rows(results))


def large_table(result: Result, threads: int) -> list[str]:
    rows = []
    for key, label in (("few", "in the page cache"), ("all", "from the disk")):
        epoch = result[key]
        files = result["few_files"] if key == "few" else result["files"]
        within = "yes" if epoch["peak_over_baseline"] <= result["memory"] else "**no**"
        rows.append(
            f"| {files:,} files, {label} | {epoch['bytes'] / 1e9:.1f} GB | {epoch['rows']:,} "
            f"| {epoch['rows'] / epoch['seconds'] / 1e3:,.0f} k | {epoch['read_bytes'] / epoch['seconds'] / 1e6:,.0f} "
            f"| {epoch['cpu'] / epoch['rows'] * 1e6:.2f} | {megabytes(epoch['peak_over_baseline'])} | {within} "
            f"| {megabytes(epoch['peak_over_start'])} | {megabytes(epoch['peak_counted'])} |"
        )
    heads = ["", "on disk", "rows", "rows/s", "MB/s read", "processor s per million", "peak over baseline"]
    lines = table([*heads, "within", "with metadata", "counted"], rows)
    speeds = {number: result[f"disk_{number}"] for number in sorted({1, threads})}
    found = ", ".join(
        f"{disk['bytes'] / disk['seconds'] / 1e6:,.0f} MB/s on {number} thread{'s' if number > 1 else ''}"
        for number, disk in speeds.items()
    )
    few, every = result["few"], result["all"]
    share = (every["rows"] / every["seconds"]) / (few["rows"] / few["seconds"])
    return [
        *lines,
        "",
        f"The disk gives {found}, front to back, with nothing done to the bytes. All files come at {share:.2f} times "
        "the rows/s of those in the page cache.",
    ]


def files_rows(results: list[Result]) -> list[str]:
    rows = []
    for result in results:
        head = f"| {name_of(result['implementation'])} | {result['files']:,} |"
        if "error" in result:
            rows.append(f"{head} {result['error']} | | | | |")
            continue
        rows.append(
            f"{head} {result['cpu'] / result['seconds']:.2f} | {megabytes(result['peak_over_baseline'])} "
            f"| {result['rows'] / result['seconds'] / 1e3:,.1f} k | {result['waited'] / result['seconds']:.0%} "
            f"| {result['first_batch']:.2f} s |"
        )
    return rows


def files_table(results: list[Result]) -> list[str]:
    heads = ["", "files", "processors used", "peak over baseline", "rows/s", "waited for batches", "first batch"]
    return table(heads, files_rows(results))


def sweep_rows(results: list[Result]) -> list[str]:
    rows = []
    for result in results:
        head = f"| {name_of(result['implementation'])} | {AXES[result['axis']]} | {result['value']:,} |"
        if "error" in result:
            rows.append(f"{head} {result['error']} | |")
            continue
        rows.append(
            f"{head} {result['rows'] / result['seconds'] / 1e3:,.0f} k | {result['cpu'] / result['rows'] * 1e6:.2f} |"
        )
    return rows


def sweep_table(results: list[Result]) -> list[str]:
    """A row for each value, a column of rows/s for each implementation."""
    implementations = list(dict.fromkeys(result["implementation"] for result in results))
    found: dict[tuple[str, int], dict[str, str]] = {}
    for result in results:
        text = "failed" if "error" in result else f"{result['rows'] / result['seconds'] / 1e3:,.0f} k"
        found.setdefault((result["axis"], result["value"]), {})[result["implementation"]] = text
    rows = [
        f"| {AXES[axis]} | {value:,} | {' | '.join(cells.get(name, '') for name in implementations)} |"
        for (axis, value), cells in found.items()
    ]
    return table(["rows/s against", "", *map(name_of, implementations)], rows)


def section(results: dict[str, Result]) -> list[str]:
    """Of the parts that were measured."""
    lines = ["## scale", ""]
    if part := results.get("start"):
        lines += ["### Start", "", measured_on(part), "", START_TEXT, "", *start_table(part["results"]), ""]
        lines += [image("start", "Time to the first batch against the number of files"), ""]
    if part := results.get("large"):
        lines += ["### More data than memory", "", measured_on(part), "", LARGE_TEXT, ""]
        lines += [*large_table(part["results"], part["threads"]), ""]
        lines += [image("large", "Resident memory during the epoch"), ""]
    if part := results.get("files"):
        lines += ["### Number of files", "", measured_on(part), "", FILES_TEXT, "", *files_table(part["results"]), ""]
        lines += [image("files", "Processors used and resident memory against the number of files"), ""]
    if part := results.get("sweep"):
        lines += ["### What throughput depends on", "", measured_on(part), "", SWEEP_TEXT, ""]
        lines += [*sweep_table(part["results"]), ""]
        lines += [image("sweep", "Throughput against batch, buffer, cluster size and number of columns"), ""]
    return lines[:-1]


def image(name: str, caption: str) -> str:
    return f"![{caption}](images/scale-{name}.svg)"


def write_docs(results: dict[str, Result]) -> None:
    """Puts the section in place of the one that docs/benchmarks.md has, or at its end."""
    missing = [part for part in ("start", "large", "files", "sweep") if part not in results]
    if missing:
        raise SystemExit(f"docs/ are written when all parts were measured; {', '.join(missing)} is not there")
    write_section(PAGE, section(results))
    IMAGES.mkdir(exist_ok=True)
    figures.draw(results, IMAGES, "scale")
    print(f"written: {PAGE}, {IMAGES}/scale-*.svg")


START_TEXT = (
    "From `sapwood.open` to the first batch, on files of 100 columns with contents and UUIDs of their own, in "
    "processes that have PyTorch imported: with the files' bytes in the page cache, and taken out of it. The "
    "shuffle buffer has rows of 64 MB, or as many as the loader takes within 1 GB; beside these stands how long "
    "it takes to read and decompress so many. Memory of each file is what the process has grown by when there is "
    "a loader. Medians of the runs."
)
LARGE_TEXT = (
    'A shuffled epoch of 11 lists padded to 128 and 4 numbers of jets, with `memory="1 GB"` and `cache=False`, '
    "over files that are larger than the machine's memory, taken out of the page cache before; and over the first "
    'of them, in the page cache. The baseline is what the process holds when the files are open; "with metadata" '
    'counts these too. "Counted" is what the loader says itself.'
)
FILES_TEXT = (
    "A network of one convolution trains on the same jets, in batches of 512 from a shuffle buffer of 10,240 "
    "rows, on one thread of PyTorch. Processors used are those of training and loading together. The baseline is "
    "the process after a step of the training, before it has opened a file. The files were taken out of the page "
    "cache before."
)
SWEEP_TEXT = (
    "Shuffled batches of flat rows, TTree Zstandard, as in `load`: 1024 rows of 28 columns and a label, from a "
    "buffer of 102,400 rows and clusters of 100,000. One of these is varied at a time. The second epoch counts."
)
