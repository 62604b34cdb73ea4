"""The report of a training: one HTML page with everything in it."""

from __future__ import annotations

import base64
import io
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

from .. import __version__

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..dataset import Dataset
    from ..loader import Loader
    from .loop import History
    from .metrics import Metrics

    Array = np.ndarray[Any, np.dtype[Any]]

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.ticker import MaxNLocator

COLORS = ("#1d4ed8", "#c2410c", "#059669", "#7c3aed", "#b45309", "#0e7490", "#be185d", "#4d7c0f")
STYLE: Any = {
    "figure.figsize": (5.6, 4.0),
    "figure.dpi": 160,
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
}
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #1f2937; }}
body {{ max-width: 1080px; margin: 2.5rem auto; padding: 0 1.5rem; }}
h1 {{ margin-bottom: 0.2rem; }}
h2 {{ margin-top: 2.2rem; font-size: 1.2rem; }}
.cards {{ display: flex; flex-wrap: wrap; gap: 1rem; margin: 1.5rem 0; }}
.card {{ flex: 1 1 10rem; border: 1px solid #e5e7eb; border-radius: 0.6rem; padding: 0.9rem 1.1rem; }}
.card b {{ display: block; font-size: 1.7rem; line-height: 1.2; }}
.figures {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 1.2rem; }}
figure {{ margin: 0; }}
img {{ width: 100%; }}
figcaption, .muted {{ color: #6b7280; font-size: 0.9rem; }}
table {{ border-collapse: collapse; }}
td, th {{ text-align: left; padding: 0.25rem 1.5rem 0.25rem 0; border-bottom: 1px solid #e5e7eb; }}
td.number, th.number {{ text-align: right; }}
pre {{ background: #f3f4f6; padding: 1rem; border-radius: 0.6rem; overflow-x: auto; font-size: 0.85rem; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def write_report(
    folder: Path,
    *,
    title: str,
    dataset: Dataset,
    loader: Loader,
    model: str,
    history: History,
    metrics: Metrics,
    scores: Array,
    labels: Array,
    weights: Array | None,
    classes: list[str],
) -> Path:
    """Writes ``report.html`` into `folder`; returns its path. Scores are probabilities [N, K] of the test rows."""
    page = folder / "report.html"
    waiting = history.waited / max(history.seconds, 1e-9)
    with plt.rc_context(STYLE):
        figures = [
            (loss_figure(history), "Mean loss of each epoch. The weights of the marked epoch are the ones tested."),
            (roc_figure(metrics), "Efficiencies on the test rows as the cut on the score moves."),
            (score_figure(scores, labels, weights, classes), "Scores of the test rows; each class has area 1."),
            (rejection_figure(metrics), "Background rejection against signal efficiency; the dots are at 50 %."),
        ]
    best = metrics.curves[0]
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="muted">{escape(model)}, trained for {len(history.train_loss)} epochs on ROOT files read by '
        f"sapwood {escape(__version__)}.</p>",
        cards(
            ("AUC" if len(metrics.curves) == 1 else "mean AUC", f"{metrics.auc:.4f}"),
            ("accuracy", f"{metrics.accuracy:.1%}"),
            (f"rejection at 50 % efficiency ({best.name})", f"{best.rejection():.0f}"),
            ("of training waited for data", f"{waiting:.1%}"),
        ),
        '<div class="figures">',
        *(
            f'<figure><img src="{source}" alt="{caption}"><figcaption>{caption}</figcaption></figure>'
            for source, caption in figures
        ),
        "</div>",
        "<h2>Results</h2>",
        table(
            ("quantity", "value"),
            [
                ("test rows", f"{metrics.rows:,}"),
                ("cross-entropy", f"{metrics.loss:.4f}"),
                ("accuracy of the most probable class", f"{metrics.accuracy:.4f}"),
                *((f"AUC, {curve.name} against the rest", f"{curve.auc:.4f}") for curve in metrics.curves),
                *((f"1/ε_B at ε_S = 50 %, {curve.name}", f"{curve.rejection():.1f}") for curve in metrics.curves),
                ("epoch of the weights tested", f"{history.best_epoch + 1}"),
                ("training time without validation", f"{history.seconds:.1f} s"),
                ("rows per second", f"{history.rows / max(history.seconds, 1e-9):,.0f}"),
                ("share of training spent waiting for data", f"{waiting:.2%}"),
            ],
        ),
        "<h2>Data</h2>",
        table(
            ("file", "class", "entries", "clusters"),
            [
                (
                    Path(file.path).name,
                    dataset.labels[file.sample] if dataset.labels else "",
                    f"{file.num_entries:,}",
                    f"{len(file.clusters):,}",
                )
                for file in dataset.files
            ],
        ),
        "<h2>Inputs</h2>",
        table(
            ("tensor", "dtype", "shape of a row", "channels"),
            [
                (tensor.name, tensor.dtype, str(list(tensor.shape)), ", ".join(tensor.channels))
                for tensor in loader.tensors
            ],
        ),
        "<h2>Loader of the training part</h2>",
        f"<pre>{escape(str(loader.explain()))}</pre>",
    ]
    page.write_text(PAGE.format(title=escape(title), body="\n".join(body)), encoding="utf-8")
    return page


def cards(*values: tuple[str, str]) -> str:
    return (
        '<div class="cards">'
        + "".join(f'<div class="card"><b>{escape(value)}</b>{escape(name)}</div>' for name, value in values)
        + "</div>"
    )


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table; cells that begin with a digit are numbers and stand to the right."""

    def cell(tag: str, text: str, number: bool) -> str:
        return f"<{tag}{' class=number' if number else ''}>{escape(text)}</{tag}>"

    numeric = [all(row[i][:1].isdigit() for row in rows) for i in range(len(header))]
    head = "".join(cell("th", text, number) for text, number in zip(header, numeric, strict=True))
    lines = "".join(
        "<tr>" + "".join(cell("td", text, number) for text, number in zip(row, numeric, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def embedded(figure: Figure) -> str:
    """The figure as a PNG inside a URI."""
    image = io.BytesIO()
    figure.savefig(image, format="png")
    plt.close(figure)
    return "data:image/png;base64," + base64.b64encode(image.getvalue()).decode()


def loss_figure(history: History) -> str:
    figure, axes = plt.subplots()
    epochs = np.arange(1, len(history.train_loss) + 1)
    axes.plot(epochs, history.train_loss, color="#111827", label="training", marker=".")
    axes.plot(epochs, history.val_loss, color="#059669", label="validation", marker=".")
    best = history.best_epoch
    axes.plot(epochs[best], history.val_loss[best], "o", color="#059669")
    axes.set(xlabel="epoch", ylabel="cross-entropy")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
    return embedded(figure)


def roc_figure(metrics: Metrics) -> str:
    figure, axes = plt.subplots()
    for color, curve in zip(_colors(metrics), metrics.curves, strict=False):
        axes.plot(curve.background, curve.signal, color=color, label=f"{curve.name}: AUC = {curve.auc:.4f}")
    axes.plot([0, 1], [0, 1], color="#9ca3af", linestyle="--", linewidth=1, label="guessing")
    axes.set(xlabel="background efficiency", ylabel="signal efficiency", xlim=(0, 1), ylim=(0, 1.01))
    axes.legend(loc="lower right")
    return embedded(figure)


def score_figure(scores: Array, labels: Array, weights: Array | None, classes: list[str]) -> str:
    """The score of the last class, or, of more than two classes, each class's score of its own entries."""
    figure, axes = plt.subplots()
    bins = np.linspace(0, 1, 41).tolist()
    for k, name in enumerate(classes):
        chosen = labels == k
        of = scores[chosen, 1 if len(classes) == 2 else k]
        each = None if weights is None else weights[chosen]
        color = COLORS[k % len(COLORS)]
        axes.hist(of, bins, weights=each, density=True, histtype="stepfilled", color=color, alpha=0.25)
        axes.hist(of, bins, weights=each, density=True, histtype="step", color=color, label=name)
    axis = f"score of {classes[1]}" if len(classes) == 2 else "score of the true class"
    axes.set(xlabel=axis, ylabel="density", yscale="log", xlim=(0, 1))
    axes.legend(loc="upper center")
    return embedded(figure)


def rejection_figure(metrics: Metrics) -> str:
    figure, axes = plt.subplots()
    for color, curve in zip(_colors(metrics), metrics.curves, strict=False):
        passed = curve.background > 0
        axes.plot(curve.signal[passed], 1 / curve.background[passed], color=color, label=curve.name)
        if np.isfinite(curve.rejection()):
            axes.plot(0.5, curve.rejection(), "o", color=color)
    axes.set(xlabel="signal efficiency", ylabel="rejection (1 / efficiency)", yscale="log", xlim=(0, 1.01))
    axes.legend()
    return embedded(figure)


def _colors(metrics: Metrics) -> tuple[str, ...]:
    return COLORS[1:2] if len(metrics.curves) == 1 else COLORS
