"""The results of benchmarks/expressions in Markdown."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from pages import measured_on, table

NAMES = {"sapwood": "sapwood", "columns": "columns alone", "root": "RDataFrame", "awkward": "Awkward"}
AIMS = {"root": 2, "awkward": 5}  # times sapwood's time
RUNS = [("sapwood", 1), ("sapwood", 2), ("columns", 1), ("columns", 2), ("root", 1), ("root", 2), ("awkward", 1)]
#: Each with the threads that sapwood has beside it.
RATIOS = [("root", 1, 1), ("root", 2, 2), ("awkward", 1, 1), ("awkward", 1, 2), ("columns", 1, 1), ("columns", 2, 2)]
TEXT = (
    "Five selections and definitions (`benchmarks/expressions/selections.py`) on 4,000,000 events like NanoAOD's and "
    "on jets, from the page cache: filtered, computed and added up, in a process of its own bound to as many "
    "processors as it has threads; the second time counts, when RDataFrame has compiled. Awkward reads with uproot, "
    'file by file. "Columns alone" is sapwood reading all rows of the columns and doing nothing with them, once. '
    "Medians of the runs. Awkward computes on one thread, however many processors there are; it is compared with "
    "sapwood's time on one and, as on the same machine, on two."
)
Entry = dict


def _head(name: str, threads: int) -> str:
    return f"{NAMES[name]}, {threads}"


def _head_of_ratio(name: str, threads: int, ours: int) -> str:
    beside = "" if ours == threads else f" to {ours}"
    return _head(name, threads) + beside + (f" ({AIMS[name]})" if name in AIMS else "")


def _seconds(entries: list[Entry]) -> dict[tuple[str, int], float]:
    return {(entry["implementation"], entry["threads"]): entry["seconds"] for entry in entries}


def times_row(selection: str, entries: list[Entry]) -> str:
    seconds = _seconds(entries)
    return f"| {selection} | {' | '.join(f'{seconds[key]:.3f} s' for key in RUNS)} |"


def ratios_row(selection: str, entries: list[Entry]) -> str:
    seconds = _seconds(entries)
    ratios = [seconds[name, threads] / seconds["sapwood", ours] for name, threads, ours in RATIOS]
    return f"| {selection} | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |"


def section(results: dict) -> list[str]:
    found = results["expressions"]
    aimed = [_head_of_ratio(*key) for key in RATIOS]
    return [
        "## expressions",
        "",
        measured_on(results),
        "",
        TEXT,
        "",
        *table(["time, threads", *(_head(*key) for key in RUNS)], [times_row(*item) for item in found.items()]),
        "",
        *table(["times sapwood's (aim)", *aimed], [ratios_row(*item) for item in found.items()]),
    ]
