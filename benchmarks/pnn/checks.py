"""What must hold of the trainings, and what is told of them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from sapwood.train.metrics import Curve, roc

SAME_ORDER = ("csv_dataloader", "sapwood_root", "sapwood_loader")
DEVIATIONS = 2
Run = dict[str, Any]  # losses [batches] and scores [test rows], by name


def same_bits(runs: dict[str, list[Run]]) -> None:
    """For each seed, the loss of every batch and the score of every test row, in those that have the same order."""
    reference, *others = [name for name in SAME_ORDER if name in runs]
    for name in others:
        for place, (expected, found) in enumerate(zip(runs[reference], runs[name], strict=True)):
            for what in ("losses", "scores"):
                if expected[what].shape != found[what].shape:
                    raise SystemExit(f"{name}: {len(found[what])} {what}, {reference} has {len(expected[what])}")
                different = np.flatnonzero(expected[what].view(np.uint32) != found[what].view(np.uint32))
                if len(different):
                    first = different[0]
                    raise SystemExit(
                        f"{name}, training {place + 1}: {what}[{first}] is {found[what][first]!r}, "
                        f"{expected[what][first]!r} in {reference}; {len(different)} in all differ"
                    )


def same_auc(areas: dict[str, list[float]]) -> tuple[float, float]:
    """The largest difference of two means over the seeds, which must not be more than `DEVIATIONS` standard deviations
    of a seed's AUC, pooled over the implementations; and that deviation.
    """
    spread = float(np.sqrt(np.mean([np.var(of, ddof=1) for of in areas.values()])))
    means = {name: float(np.mean(of)) for name, of in areas.items()}
    largest = 0.0
    for one, other in itertools.combinations(means, 2):
        difference = abs(means[one] - means[other])
        largest = max(largest, difference)
        if difference > DEVIATIONS * spread:
            raise SystemExit(
                f"the AUC of {one} and {other} differ by {difference:.5f}, with a spread of seeds of {spread:.5f}"
            )
    return largest, spread


def curve(run: Run, is_signal: np.ndarray[Any, Any]) -> Curve:
    return roc("signal", run["scores"], is_signal)
