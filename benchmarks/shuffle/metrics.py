"""How well rows are mixed, from the order in which they came. A full permutation has 1 in all three figures.

An order is an array of row numbers 0 .. N-1, each once, cut into batches of `batch_size`; the last, which may be
shorter, counts only as where rows may meet again.
"""

from __future__ import annotations

import numpy as np


def variance_inflation(classes: np.ndarray, batch_size: int) -> float:
    """Variance of a class's count in a batch over the hypergeometric variance, over all classes.

    `classes` are those of the rows in their order, from 0. The variance is about what the whole data set lets expect,
    not about the batches' own mean. Summing over classes before dividing weighs each by its variance.
    """
    rows, num_classes = len(classes), int(classes.max()) + 1
    batches = rows // batch_size
    share = np.bincount(classes, minlength=num_classes) / rows
    places = np.repeat(np.arange(batches), batch_size) * num_classes + classes[: batches * batch_size]
    counts = np.bincount(places, minlength=batches * num_classes).reshape(batches, num_classes)
    measured = ((counts - batch_size * share) ** 2).mean(axis=0)
    hypergeometric = batch_size * share * (1 - share) * (rows - batch_size) / (rows - 1)
    return float(measured.sum() / hypergeometric.sum())


def cluster_lift(clusters: np.ndarray, batch_size: int) -> float:
    """Chance that two rows of a batch are of one cluster, over the chance under a full permutation.

    `clusters` are those of the rows in their order.
    """
    batches = len(clusters) // batch_size
    together = _meetings(clusters[: batches * batch_size], batch_size) / (batches * batch_size * (batch_size - 1))
    return float(together / _chance_of_a_pair(np.bincount(clusters)))


def repeat(first: np.ndarray, second: np.ndarray, batch_size: int) -> float:
    """Chance that two rows that share a batch of the order `first` share one of `second` too, over the chance of two
    rows at random.
    """
    rows, batches = len(first), len(first) // batch_size
    batch_of_row = np.empty(rows, np.int64)
    batch_of_row[second] = np.arange(rows) // batch_size
    again = batch_of_row[first]
    together = _meetings(again[: batches * batch_size], batch_size) / (batches * batch_size * (batch_size - 1))
    return float(together / _chance_of_a_pair(np.bincount(again)))


def _meetings(labels: np.ndarray, batch_size: int) -> int:
    """Ordered pairs of rows that share a batch and a label."""
    keys = np.arange(len(labels)) // batch_size * (int(labels.max()) + 1) + labels
    counts = np.unique(keys, return_counts=True)[1]
    return int((counts * (counts - 1)).sum())


def _chance_of_a_pair(sizes: np.ndarray) -> float:
    """That two rows drawn at random share a label which so many rows have."""
    rows = int(sizes.sum())
    return float((sizes * (sizes - 1.0)).sum() / (rows * (rows - 1.0)))
