"""How well scores tell signal (label 1) from background (label 0)."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Metrics:
    """What is reported of a classifier on one set of jets."""

    jets: int
    accuracy: float
    auc: float
    rejection: float


def evaluate(scores: np.ndarray, labels: np.ndarray) -> Metrics:
    """The metrics of probabilities `scores`, with a cut at 0.5 for the accuracy."""
    return Metrics(
        len(labels), float(np.mean((scores > 0.5) == (labels == 1))), auc(scores, labels), rejection(scores, labels)
    )


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve: how often signal scores higher than background, ties counting half."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    signal = labels == 1
    num_signal, num_background = int(signal.sum()), int((~signal).sum())
    rank_sum = mean_rank[places][signal].sum()
    return float((rank_sum - num_signal * (num_signal + 1) / 2) / (num_signal * num_background))


def roc(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(background efficiency, signal efficiency) as the cut goes down through all scores."""
    order = np.argsort(-scores, kind="stable")
    signal = labels[order] == 1
    last_of_ties = np.append(np.diff(scores[order]) != 0, True)
    background_passed = np.cumsum(~signal)[last_of_ties] / max((~signal).sum(), 1)
    signal_passed = np.cumsum(signal)[last_of_ties] / max(signal.sum(), 1)
    return np.append(0.0, background_passed), np.append(0.0, signal_passed)


def rejection(scores: np.ndarray, labels: np.ndarray, signal_efficiency: float = 0.5) -> float:
    """1 / background efficiency at the tightest cut that keeps this share of the signal; infinite when none is left."""
    background, signal = roc(scores, labels)
    at_cut = background[np.searchsorted(signal, signal_efficiency)]
    return float(1 / at_cut) if at_cut > 0 else float("inf")
