"""Selections and definitions against RDataFrame and Awkward: ./dev bench expressions [--quick]

Each implementation reads the same files from the page cache, filters, computes and adds up, in a process of its own,
bound to as many processors as it has threads; the second time counts, when everything is compiled. They take turns. The
sums are compared before times are.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from selections import SELECTIONS, Selection

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

import make_data  # noqa: E402
import provenance  # noqa: E402

RUNS = [("sapwood", 1), ("sapwood", 2), ("root", 1), ("root", 2), ("awkward", 1)]
AIMS = {"root": 2, "awkward": 5}
TOLERANCE = 1e-4  # of sums: the others compute some of it in float32


def measure(name: str, threads: int, place: int, table: str, files: list[str]) -> dict:
    processors = sorted(os.sched_getaffinity(0))[-threads:]
    command = ["taskset", "-c", ",".join(map(str, processors)), sys.executable, "-W", "ignore", str(HERE / "worker.py")]
    command += [name, str(place), str(threads), table, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def compare(selection: Selection, runs: dict[tuple[str, int], list[dict]]) -> None:
    """The same sums from everyone."""
    reference = runs["sapwood", 1][0]["sums"]
    for (name, _), results in runs.items():
        for column, value in results[0]["sums"].items():
            if abs(value - reference[column]) > TOLERANCE * abs(reference[column]):
                raise SystemExit(
                    f"{selection.name}: {column} of {name} adds up to {value!r}, not {reference[column]!r}"
                )


def rows_of(selection: Selection, runs: dict[tuple[str, int], list[dict]]) -> tuple[list[dict], list[str]]:
    seconds = {key: statistics.median(run["seconds"] for run in results) for key, results in runs.items()}
    entries, lines = [], []
    for (name, threads), time in seconds.items():
        times = time / seconds["sapwood", threads] if name != "sapwood" else None
        entries.append(
            {"selection": selection.name, "implementation": name, "threads": threads, "seconds": time, "times": times}
        )
        cell = "" if times is None else f"{times:.1f} ({AIMS[name]})"
        lines.append(
            f"| {selection.name} | {name}, {threads} thread{'s' if threads > 1 else ''} | {time:.3f} s | {cell} |"
        )
    return entries, lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one repetition on less data")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--data", type=Path, help="where data are made and kept (build/bench-data)")
    parser.add_argument("--output", type=Path, help="JSON and table (build/bench-expressions.json, .md)")
    options = parser.parse_args()
    build = HERE.parents[1] / "build"
    data = options.data or build / ("bench-data-quick" if options.quick else "bench-data")
    output = options.output or build / "bench-expressions.json"
    sizes = make_data.Sizes(copies=1, physics_rows=100_000) if options.quick else make_data.Sizes()
    make_data.make(data, ["jets", "physics"], sizes)

    entries = []
    lines = ["| selection | | time | times sapwood's (aim) |", "| --- | --- | ---: | ---: |"]
    for place, selection in enumerate(SELECTIONS):
        pattern, table = ("jets/ttree_*.root", "tree") if selection.kind == "jets" else ("physics/*.root", "Events")
        files = [str(path) for path in sorted(data.glob(pattern))]
        runs: dict[tuple[str, int], list[dict]] = {key: [] for key in RUNS}
        for _ in range(1 if options.quick else options.repetitions):
            for name, threads in RUNS:
                runs[name, threads].append(measure(name, threads, place, table, files))
        compare(selection, runs)
        new, rows = rows_of(selection, runs)
        entries += new
        lines += rows
        print("\n".join(rows), flush=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({**provenance.of_run("expressions"), "expressions": entries}, indent=1))
    output.with_suffix(".md").write_text("\n".join(lines) + "\n")
    print(f"written: {output}, {output.with_suffix('.md')}")


if __name__ == "__main__":
    main()
