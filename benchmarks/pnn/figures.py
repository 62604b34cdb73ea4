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
    "root_rdataloader": {"color": "#059669", "linewidth": 1.6, "linestyle": ":"},
}
POINTS = 200
BACKGROUND = 0.3  # efficiency up to which the ROC curve is drawn
BINS = np.linspace(0, 1, 41)
Array = np.ndarray[Any, np.dtype[Any]]
Curves = dict[str, dict[str, list[Any]]]


def curves_of(losses: Array, scores: Array, is_signal: Array, rocs: list[Any]) -> dict[str, list[Any]]:
    """What is drawn of one implementation, from losses [seeds, epochs], scores [seeds, N] and a ROC curve for each
    seed: losses of all seeds; of ROC and output the mean over the seeds.
    """
    rates = np.linspace(0, BACKGROUND, POINTS)
    signal = np.mean([np.interp(rates, roc.background, roc.signal) for roc in rocs], axis=0)
    chosen = (scores[:, is_signal], scores[:, ~is_signal])
    return {
        "loss": losses.tolist(),
        "roc": [rates.tolist(), signal.tolist()],
        "output": [np.histogram(of, BINS, density=True)[0].tolist() for of in chosen],
    }


def draw(curves: Curves, path: Path) -> None:
    with plt.rc_context(plotting.STYLE):
        figure, (loss, roc, output) = plt.subplots(1, 3, figsize=(10.2, 3.2))
        for name in filter(curves.__contains__, LINES):
            draw_one(name, curves[name], loss, roc, output)
        loss.set(xlabel="epoch", ylabel="training loss")
        roc.set(xlabel="background efficiency", ylabel="signal efficiency", xlim=(0, BACKGROUND), ylim=(None, 1))
        output.set(xlabel="output", ylabel="density of events", xlim=(0, 1), yscale="log")
        loss.legend()
        output.text(0.06, 0.93, "background", transform=output.transAxes)
        output.text(0.80, 0.93, "signal", transform=output.transAxes)
        plotting.save(figure, path)


def draw_one(name: str, of: dict[str, list[Any]], loss: Axes, roc: Axes, output: Axes) -> None:
    """The loss with a band from the smallest to the largest of the seeds."""
    style, losses = LINES[name], np.array(of["loss"])
    epochs = np.arange(1, losses.shape[1] + 1)
    loss.plot(epochs, losses.mean(0), label=name_of(name), **style)
    loss.fill_between(epochs, losses.min(0), losses.max(0), color=style["color"], alpha=0.12, linewidth=0)
    roc.plot(*of["roc"], **style)
    for density in of["output"]:
        output.stairs(density, BINS, baseline=None, **style)
