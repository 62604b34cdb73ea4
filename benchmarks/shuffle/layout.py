"""The data whose order is looked at: files of one class each, cut into clusters."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Layout:
    """Rows are numbered through clusters, clusters through files, files by class: a class's files lie together."""

    files: int = 200
    classes: int = 10
    clusters_per_file: int = 5
    rows_per_cluster: int = 1000
    batch_size: int = 512
    padding: int = 0  #: floats of a further column of each row, all zero: makes clusters large, once decompressed

    @property
    def rows_per_file(self) -> int:
        return self.clusters_per_file * self.rows_per_cluster

    @property
    def clusters(self) -> int:
        return self.files * self.clusters_per_file

    @property
    def rows(self) -> int:
        return self.files * self.rows_per_file

    def cluster_of(self, rows: np.ndarray) -> np.ndarray:
        return rows // self.rows_per_cluster

    def file_of(self, rows: np.ndarray) -> np.ndarray:
        return rows // self.rows_per_file

    def class_of(self, rows: np.ndarray) -> np.ndarray:
        return self.class_of_file(self.file_of(rows))

    def class_of_file(self, files: np.ndarray) -> np.ndarray:
        return files * self.classes // self.files


FULL = Layout()
QUICK = Layout(files=40, classes=4, rows_per_cluster=200, batch_size=128)


def with_large_clusters(layout: Layout) -> Layout:
    """The same rows in clusters of 8 MB decompressed, which sapwood takes as they are. It reads small ones together."""
    return dataclasses.replace(layout, padding=(8 << 20) // layout.rows_per_cluster // 4)
