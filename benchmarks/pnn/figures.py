"""Loss, ROC and output distributions of all implementations, one over the other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

sys.path.append(str(Path(__file__).resolve().parents[1]))

import plotting
from pages import name_of

#: Those that lie on one another are wide and pale, or thin and dashed.
LINES: dict[str, Any] = {
    "csv_dataloader": {"color": "#93c5fd", "linewidth": 5},
    "sapwood_root": {"color": "#1d4ed8", "linewidth": 2.5},
    "sapwood_loader": {"color": "#fbbf24", "linewidth": 1.2, "linestyle": "--"},
    "root_rdataloader": {"color": "#059669", "linewidth": 1.2},
}
POINTS = 200
BINS = np.linspace(0, 1, 41)
Curves = dict[str, dict[str, list[Any]]]


def curves_of(losses: np.ndarray[Any, Any], scores: Any, is_signal: Any, roc: Any) -> dict[str, list[Any]]:
    """What is drawn of one implementation: mean losses [seeds, epochs]; of the first seed the ROC and histograms."""
    efficiencies = np.linspace(0, 1, POINTS)
    return {
        "loss": losses.tolist(),
        "roc": [efficiencies.tolist(), np.interp(efficiencies, roc.background, roc.signal).tolist()],
        "output": [np.histogram(scores[is_signal == label], BINS, density=True)[0].tolist() for label in (True, False)],
    }


def draw(curves: Curves, path: Path) -> None:
    with plt.rc_context(plotting.STYLE):
        figure, (loss, roc, output) = plt.subplots(1, 3, figsize=(10.2, 3.2))
        for name, of in curves.items():
            draw_one(name, of, loss, roc, output)
        loss.set(xlabel="epoch", ylabel="training loss, mean of the epoch's batches")
        roc.set(xlabel="background efficiency", ylabel="signal efficiency", xlim=(0, 1), ylim=(0, 1.01))
        output.set(xlabel="output", ylabel="density of events", xlim=(0, 1), yscale="log")
        loss.legend()
        output.text(0.05, 0.93, "background", transform=output.transAxes)
        output.text(0.78, 0.93, "signal", transform=output.transAxes)
        plotting.save(figure, path)


def draw_one(name: str, of: dict[str, list[Any]], loss: Axes, roc: Axes, output: Axes) -> None:
    """The loss is the first seed's, with a band from the smallest to the largest of all seeds."""
    style, losses = LINES[name], np.array(of["loss"])
    epochs = np.arange(1, losses.shape[1] + 1)
    loss.plot(epochs, losses[0], label=name_of(name), **style)
    loss.fill_between(epochs, losses.min(0), losses.max(0), color=style["color"], alpha=0.12, linewidth=0)
    roc.plot(*of["roc"], **style)
    for density in of["output"]:
        output.stairs(density, BINS, **style)
