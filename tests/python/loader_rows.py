"""Loaders for several tests, and what comes of them."""

from pathlib import Path
from typing import Any

import numpy as np
from conftest import Columns

import sapwood as sw

Batches = list[dict[str, np.ndarray]]
Events = tuple[list[Path], Columns]


def ids(batches: Any, name: str = "features") -> np.ndarray:
    """The first channel of all batches' rows, in order."""
    parts = [batch[name].reshape(len(batch[name]), -1)[:, 0] for batch in batches]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def id_loader(events: Events, **options: Any) -> sw.Loader:
    return sw.open(events[0]).loader("id", dtype="int64", **{"batch_size": 64, "seed": 7, **options})


def same_batches(a: Batches, b: Batches) -> bool:
    return len(a) == len(b) and all(
        one.keys() == two.keys() and all(one[name].tobytes() == two[name].tobytes() for name in one)
        for one, two in zip(a, b, strict=True)
    )


def jet_loader(jets: sw.Dataset, **options: Any) -> sw.Loader:
    return jets.loader(
        {"part": ["part_px", "part_charge", "part_isMuon"], "jet": ["jet_pt", "jet_tau1"]},
        target="sample_label",
        pad={"part": 40},
        **{"batch_size": 256, "seed": 3, "buffer_rows": 1500, **options},
    )
