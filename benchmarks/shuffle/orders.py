"""Orders of an epoch as loaders make them, simulated: what each does with clusters, files and its buffer, and no more.

Each function takes the layout of the data, the rows that its buffer holds and a generator, and returns the numbers of
all rows in the order of their coming. A second call with the same generator is the next epoch.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from layout import Layout

Order = Callable[[Layout, int, np.random.Generator], np.ndarray]

DELAYS = 32  # as many segments make a window
FIRST_BUCKET = 3  # of the window: the first ones are gathered into this


def full_permutation(layout: Layout, _buffer: int, rng: np.random.Generator) -> np.ndarray:
    """All rows are in memory: what the others are measured by."""
    return rng.permutation(layout.rows)


def cluster_merge(layout: Layout, buffer: int, rng: np.random.Generator) -> np.ndarray:
    """ROOT 6.40's RDataLoader: clusters are shuffled; the next ones, until they fill the buffer, are read, their rows
    shuffled together and cut into batches, then the next ones.
    """
    clusters = rng.permutation(layout.clusters)
    per_buffer = -(-buffer // layout.rows_per_cluster)
    return _permuted_in_groups(clusters, per_buffer, layout.rows_per_cluster, rng)


def page_pool(layout: Layout, buffer: int, rng: np.random.Generator) -> np.ndarray:
    """FFCV's quasi-random order: pages (here: clusters) are shuffled, and so are the rows in each; a pool holds some of
    them; each row is the next one of a page drawn from the pool, and a page used up makes room for the next.
    """
    pages = rng.permutation(layout.clusters)
    rows = layout.rows_per_cluster
    within = rng.permuted(np.tile(np.arange(rows), (layout.clusters, 1)), axis=1)
    pool = list(range(max(1, buffer // rows)))
    waiting, used = len(pool), [0] * layout.clusters
    taken = np.empty(layout.rows, np.int64)
    for i, draw in enumerate(rng.random(layout.rows).tolist()):
        place = int(draw * len(pool))
        page = pool[place]
        taken[i] = page
        used[page] += 1
        if used[page] == rows:
            if waiting < layout.clusters:
                pool[place], waiting = waiting, waiting + 1
            else:
                pool[place] = pool[-1]
                pool.pop()
    # The n-th row of a page to be taken is the n-th of its shuffled rows.
    by_page = np.argsort(taken, kind="stable")
    order = np.empty(layout.rows, np.int64)
    order[by_page] = (pages[:, None] * rows + within[pages]).reshape(-1)
    return order


def shuffle_buffer(layout: Layout, buffer: int, rng: np.random.Generator) -> np.ndarray:
    """tf.data: file after file in shuffled order through a shuffle buffer; each row that comes takes the place of one
    drawn from the buffer, which goes out.
    """
    files = rng.permutation(layout.files)
    return _replaced(_rows_of(files, layout.rows_per_file), buffer, rng)


def weaver_by_events(layout: Layout, buffer: int, rng: np.random.Generator) -> np.ndarray:
    """weaver, as it comes: each fetch takes the same part (`fetch_step`) of every file, as much as fills the buffer,
    and shuffles the rows; the parts come in their order in every epoch.
    """
    step = buffer / layout.rows
    cuts = [round(min(1.0, i * step) * layout.rows_per_file) for i in range(int(np.ceil(1 / step - 1e-9)) + 1)]
    firsts = np.arange(layout.files) * layout.rows_per_file
    fetches = [
        rng.permutation((firsts[:, None] + np.arange(start, stop)).reshape(-1))
        for start, stop in itertools.pairwise(cuts)
    ]
    return np.concatenate(fetches)


def weaver_by_files(layout: Layout, buffer: int, rng: np.random.Generator) -> np.ndarray:
    """weaver with `--fetch-by-files`: files are shuffled; each fetch takes as many whole ones as fill the buffer and
    shuffles the rows.
    """
    files = rng.permutation(layout.files)
    return _permuted_in_groups(files, max(1, buffer // layout.rows_per_file), layout.rows_per_file, rng)


def stratified_shuffle_buffer(layout: Layout, buffer: int, rng: np.random.Generator) -> np.ndarray:
    """Clusters with every class and file spread evenly over the epoch, through a shuffle buffer as tf.data's."""
    clusters = stratified(layout, rng, clusters_per_unit=1)
    return _replaced(_rows_of(clusters, layout.rows_per_cluster), buffer, rng)


