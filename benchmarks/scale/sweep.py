"""What the throughput of loading flat rows is measured against: one thing at a time, the others as they are here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import data


@dataclasses.dataclass(frozen=True)
class Point:
    batch_size: int = 1024
    buffer_rows: int = 102_400
    cluster_rows: int = 100_000
    columns: int = 28


VALUES: dict[str, tuple[int, ...]] = {
    "batch_size": (64, 256, 1024, 4096, 16_384),
    "buffer_rows": (8192, 32_768, 102_400, 307_200, 1_024_000),
    "columns": (1, 4, 8, 16, 28),
}


def points(sizes: data.Sizes) -> Iterator[tuple[str, int, Point]]:
    """What varies, its value, and all of the point. With little data all are smaller."""
    usual = Point()
    if sizes is data.QUICK:
        usual = Point(batch_size=256, buffer_rows=10_240, cluster_rows=10_000)
    values = {**VALUES, "cluster_rows": sizes.sweep_clusters}
    for axis, wanted in values.items():
        for value in wanted:
            point = dataclasses.replace(usual, **{axis: value})
            yield axis, value, dataclasses.replace(point, batch_size=min(point.batch_size, point.buffer_rows))
