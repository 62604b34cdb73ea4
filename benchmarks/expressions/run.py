"""Selections and definitions against RDataFrame and Awkward: ./dev bench expressions [--quick]

Each implementation reads the same files from the page cache, filters, computes and adds up, in a process of its own,
bound to as many processors as it has threads; the second time counts, when everything is compiled. They take turns.
The sums are compared before times are. As a limit, sapwood reads the same columns and does nothing with them. `--docs`
writes the results into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import report
from selections import SELECTIONS, Selection

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

import ceiling_program  # noqa: E402
import docs_page  # noqa: E402
import make_data  # noqa: E402
import provenance  # noqa: E402

TOLERANCE = 1e-4  # of sums: the others compute some of it in float32


@contextlib.contextmanager
def bound_to_processors(count: int) -> Iterator[None]:
    """So are the processes that are started."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[-count:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure(name: str, threads: int, place: int, table: str, files: list[str]) -> dict:
    with bound_to_processors(threads):
        if name == "columns":
            return ceiling_program.run("decode", files, table, list(SELECTIONS[place].columns), threads)
        command = [sys.executable, "-W", "ignore", str(HERE / "worker.py"), name, str(place), str(threads), table]
        done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def compare(selection: Selection, runs: dict[tuple[str, int], list[dict]]) -> None:
    """The same sums from everyone."""
    reference = runs["sapwood", 1][0]["sums"]
    for (name, _), results in runs.items():
        if name == "columns":
            continue
        for column, value in results[0]["sums"].items():
            if abs(value - reference[column]) > TOLERANCE * abs(reference[column]):
                raise SystemExit(
                    f"{selection.name}: {column} of {name} adds up to {value!r}, not {reference[column]!r}"
                )


def median_times(runs: dict[tuple[str, int], list[dict]]) -> list[dict]:
    return [
        {"implementation": name, "threads": threads, "seconds": statistics.median(run["seconds"] for run in results)}
        for (name, threads), results in runs.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one repetition on less data")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--data", type=Path, help="where data are made and kept (build/bench-data)")
    parser.add_argument("--output", type=Path, help="JSON and table (build/bench-expressions.json, .md)")
    parser.add_argument("--docs", action="store_true", help="write the section of docs/benchmarks.md, too")
    options = parser.parse_args()
    if options.docs and options.quick:
        parser.error("--docs is for full runs")
    build = HERE.parents[1] / "build"
    data = options.data or build / ("bench-data-quick" if options.quick else "bench-data")
    output = options.output or build / "bench-expressions.json"
    sizes = make_data.Sizes(copies=1, physics_rows=100_000) if options.quick else make_data.Sizes()
    make_data.make(data, ["jets", "physics"], sizes)

    results = {**provenance.of_run("expressions"), "expressions": {}}
    for place, selection in enumerate(SELECTIONS):
        pattern, table = ("jets/ttree_*.root", "tree") if selection.kind == "jets" else ("physics/*.root", "Events")
        files = [str(path) for path in sorted(data.glob(pattern))]
        runs: dict[tuple[str, int], list[dict]] = {key: [] for key in report.RUNS}
        for _ in range(1 if options.quick else options.repetitions):
            for name, threads in report.RUNS:
                runs[name, threads].append(measure(name, threads, place, table, files))
        compare(selection, runs)
        results["expressions"][selection.name] = median_times(runs)
        print(report.times_row(selection.name, results["expressions"][selection.name]), flush=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(results, indent=1))
    output.with_suffix(".md").write_text("\n".join(report.section(results)) + "\n")
    print(f"written: {output}, {output.with_suffix('.md')}")
    if options.docs:
        docs_page.write_section(docs_page.PAGE, report.section(results))


if __name__ == "__main__":
    main()
