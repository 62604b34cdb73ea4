"""Orders of an epoch as real loaders give them; the class and cluster of each row are checked against its number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from layout import Layout

import sapwood

FEATURES = ["x0", "x1", "x2", "x3"]
KEYS = ["class", "cluster", "row"]
TABLE = "Events"


def sapwood_loader(files: list[str], layout: Layout, buffer: int, labelled: bool) -> sapwood.loader.Loader:
    """With a label for each class, over which the order is stratified; or with the files as they are."""
    paths: list[str] | dict[str, list[str]] = files
    if labelled:
        of_class = layout.class_of_file(np.arange(layout.files))
        paths = {str(c): [path for path, k in zip(files, of_class, strict=True) if k == c] for c in set(of_class)}
    padding = ["sum(padding)"] if layout.padding else []
    return sapwood.open(paths, TABLE).loader(
        {"features": [*FEATURES, *padding], "keys": KEYS},
        dtype={"keys": "int64"},
        batch_size=layout.batch_size,
        buffer_rows=buffer,
        seed=1,
    )


def sapwood_orders(loader: sapwood.loader.Loader, layout: Layout) -> Iterator[np.ndarray]:
    while True:
        yield order_of((batch["keys"] for batch in loader.numpy()), layout)


def root_orders(files: list[str], layout: Layout, buffer: int) -> Iterator[np.ndarray]:
    """ROOT's RDataLoader, lazy. Its tensors are float32, in which row numbers below 2^24 are exact."""
    import ROOT

    frame = ROOT.RDataFrame(TABLE, files)
    loader = ROOT.Experimental.ML.RDataLoader(
        frame,
        batch_size=layout.batch_size,
        batches_in_memory=max(1, round(buffer / layout.batch_size)),
        columns=[*FEATURES, *KEYS],
        target=KEYS,
        set_seed=1,
        drop_remainder=False,
    )
    while True:
        yield order_of((keys.astype(np.int64) for _, keys in loader.as_numpy()), layout)


def order_of(batches: Iterable[np.ndarray], layout: Layout) -> np.ndarray:
    """The row numbers of batches of (class, cluster, row), all of which came once."""
    parts = [keys.copy() for keys in batches]
    keys = np.concatenate(parts)
    order = keys[:, 2]
    if any(len(part) != layout.batch_size for part in parts[:-1]):
        raise AssertionError("a batch before the last is not full")
    if not np.array_equal(np.sort(order), np.arange(layout.rows)):
        raise AssertionError(f"{len(order)} rows came, {len(np.unique(order))} of them once, of {layout.rows}")
    if (keys[:, 0] != layout.class_of(order)).any() or (keys[:, 1] != layout.cluster_of(order)).any():
        raise AssertionError("rows came with the class or cluster of others")
    return order
