"""The report of a training: one HTML page with everything in it."""

import base64
import io
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from metrics import Metrics, roc
from torch import nn

import sapwood as sw

mpl.use("Agg")
from matplotlib import pyplot as plt

SIGNAL = "#c2410c"
BACKGROUND = "#1d4ed8"
STYLE = {
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
<title>Top-quark jets against QCD jets</title>
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
    jets: sw.Dataset,
    loader: sw.Loader,
    model: nn.Module,
    history: Any,
    metrics: Metrics,
    scores: np.ndarray,
    labels: np.ndarray,
) -> Path:
    """Writes ``report.html`` into `folder`; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "report.html"
    waiting = history.waited / history.seconds
    parameters = sum(parameter.numel() for parameter in model.parameters())
    with plt.rc_context(STYLE):
        figures = [
            (loss_figure(history), "Mean loss of each epoch. The weights of the marked epoch are the ones tested."),
            (roc_figure(scores, labels, metrics), "Efficiencies on the test jets as the cut on the score moves."),
            (score_figure(scores, labels), "Scores of the test jets; each class has area 1."),
            (rejection_figure(scores, labels), "Background rejection against signal efficiency; the dot is at 50 %."),
        ]
    body = [
        "<h1>Top-quark jets against QCD jets</h1>",
        f'<p class="muted">A Particle-Flow Network of {parameters:,} parameters, trained for '
        f"{len(history.train_loss)} epochs on ROOT files read by sapwood {escape(sw.__version__)}.</p>",
        cards(
            ("AUC", f"{metrics.auc:.4f}"),
            ("accuracy", f"{metrics.accuracy:.1%}"),
            ("rejection at 50 % efficiency", f"{metrics.rejection:.0f}"),
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
                ("test jets", f"{metrics.jets:,}"),
                ("accuracy, cut at 0.5", f"{metrics.accuracy:.4f}"),
                ("AUC", f"{metrics.auc:.4f}"),
                ("background rejection 1/ε_B at ε_S = 50 %", f"{metrics.rejection:.1f}"),
                ("epoch of the weights tested", f"{history.best_epoch + 1}"),
                ("training time without validation", f"{history.seconds:.1f} s"),
                ("jets per second", f"{history.events / history.seconds:,.0f}"),
                ("share of training spent waiting for data", f"{waiting:.2%}"),
            ],
        ),
        "<h2>Data</h2>",
        table(
            ("file", "class", "jets", "clusters"),
            [
                (Path(file.path).name, jets.labels[file.sample], f"{file.num_entries:,}", f"{len(file.clusters):,}")
                for file in jets.files
            ],
        ),
        "<h2>Loader of the training part</h2>",
        f"<pre>{escape(str(loader.explain()))}</pre>",
    ]
    page.write_text(PAGE.format(body="\n".join(body)), encoding="utf-8")
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


def embedded(figure: plt.Figure) -> str:
    """The figure as a PNG inside a URI."""
    image = io.BytesIO()
    figure.savefig(image, format="png")
    plt.close(figure)
    return "data:image/png;base64," + base64.b64encode(image.getvalue()).decode()


def loss_figure(history: Any) -> str:
    figure, axes = plt.subplots()
    epochs = np.arange(1, len(history.train_loss) + 1)
    axes.plot(epochs, history.train_loss, color="#111827", label="training")
    axes.plot(epochs, history.val_loss, color="#059669", label="validation")
    best = history.best_epoch
    axes.plot(epochs[best], history.val_loss[best], "o", color="#059669")
    axes.set(xlabel="epoch", ylabel="binary cross-entropy")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend()
    return embedded(figure)


def roc_figure(scores: np.ndarray, labels: np.ndarray, metrics: Metrics) -> str:
    figure, axes = plt.subplots()
    background, signal = roc(scores, labels)
    axes.plot(background, signal, color=SIGNAL, label=f"AUC = {metrics.auc:.4f}")
    axes.plot([0, 1], [0, 1], color="#9ca3af", linestyle="--", linewidth=1, label="guessing")
    axes.set(xlabel="QCD efficiency", ylabel="top efficiency", xlim=(0, 1), ylim=(0, 1.01))
    axes.legend(loc="lower right")
    return embedded(figure)


def score_figure(scores: np.ndarray, labels: np.ndarray) -> str:
    figure, axes = plt.subplots()
    for label, name, color in ((0, "QCD", BACKGROUND), (1, "top", SIGNAL)):
        chosen = scores[labels == label]
        axes.hist(chosen, np.linspace(0, 1, 41), density=True, histtype="stepfilled", color=color, alpha=0.25)
        axes.hist(chosen, np.linspace(0, 1, 41), density=True, histtype="step", color=color, label=name)
    axes.set(xlabel="score", ylabel="density", yscale="log", xlim=(0, 1))
    axes.legend(loc="upper center")
    return embedded(figure)


def rejection_figure(scores: np.ndarray, labels: np.ndarray) -> str:
    figure, axes = plt.subplots()
    background, signal = roc(scores, labels)
    passed = background > 0
    axes.plot(signal[passed], 1 / background[passed], color=BACKGROUND)
    at_half = np.searchsorted(signal, 0.5)
    if background[at_half] > 0:
        axes.plot(signal[at_half], 1 / background[at_half], "o", color=BACKGROUND)
    axes.set(xlabel="top efficiency", ylabel="QCD rejection (1 / efficiency)", yscale="log", xlim=(0, 1.01))
    return embedded(figure)
