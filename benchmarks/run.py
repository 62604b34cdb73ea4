"""Runs the benchmarks against ROOT and uproot: ./dev bench [read] [load] [memory] [--quick]

Each implementation of a task runs on the same files in a process of its own, bound to as many processors as it has
threads. They take turns, and the median of the repetitions counts. Results are compared before times are.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import cases
import make_data
import provenance

HERE = Path(__file__).resolve().parent
TIMEOUT = 1800  # seconds for one measurement
TOLERANCE = 1e-9  # of the sum of absolute values, for sums in different orders


@dataclasses.dataclass(frozen=True)
class Runner:
    """An implementation with its number of threads, and how many times faster the first runner shall be."""

    implementation: str
    threads: int
    target: float | None = None
    jagged_target: float | None = None

    @property
    def label(self) -> str:
        return f"{self.implementation.replace('_', ' ')}, {self.threads} thread{'s' if self.threads > 1 else ''}"


RUNNERS = {
    "read": [
        Runner("sapwood", 1),
        Runner("sapwood", 2),
        Runner("uproot", 1, 3, 3),
        Runner("root_rdataframe", 1, 2, 2),
        Runner("root_rdataframe", 2),
        Runner("root_readspeed", 1, 2, 2),
    ],
    "load": [
        Runner("sapwood", 2),
        Runner("root_rdataloader", 2, 8, 3),
        Runner("uproot_torch", 2, 2.5, 8),
    ],
}
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
    runners = [
        runner
        for runner in RUNNERS[task]
        if not (runner.implementation == "root_readspeed" and "RNTuple" in case.name)  # reads TTrees only
        and (not peers or runner.implementation in ["sapwood", *peers])
    ]
    runs: dict[Runner, list[dict]] = {runner: [] for runner in runners}
    warm(case, data)
    for repetition in range(repetitions):
        for runner in runners if repetition % 2 == 0 else reversed(runners):
            if not any("error" in run for run in runs[runner]):
                runs[runner].append(measure(task, runner, case, data))
    compare_results([run for runs_of_one in runs.values() for run in runs_of_one if "error" not in run], case)
    rows = next(run["rows"] for run in runs[runners[0]])
    return [summary(runner, runs[runner], rows, case) for runner in runners]


def compare_results(runs: list[dict], case: cases.Case) -> None:
    """Rows and sums of all columns are the same for everyone who gives them."""
    reference = runs[0]
    for run in runs[1:]:
        if run["rows"] not in (None, reference["rows"]):
            raise SystemExit(f"{case.name}: {run['rows']} rows instead of {reference['rows']}")
        for name, (value, _) in run["sums"].items():
            expected, scale = reference["sums"][name]
            if abs(value - expected) > TOLERANCE * (scale or abs(expected)) and value == value:
                raise SystemExit(f"{case.name}: {name} adds up to {value!r} instead of {expected!r}")


def summary(runner: Runner, runs: list[dict], rows: int, case: cases.Case) -> dict:
    entry = {"runner": runner.label, "target": runner.jagged_target if case.jagged else runner.target}
    errors = [run["error"] for run in runs if "error" in run]
    if errors:
        return {**entry, "error": errors[0]}
    seconds = statistics.median(run["seconds"] for run in runs)
    return {
        **entry,
        "seconds": seconds,
        "all_seconds": [run["seconds"] for run in runs],
        "cpu": statistics.median(run["cpu"] for run in runs),
        "rows": rows,
        "rows_per_second": rows / seconds,
        "peak_memory": max(run["peak_memory"] for run in runs),
    }


def print_case(case: cases.Case, entries: list[dict]) -> list[str]:
    """A table in Markdown. A ratio is how many times longer another takes than sapwood on as many threads."""
    ours = {entry["runner"].split(", ")[1]: entry for entry in entries if entry["runner"].startswith("sapwood")}
    lines = [
        f"### {case.name}, {entries[0].get('rows', 0):,} rows",
        "",
        "| | rows/s | time | processor time | times sapwood's time | processor time | target | peak memory |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for entry in entries:
        if "error" in entry:
            lines.append(f"| {entry['runner']} | {entry['error']} | | | | | | |")
            continue
        own = ours[entry["runner"].split(", ")[1]]
        same = own is entry or "error" in own
        target = f"{entry['target']:g}" if entry["target"] else ""
        ratios = " | " if same else f"{entry['seconds'] / own['seconds']:.1f} | {entry['cpu'] / own['cpu']:.1f}"
        lines.append(
            f"| {entry['runner']} | {entry['rows_per_second'] / 1e3:,.0f} k | {entry['seconds']:.2f} s "
            f"| {entry['cpu']:.2f} s | {ratios} | {target} | {entry['peak_memory'] / 1e6:,.0f} MB |"
        )
    lines.append("")
    print("\n".join(lines), flush=True)
    return lines


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

    kinds = ["flat", "jets", "events"] if set(tasks) & {"read", "load"} else ["flat"]
    sizes = make_data.Sizes(flat_rows=50_000, copies=1, event_copies=1) if options.quick else make_data.Sizes()
    make_data.make(data, [*kinds, "memory"] if "memory" in tasks else kinds, sizes)

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
            if options.only not in case.name or (task == "load" and case.name.startswith("events")):
                continue
            repetitions = 1 if options.quick else options.repetitions
            entries = measure_case(task, case, data, repetitions, list(filter(None, options.peers.split(","))))
            results[task][case.name] = entries
            lines += print_case(case, entries)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(results, indent=1))
    output.with_suffix(".md").write_text("\n".join(lines))
    print(f"written: {output}, {output.with_suffix('.md')}")


if __name__ == "__main__":
    main()
