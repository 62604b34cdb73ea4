"""Tables of what was measured, in Markdown."""

from __future__ import annotations

from collections.abc import Callable

import runners
from cases import Case

Entry = dict
Column = tuple[str, Callable[[Entry], str]]


def compared(task: str, case: Case, entries: list[Entry]) -> list[Entry]:
    """Adds what follows from several entries.

    How many times sapwood's time each takes on as many threads (of those that keep the data in memory: sapwood's when
    it does; of rootreadspeed, which keeps nothing: its stream's), the share of the ceiling's speed that sapwood
    reaches, and decompressed bytes per second.
    """
    good = {(entry["implementation"], entry["threads"]): entry for entry in entries if "error" not in entry}
    ceiling = runners.ceiling_of(task, case)
    sizes = [entry["bytes"] for entry in good.values() if "bytes" in entry]
    for entry in good.values():
        name = entry["implementation"]
        ours = "sapwood_eager" if name.endswith("_eager") else runners.COUNTERPARTS.get(name, "sapwood")
        own = good.get((ours, entry["threads"]))
        if own and not name.startswith("sapwood") and name not in runners.CEILINGS:
            entry["times"] = entry["seconds"] / own["seconds"]
            entry["times_cpu"] = entry["cpu"] / own["cpu"]
        limit = good.get((ceiling.implementation, entry["threads"]))
        if limit and name in runners.OURS:
            entry["of_ceiling"] = limit["seconds"] / entry["seconds"]
            entry["ceiling_target"] = ceiling.target
        if sizes:
            entry["bytes_per_second"] = sizes[0] / entry["seconds"]
    return entries


def _if_there(name: str, form: Callable[[float], str]) -> Callable[[Entry], str]:
    return lambda entry: "" if entry.get(name) is None else form(entry[name])


def _against(value: str, target: str) -> Callable[[Entry], str]:
    """A ratio and what it is aimed to be at least."""

    def cell(entry: Entry) -> str:
        if entry.get(value) is None:
            return ""
        digits = 2 if value == "of_ceiling" else 1
        return f"{entry[value]:.{digits}f}" + (f" ({entry[target]:g})" if entry.get(target) else "")

    return cell


RATE: list[Column] = [
    ("rows/s", lambda entry: f"{entry['rows_per_second'] / 1e3:,.0f} k"),
    ("MB/s", _if_there("bytes_per_second", lambda value: f"{value / 1e6:,.0f}")),
]
RATIOS: list[Column] = [
    ("times sapwood's time (aim)", _against("times", "target")),
    ("processor time", _against("times_cpu", "")),
    ("of the ceiling (aim)", _against("of_ceiling", "ceiling_target")),
    ("peak memory", lambda entry: f"{entry['peak_memory'] / 1e6:,.0f} MB"),
]
COLUMNS: dict[str, list[Column]] = {
    "read": [
        *RATE,
        ("time", lambda entry: f"{entry['seconds']:.2f} s"),
        ("processor time", lambda entry: f"{entry['cpu']:.2f} s"),
        *RATIOS,
    ],
    "load": [
        *RATE,
        ("processor s per million", lambda entry: f"{entry['cpu'] / entry['rows'] * 1e6:.2f}"),
        ("first batch ever", _if_there("first_batch_ever", lambda value: f"{value:.2f} s")),
        ("of an epoch", _if_there("first_batch", lambda value: f"{value:.3f} s")),
        *RATIOS,
    ],
}


def of_case(task: str, case: Case, entries: list[Entry]) -> list[str]:
    columns = COLUMNS[task]
    rows = next((entry["rows"] for entry in entries if "rows" in entry), 0)
    lines = [
        f"### {case.name}, {rows:,} rows",
        "",
        f"| | {' | '.join(head for head, _ in columns)} |",
        f"| --- |{' ---: |' * len(columns)}",
    ]
    for entry in entries:
        cells = (
            [entry["error"], *[""] * (len(columns) - 1)] if "error" in entry else [cell(entry) for _, cell in columns]
        )
        lines.append(f"| {entry['runner']} | {' | '.join(cells)} |")
    return [*lines, ""]
