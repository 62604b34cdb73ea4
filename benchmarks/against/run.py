"""Whether reading is as fast as it was: ./dev bench against REVISION [--only NAME] [--repetitions N]

Builds the revision beside this tree, with the same Zstandard, and lets both read all columns of the cases of `read`
unit by unit (`sapwood stream`), in turns, on one and two processors. The fastest repetition of each counts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import cases  # noqa: E402
import make_data  # noqa: E402

import sapwood  # noqa: E402

PROGRAM = Path("benchmarks") / "sapwood_ceiling"


def build(revision: str) -> Path:
    """The program of a revision."""
    git = ["git", "-C", str(ROOT)]
    name = subprocess.run(
        [*git, "rev-parse", "--short", "--verify", f"{revision}^{{commit}}"], capture_output=True, text=True, check=True
    ).stdout.strip()
    source = ROOT / "build" / "against" / name
    if not source.exists():
        subprocess.run([*git, "worktree", "add", "--detach", str(source), name], check=True)
    configure = ["cmake", "--preset", "release", "-D", "SAPWOOD_TESTS=OFF", "-D", "SAPWOOD_BENCHMARKS=ON"]
    configure += ["-D", f"SAPWOOD_ZSTD_SOURCE={ROOT / '.deps' / 'zstd'}"]
    subprocess.run(configure, cwd=source, check=True, stdout=subprocess.DEVNULL)
    compile_it = ["cmake", "--build", "build/release", "--target", PROGRAM.name]
    subprocess.run(compile_it, cwd=source, check=True)
    return source / "build" / "release" / PROGRAM


def seconds(program: Path, case: cases.Case, files: list[str], columns: str, threads: int) -> float:
    """Infinite where the program can't read the files."""
    processors = ",".join(map(str, sorted(os.sched_getaffinity(0))[-threads:]))
    command = ["taskset", "-c", processors, str(program), "decode", case.table, columns, str(threads), "0", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return float("inf") if done.returncode else json.loads(done.stdout)["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", help="a commit, such as HEAD~10")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "bench-data")
    options = parser.parse_args()
    chosen = [case for case in cases.CASES if "read" in case.tasks and options.only in case.name]
    make_data.make(options.data, sorted({case.kind for case in chosen}), make_data.Sizes())
    programs = [build(options.revision), ROOT / "build" / "release" / PROGRAM]
    print(f"| {options.revision} against this tree | threads | before | now | times as fast |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for case in chosen:
        files = sorted(str(path) for pattern in case.patterns for path in options.data.glob(pattern))
        columns = ",".join(sapwood.open(files[0], case.table).columns)
        for threads in (1, 2):
            best = [float("inf")] * 2
            for repetition in range(options.repetitions):
                for which in (0, 1) if repetition % 2 == 0 else (1, 0):
                    best[which] = min(best[which], seconds(programs[which], case, files, columns, threads))
            times = " | ".join("not read" if time == float("inf") else f"{time * 1e3:.1f} ms" for time in best)
            ratio = f"{best[0] / best[1]:.2f}" if best[0] < float("inf") else ""
            print(f"| {case.name} | {threads} | {times} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
