"""The metrics of a classifier against counting pairs and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sapwood.train.metrics import evaluate, roc


@pytest.mark.parametrize("ties", [False, True])
def test_auc_counts_pairs(ties: bool) -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 200)
    scores = random.normal(labels, 1.0)
    if ties:
        scores = np.round(scores)
    signal, background = scores[labels == 1], scores[labels == 0]
    pairs = (signal[:, None] > background) + 0.5 * (signal[:, None] == background)
    assert roc("signal", scores, labels == 1).auc == pytest.approx(pairs.mean())


def test_weighted_metrics_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(2)
    labels = random.integers(0, 3, 500)
    logits = random.normal(0, 1, (500, 3)) + np.eye(3)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    weights = random.uniform(0.1, 2, 500)
    ours = evaluate(probabilities, labels, ["a", "b", "c"], weights)
    assert ours.accuracy == pytest.approx(
        metrics.accuracy_score(labels, probabilities.argmax(1), sample_weight=weights)
    )
    assert ours.loss == pytest.approx(metrics.log_loss(labels, probabilities, sample_weight=weights))
    for k, curve in enumerate(ours.curves):
        theirs = metrics.roc_auc_score(labels == k, probabilities[:, k], sample_weight=weights)
        assert curve.auc == pytest.approx(theirs)


def test_rejection() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
    labels = np.array([1, 0, 1, 0, 1, 1, 0, 0])
    # Half the signal is above 0.7, with one of four background rows.
    assert roc("signal", scores, labels == 1).rejection() == 4
    assert roc("signal", np.array([0.9, 0.1]), np.array([True, False])).rejection() == np.inf
    assert evaluate(np.stack([1 - scores, scores], 1), labels, ["b", "s"]).accuracy == 0.5


def test_no_rows_have_no_figures() -> None:
    metrics = evaluate(np.zeros((0, 2)), np.zeros(0, np.int64), ["a", "b"])
    assert metrics.rows == 0
    assert np.isnan(metrics.loss)
