"""The figures of benchmarks/scale."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import NullFormatter

sys.path.append(str(Path(__file__).resolve().parents[1]))

import plotting

COLORS = {"sapwood": "#1d4ed8", "uproot_torch": "#c2410c", "root_rdataloader": "#059669"}
FORMAT_COLORS = {"TTree": "#1d4ed8", "RNTuple": "#c2410c"}
AXES = {
    "batch_size": "batch (rows)",
    "buffer_rows": "shuffle buffer (rows)",
    "cluster_rows": "cluster (rows)",
    "columns": "columns",
}
Result = dict[str, Any]


def draw(results: dict[str, Result], folder: Path, stem: str) -> list[Path]:
    """`<stem>-<part>.svg` for each part that was measured."""
    drawings = {"start": start_figure, "large": large_figure, "files": files_figure, "sweep": sweep_figure}
    paths = []
    with plt.rc_context(plotting.STYLE):
        for part, drawing in drawings.items():
            if part in results:
                figure = drawing(results[part]["results"])
                paths.append(plotting.save(figure, folder / f"{stem}-{part}.svg"))
    return paths


def start_figure(results: list[Result]) -> plt.Figure:
    figure, axes = plt.subplots(figsize=(4.6, 3.0))
    for file_format, color in FORMAT_COLORS.items():
        for cold, style in ((False, "-"), (True, "--")):
            chosen = [r for r in results if r["format"] == file_format and r["cold"] == cold and r["buffer_bytes"]]
            label = f"{file_format}, {'cold' if cold else 'cached'}"
            lines(axes, chosen, "files", lambda result: result["seconds"], color, label, style)
    axes.set(xlabel="files", ylabel="time to the first batch (s)")
    log_scale(axes.xaxis)
    log_scale(axes.yaxis)
    axes.legend()
    return figure


def large_figure(result: Result) -> plt.Figure:
    figure, axes = plt.subplots(figsize=(4.6, 3.0))
    times, memory = zip(*result["all"]["curve"], strict=True)
    axes.plot(times, [value / 1e6 for value in memory], color=COLORS["sapwood"], linewidth=1, label="resident")
    axes.axhline(result["memory"] / 1e6, color="#111827", linestyle="--", linewidth=1, label="bound")
    axes.set(xlabel="time (s)", ylabel="memory over baseline (MB)", ylim=(0, None), xlim=(0, None))
    axes.legend(loc="lower right")
    return figure


def files_figure(results: list[Result]) -> plt.Figure:
    figure, (processors, memory) = plt.subplots(1, 2, figsize=(7.2, 3.0))
    for name, chosen in by_implementation(results).items():
        color, label = COLORS.get(name, plotting.OTHER_COLOR), name.replace("_", " ")
        lines(processors, chosen, "files", lambda result: result["cpu"] / result["seconds"], color, label)
        lines(memory, chosen, "files", lambda result: result["peak_over_baseline"] / 1e6, color, label)
    processors.set(xlabel="files", ylabel="processors used", ylim=(0, None))
    memory.set(xlabel="files", ylabel="peak memory over baseline (MB)", ylim=(0, None))
    log_scale(processors.xaxis)
    log_scale(memory.xaxis)
    processors.legend()
    return figure


def sweep_figure(results: list[Result]) -> plt.Figure:
    figure, panels = plt.subplots(2, 2, figsize=(7.2, 5.4), sharey=True)
    for (axis, label), axes in zip(AXES.items(), panels.flat, strict=True):
        for name, chosen in by_implementation([r for r in results if r["axis"] == axis]).items():
            color = COLORS.get(name, plotting.OTHER_COLOR)
            lines(axes, chosen, "value", lambda r: r["rows"] / r["seconds"] / 1e6, color, name.replace("_", " "))
        axes.set(xlabel=label)
        if axis != "columns":
            log_scale(axes.xaxis)
    for axes in panels[:, 0]:
        axes.set(ylabel="million rows/s", ylim=(0, None))
    panels[0, 0].legend()
    return figure


def log_scale(axis: Axis) -> None:
    """With plain numbers, at the powers of ten."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_formatter(lambda value, _: f"{value:,.12g}")
    axis.set_minor_formatter(NullFormatter())


def by_implementation(results: list[Result]) -> dict[str, list[Result]]:
    chosen: dict[str, list[Result]] = {}
    for result in results:
        if "error" not in result:
            chosen.setdefault(result["implementation"], []).append(result)
    return chosen


def lines(
    axes: Axes,
    results: list[Result],
    across: str,
    up: Callable[[Result], float],
    color: str,
    label: str,
    style: str = "-",
) -> None:
    axes.plot(
        [result[across] for result in results],
        [up(result) for result in results],
        color=color,
        linestyle=style,
        marker=".",
        label=label,
    )
