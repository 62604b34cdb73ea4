"""Runs the benchmarks against ROOT, uproot and weaver: ./dev bench [read] [load] [memory] [--quick]

Each implementation of a task runs on the same files in a process of its own, bound to as many processors as it has
threads. They take turns, and the median of the repetitions counts. Results are compared before times are.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import cases
import make_data
import provenance
import tables
from runners import OURS, RUNNERS, Runner

HERE = Path(__file__).resolve().parent
TIMEOUT = 1800  # seconds for one measurement
TOLERANCE = 1e-9  # of the sum of absolute values, for sums in different orders


BOUNDS = [1_000_000_000, 300_000_000]  # bytes


def measure(task: str, runner: Runner, case: cases.Case, data: Path, *more: int) -> dict:
    """One measurement; what fails is returned as {"error": text}."""
    command = [sys.executable, "-P", "-W", "ignore", str(HERE / "measure.py"), task, runner.implementation]
    command += [case.name, str(runner.threads), str(data), *map(str, more)]
    processors = sorted(os.sched_getaffinity(0))[-runner.threads :]
    try:
        done = subprocess.run(
            ["taskset", "-c", ",".join(map(str, processors)), *command],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"not done after {TIMEOUT} s"}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def warm(case: cases.Case, data: Path) -> None:
    """Puts the files into the page cache."""
    for pattern in case.patterns:
        for path in data.glob(pattern):
            with path.open("rb") as file:
                while file.read(1 << 24):
                    pass


def measure_case(task: str, case: cases.Case, data: Path, repetitions: int, peers: list[str]) -> list[dict]:
    """Medians of every runner of a task, in the order of RUNNERS; of others than sapwood only `peers`, if any."""
    running = [
        runner
        for runner in RUNNERS[task]
        if runner.reads(case) and (not peers or runner.implementation in [*OURS, *peers])
    ]
    runs: dict[Runner, list[dict]] = {runner: [] for runner in running}
    warm(case, data)
    for repetition in range(repetitions):
        for runner in running if repetition % 2 == 0 else reversed(running):
            if not any("error" in run for run in runs[runner]):
                runs[runner].append(measure(task, runner, case, data))
    compare_results([run for runs_of_one in runs.values() for run in runs_of_one if "error" not in run], case)
    entries = [summary(runner, runs[runner], case) for runner in running]
    return tables.compared(task, case, entries)


def compare_results(runs: list[dict], case: cases.Case) -> None:
    """Rows and sums of all columns are the same for everyone who gives them."""
    reference = runs[0]
    for run in runs[1:]:
        if run["rows"] is None:  # rootreadspeed does not tell
            run["rows"] = reference["rows"]
        if run["rows"] != reference["rows"]:
            raise SystemExit(f"{case.name}: {run['rows']} rows instead of {reference['rows']}")
        for name, (value, _) in run["sums"].items():
            expected, scale = reference["sums"][name]
            if abs(value - expected) > TOLERANCE * (scale or abs(expected)) and value == value:
                raise SystemExit(f"{case.name}: {name} adds up to {value!r} instead of {expected!r}")


def summary(runner: Runner, runs: list[dict], case: cases.Case) -> dict:
    entry = {
        "runner": runner.label,
        "implementation": runner.implementation,
        "threads": runner.threads,
        "target": runner.target(case),
    }
    errors = [run["error"] for run in runs if "error" in run]
    if errors:
        return {**entry, "error": errors[0]}
    for name in ("seconds", "cpu", "first_batch", "first_batch_ever"):
        if name in runs[0]:
            entry[name] = statistics.median(run[name] for run in runs)
    rows = runs[0]["rows"]
    return {
        **entry,
        "all_seconds": [run["seconds"] for run in runs],
        "rows": rows,
        "rows_per_second": rows / entry["seconds"],
        "peak_memory": max(run["peak_memory"] for run in runs),
        **({"bytes": runs[0]["bytes"]} if "bytes" in runs[0] else {}),
    }


def measure_memory(data: Path) -> tuple[list[dict], list[str]]:
    """Peak over baseline of one epoch under each bound."""
    entries = []
    lines = [
        "| data | on disk | bound | peak over baseline | within | counted | rows/s |",
        "| --- | ---: | ---: | ---: | --- | ---: | ---: |",
    ]
    for case in cases.MEMORY_CASES:
        for bound in BOUNDS:
            result = measure("memory", Runner("sapwood", 2), case, data, bound)
            entries.append({"case": case.name, "bound": bound, **result})
            if "error" in result:
                lines.append(f"| {case.name} | | {bound / 1e6:,.0f} MB | {result['error']} | no | | |")
            else:
                within = "yes" if result["peak_over_baseline"] <= bound else "**no**"
                lines.append(
                    f"| {case.name} | {result['bytes'] / 1e9:.1f} GB | {bound / 1e6:,.0f} MB | "
                    f"{result['peak_over_baseline'] / 1e6:,.0f} MB | {within} "
                    f"| {result['peak_counted'] / 1e6:,.0f} MB | {result['rows'] / result['seconds'] / 1e3:,.0f} k |"
                )
            print(lines[-1], flush=True)
    return entries, [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="read, load, memory; read and load unless told")
    parser.add_argument("--quick", action="store_true", help="one repetition on a tenth of the data")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--data", type=Path, help="where data are made and kept (build/bench-data)")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--peers", default="", help="compare only with these, such as uproot,root_readspeed")
    parser.add_argument("--output", type=Path, help="JSON and tables (build/bench-results.json, .md)")
    options = parser.parse_args()
    tasks = options.tasks or ["read", "load"]
    if unknown := set(tasks) - {"read", "load", "memory"}:
        parser.error(f"no task {', '.join(sorted(unknown))}")
    build = HERE.parent / "build"
    data = options.data or build / ("bench-data-quick" if options.quick else "bench-data")
    output = options.output or build / "bench-results.json"

    kinds = {case.kind for case in cases.CASES if set(case.tasks) & set(tasks) and options.only in case.name}
    if "memory" in tasks:
        kinds |= {"flat", "memory"}
    quick = make_data.Sizes(flat_rows=50_000, copies=1, event_copies=1, nano_rows=2_000, shape_rows=10_000)
    make_data.make(data, sorted(kinds), quick if options.quick else make_data.Sizes())

    results = provenance.of_run()
    lines = [provenance.one_line(results["machine"]), ""]
    print("\n".join(lines))
    for task in tasks:
        lines += [f"## {task}", ""]
        if task == "memory":
            results[task], table = measure_memory(data)
            lines += table
            continue
        results[task] = {}
        for case in cases.CASES:
            if options.only not in case.name or task not in case.tasks:
                continue
            repetitions = 1 if options.quick else options.repetitions
            entries = measure_case(task, case, data, repetitions, list(filter(None, options.peers.split(","))))
            results[task][case.name] = entries
            table = tables.of_case(task, case, entries)
            print("\n".join(table), flush=True)
            lines += table
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(results, indent=1))
    output.with_suffix(".md").write_text("\n".join(lines))
    print(f"written: {output}, {output.with_suffix('.md')}")


if __name__ == "__main__":
    main()
