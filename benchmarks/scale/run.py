"""Many files, more data than memory, and what throughput depends on: ./dev bench scale [--part PART]... [--quick]

Parts, all of them unless told:

  start  time to the first batch, and memory, on up to 1,000 files of 100 columns, whose bytes are in the page cache or
         not; with a shuffle buffer of 64 MB, and with the one that the loader takes, beside the time that it takes to
         decompress so many rows
  large  a shuffled epoch within 1 GB over 1,000 files of jets that are larger than this machine's memory, beside the
         first 100 of them in the page cache, and what the disk gives
  files  processor time and memory while a small network trains, against the number of files
  sweep  throughput against the size of batches, of the shuffle buffer and of clusters, and the number of columns

Each measurement is a process of its own. ROOT makes the files: 1.1 GB for `start`, 33 GB for `large` and `files`,
1.4 GB for `sweep`. `--docs` writes the results of all parts into docs/benchmarks.md, with the figures.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

import data
import figures
import report
import sweep

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

import cases  # noqa: E402
import ceiling_program  # noqa: E402
import provenance  # noqa: E402
import workers  # noqa: E402

WORKER = HERE / "worker.py"
PARTS = ("start", "large", "files", "sweep")
BUFFER_BYTES = 64_000_000
MEMORY = 1_000_000_000
SUBSET = 100  # of 1,000 files, which the page cache holds
Result = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Settings:
    directory: Path
    sizes: data.Sizes
    threads: int
    repetitions: int
    seconds: float  # of a training
    peers: list[str]
    all_caches: bool


def worker(function: str, **request: Any) -> Result:
    """What a function of worker.py gives; what fails is returned as {"error": text}."""
    return workers.call(WORKER, function, **request)


def ours(function: str, **request: Any) -> Result:
    """The same of sapwood, whose failure ends the benchmark."""
    return workers.result(WORKER, function, **request)


def names(paths: list[Path]) -> list[str]:
    return [str(path) for path in paths]


def part_start(settings: Settings) -> list[Result]:
    """The run of the median time of each, by format, files, and whether the files' bytes are in the page cache."""
    results = []
    for file_format, label in (("ttree", "TTree"), ("rntuple", "RNTuple")):
        paths = names(data.wide_files(settings.directory, file_format, settings.sizes))
        counts = sorted({max(1, len(paths) // 100), max(1, len(paths) // 10), len(paths)})
        asked = [(count, cold, BUFFER_BYTES) for count in counts for cold in (False, True)]
        for count, cold, buffer_bytes in [*asked, (len(paths), False, 0)]:
            runs = [
                ours(
                    "start",
                    files=paths[:count],
                    threads=settings.threads,
                    buffer_bytes=buffer_bytes,
                    cold=cold,
                    all_caches=settings.all_caches,
                )
                for _ in range(settings.repetitions)
            ]
            result = sorted(runs, key=lambda run: run["seconds"])[len(runs) // 2]
            result |= {"format": label, "files": count, "cold": cold, "buffer_bytes": buffer_bytes}
            if not buffer_bytes:
                result["decompress_buffer"] = decompress(paths, result, settings.threads)
            results.append(result)
            print("\n".join(report.start_rows([result])), flush=True)
    return results


def decompress(paths: list[str], result: Result, threads: int) -> float:
    """Seconds to read and decompress as many rows as the buffer has."""
    files = paths[: -(-result["buffer_rows"] * len(paths) // result["rows"])]
    columns = [f"x{i:03d}" for i in range(result["columns"] - 1)]
    found = ceiling_program.run("decompress", files, "Events", [*columns, "label"], threads)
    return found["seconds"] * result["buffer_rows"] / found["rows"]


def part_large(settings: Settings) -> Result:
    paths = names(data.jet_files(settings.directory, settings.sizes))
    few = paths[: max(1, len(paths) * SUBSET // data.FULL.files)]
    others = paths[len(paths) // 2 :][: len(few)]
    shared = {"threads": settings.threads, "memory": MEMORY, "all_caches": settings.all_caches}
    result = {"files": len(paths), "few_files": len(few), "memory": MEMORY}
    result["few"] = ours("epoch", files=few, cold=False, **shared)
    for threads in (1, settings.threads):
        result[f"disk_{threads}"] = ours("disk", files=others, threads=threads, all_caches=settings.all_caches)
    result["all"] = ours("epoch", files=paths, cold=True, **shared)
    print("\n".join(report.large_table(result, settings.threads)), flush=True)
    return result


def part_files(settings: Settings) -> list[Result]:
    paths = names(data.jet_files(settings.directory, settings.sizes))
    counts = sorted({max(1, len(paths) // 10**power) for power in range(4)})
    results = []
    for count in counts:
        for implementation in ("sapwood", *settings.peers):
            run = ours if implementation == "sapwood" else worker
            result = run(
                "train",
                implementation=implementation,
                files=paths[:count],
                threads=settings.threads,
                seconds=settings.seconds,
                all_caches=settings.all_caches,
            )
            results.append({"implementation": implementation, "files": count, **result})
            print("\n".join(report.files_rows(results[-1:])), flush=True)
    return results


def part_sweep(settings: Settings) -> list[Result]:
    results = []
    for axis, value, asked in sweep.points(settings.sizes):
        paths = names(data.sweep_files(settings.directory, asked.cluster_rows, settings.sizes))
        batches = {
            "scalars": cases.FLAT[: asked.columns],
            "target": "label",
            "batch_size": asked.batch_size,
            "batches_in_memory": max(1, asked.buffer_rows // asked.batch_size),
        }
        for implementation in ("sapwood", *settings.peers):
            run = ours if implementation == "sapwood" else worker
            result = run("point", implementation=implementation, files=paths, threads=settings.threads, batches=batches)
            results.append({"implementation": implementation, "axis": axis, "value": value, **result})
            print("\n".join(report.sweep_rows(results[-1:])), flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=PARTS, help="may be given several times")
    parser.add_argument("--quick", action="store_true", help="one repetition on little data, in 20 files")
    parser.add_argument("--repetitions", type=int, default=3, help="of each start (%(default)s)")
    parser.add_argument("--seconds", type=float, default=15, help="of each training (%(default)s)")
    parser.add_argument("--jet-rows", type=int, default=data.FULL.jet_rows, help="of each file of jets (%(default)s)")
    parser.add_argument("--peers", default="uproot_torch,root_rdataloader", help="beside sapwood (%(default)s)")
    parser.add_argument(
        "--drop-caches", action="store_true", help="drop everybody's page cache, as root, not the files'"
    )
    parser.add_argument("--data", type=Path, help="where data are made and kept (build/bench-data)")
    parser.add_argument("--output", type=Path, help="JSON, tables and figures (build/bench-scale.json, .md, -*.svg)")
    parser.add_argument("--docs", action="store_true", help="write the section and the figures of docs/, too")
    options = parser.parse_args()
    if options.docs and options.quick:
        parser.error("--docs is for full runs")
    build = HERE.parents[1] / "build"
    sizes = data.QUICK if options.quick else dataclasses.replace(data.FULL, jet_rows=options.jet_rows)
    settings = Settings(
        directory=options.data or build / ("bench-data-quick" if options.quick else "bench-data"),
        sizes=sizes,
        threads=len(os.sched_getaffinity(0)),
        repetitions=1 if options.quick else options.repetitions,
        seconds=2 if options.quick else options.seconds,
        peers=list(filter(None, options.peers.split(","))),
        all_caches=options.drop_caches,
    )
    output = options.output or build / ("bench-scale-quick.json" if options.quick else "bench-scale.json")
    output.parent.mkdir(parents=True, exist_ok=True)

    # Parts that were measured before stay, with the machine that they were measured on.
    results = json.loads(output.read_text()) if output.exists() else {}
    functions = {"start": part_start, "large": part_large, "files": part_files, "sweep": part_sweep}
    for part in options.part or PARTS:
        run = provenance.of_run("scale")
        print(f"\n{part}: {provenance.one_line(run['machine'])}\n", flush=True)
        results[part] = {**run, "threads": settings.threads, "results": functions[part](settings)}
        output.write_text(json.dumps(results, indent=1))
    output.with_suffix(".md").write_text("\n".join(report.section(results)) + "\n")
    drawn = figures.draw(results, output.parent, output.stem)
    print("\nwritten:", ", ".join(map(str, [output, output.with_suffix(".md"), *drawn])))
    if options.docs:
        report.write_docs(results)


if __name__ == "__main__":
    main()
