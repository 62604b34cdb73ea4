"""How well scores tell one class (label true) from the rest, each entry counted with its weight."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Curve:
    """The ROC curve of one class against the rest: efficiencies as the cut goes down through all scores."""

    name: str
    background: Array
    signal: Array

    @property
    def auc(self) -> float:
        """Area under the curve: how often signal scores higher than background, ties counting half."""
        return float(np.trapezoid(self.signal, self.background))

    def rejection(self, signal_efficiency: float = 0.5) -> float:
        """1 / background efficiency at the tightest cut that keeps this share of the signal; infinite at none."""
        at_cut = self.background[np.searchsorted(self.signal, signal_efficiency)]
        return float(1 / at_cut) if at_cut > 0 else float("inf")


def roc(name: str, scores: Array, is_signal: Array, weights: Array | None = None) -> Curve:
    """The curve of `scores` [N] with `is_signal` [N], bool; NaN where one of the two classes has no entries."""
    order = np.argsort(-scores, kind="stable")
    signal = is_signal[order]
    each = np.ones(len(scores)) if weights is None else weights[order].astype(np.float64)
    last_of_ties = np.append(np.diff(scores[order]) != 0, True)

    def efficiency(chosen: Array) -> Array:
        passed = np.cumsum(each * chosen)
        total = passed[-1] if len(passed) else 0.0
        return np.append(0.0, passed[last_of_ties] / total) if total else np.full(int(last_of_ties.sum()) + 1, np.nan)

    return Curve(name, efficiency(~signal), efficiency(signal))


@dataclass(frozen=True)
class Metrics:
    """What is reported of a classifier on one part of the data."""

    rows: int
    loss: float  #: mean cross-entropy
    accuracy: float
    curves: list[Curve]  #: one for two classes, one for each of more

    @property
    def auc(self) -> float:
        """The mean over the curves."""
        return float(np.mean([curve.auc for curve in self.curves]))

    def to_dict(self) -> dict[str, Any]:
        """Numbers alone, for JSON; None where a number is none, or infinite."""
        return {
            "rows": self.rows,
            "loss": finite(self.loss),
            "accuracy": finite(self.accuracy),
            "auc": finite(self.auc),
            "classes": {
                c.name: {"auc": finite(c.auc), "rejection_at_50_percent": finite(c.rejection())} for c in self.curves
            },
        }


def finite(value: float) -> float | None:
    """The number; None for NaN and infinities, which JSON does not have."""
    return value if math.isfinite(value) else None


def evaluate(probabilities: Array, labels: Array, classes: list[str], weights: Array | None = None) -> Metrics:
    """Metrics of `probabilities` [N, K] for `labels` [N], places among the K `classes`."""
    if not len(labels):
        return Metrics(0, float("nan"), float("nan"), [])
    of_label = np.clip(probabilities[np.arange(len(labels)), labels].astype(np.float64), 1e-12, 1)
    loss = float(np.average(-np.log(of_label), weights=weights))
    accuracy = float(np.average(probabilities.argmax(1) == labels, weights=weights))
    chosen = [1] if len(classes) == 2 else range(len(classes))
    curves = [roc(classes[k], probabilities[:, k], labels == k, weights) for k in chosen]
    return Metrics(len(labels), loss, accuracy, curves)