def stratified_window(layout: Layout, buffer: int, rng: np.random.Generator, clusters_per_unit: int = 1) -> np.ndarray:
    """sapwood: units (here: of so many clusters) with every class and file spread evenly over the epoch, through a
    window of two buffers cut into segments: a row is delayed by fewer than `DELAYS` segments, drawn for it, and rows
    that so come to one segment are shuffled.
    """
    rows_per_unit = clusters_per_unit * layout.rows_per_cluster
    stream = _rows_of(stratified(layout, rng, clusters_per_unit), rows_per_unit)
    segment = max(1, round(2 * buffer / DELAYS))
    last = (layout.rows - 1) // segment
    bucket = np.arange(layout.rows) // segment + rng.integers(0, DELAYS, layout.rows)
    bucket = np.clip(bucket, min(FIRST_BUCKET, last), last)
    return stream[np.lexsort((rng.random(layout.rows), bucket))]


def stratified(layout: Layout, rng: np.random.Generator, clusters_per_unit: int) -> np.ndarray:
    """Units such that the i-th of a file's n shuffled ones has the key (i + u) / n with the file's u, and the j-th of a
    class's m, sorted so, has (j + v) / m with the class's v; all are sorted by that.
    """
    per_file = layout.clusters_per_file // clusters_per_unit
    file = np.repeat(np.arange(layout.files), per_file)
    i = rng.permuted(np.tile(np.arange(per_file), (layout.files, 1)), axis=1).reshape(-1)
    in_class = (i + rng.random(layout.files)[file]) / per_file
    key = np.empty(len(file))
    for label, phase in enumerate(rng.random(layout.classes)):
        members = np.flatnonzero(layout.class_of_file(file) == label)
        members = members[np.argsort(in_class[members])]
        key[members] = (np.arange(len(members)) + phase) / len(members)
    return np.argsort(key)


def _rows_of(pieces: np.ndarray, rows_per_piece: int) -> np.ndarray:
    return (pieces[:, None] * rows_per_piece + np.arange(rows_per_piece)).reshape(-1)


def _permuted_in_groups(pieces: np.ndarray, per_group: int, rows: int, rng: np.random.Generator) -> np.ndarray:
    groups = [pieces[i : i + per_group] for i in range(0, len(pieces), per_group)]
    return np.concatenate([rng.permutation(_rows_of(group, rows)) for group in groups])


def _replaced(stream: np.ndarray, buffer: int, rng: np.random.Generator) -> np.ndarray:
    held = stream[:buffer].tolist()
    order = []
    for row, place in zip(
        stream[buffer:].tolist(), rng.integers(0, buffer, len(stream) - buffer).tolist(), strict=True
    ):
        order.append(held[place])
        held[place] = row
    return np.concatenate([np.array(order, np.int64), rng.permutation(np.array(held, np.int64))])


ORDERS: dict[str, Order] = {
    "full permutation": full_permutation,
    "cluster merge (ROOT 6.40)": cluster_merge,
    "quasi-random page pool (FFCV)": page_pool,
    "shuffle buffer, files in order (tf.data)": shuffle_buffer,
    "weaver, by events": weaver_by_events,
    "weaver, by files": weaver_by_files,
    "clusters in stratified order, shuffle buffer": stratified_shuffle_buffer,
    "clusters in stratified order, keyed delay window": stratified_window,
}
