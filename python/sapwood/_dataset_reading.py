"""The part of a data set that reads: what it has, arrays, statistics, files of other formats."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from . import _core
from ._arrays import convert
from ._cut_flow import CutFlow
from ._description import Description
from ._export import to_parquet, to_root
from ._histogram import histogram
from ._options import byte_count, thread_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    import hist

    Path = str | os.PathLike[str]
    Library = Literal["arrow", "ak", "np", "pd"]


class DatasetReading:
    """The methods of `Dataset` that read."""

    def __init__(self, core: _core.Dataset) -> None:
        self._core = core
        self._count: int | None = None  # once counted

    @property
    def columns(self) -> list[str]:
        """Names of the columns that can be read, in file order, without members of records."""
        return self._core.readable_columns

    @property
    def schema(self) -> list[_core.ColumnInfo]:
        """All columns with types and sizes; members of records and those that can't be read yet, too."""
        return self._core.schema

    @property
    def num_entries(self) -> int:
        """Entries in all files, whether they pass the filters or not."""
        return self._core.num_entries

    @property
    def filters(self) -> list[_core.Filter]:
        """The conditions that rows have to pass, in order."""
        return self._core.filters

    @property
    def files(self) -> list[_core.FileInfo]:
        """The files in the order in which their entries are counted."""
        return self._core.files

    @property
    def clusters(self) -> list[tuple[str, int, int]]:
        """(path, start, stop) of every cluster, in the entries of its file."""
        return [(file.path, *cluster) for file in self.files for cluster in file.clusters]

    @property
    def labels(self) -> list[str]:
        """The labels it was opened with, in order."""
        return [sample.label for sample in self._core.samples if sample.label]

    @property
    def tree(self) -> str:
        """Name of the TTree or RNTuple."""
        return self._core.tree

    @property
    def format(self) -> str:
        """``"TTree"``, ``"RNTuple"`` or ``"RDataFrame"``."""
        return self._core.format

    def __len__(self) -> int:
        return self.count()

    def count(self) -> int:
        """Rows: those that pass the filters, which are counted once."""
        if self._count is None:
            self._count = self.report().rows if self.filters else self.num_entries
        return self._count

    def report(self, *, threads: int | None = None) -> CutFlow:
        """How many rows pass each filter, in one pass over the filters' columns; prints as a table."""
        return CutFlow(self.num_entries, self._core.cut_flow(thread_count(threads)))

    def arrays(
        self,
        columns: str | Sequence[str] | None = None,
        entry_start: int = 0,
        entry_stop: int | None = None,
        *,
        library: Library = "arrow",
        threads: int | None = None,
    ) -> Any:
        """Read columns over a range of entries, decoded in parallel.

        columns
            Names and formulas; all columns that can be read when not given. ``"record.member"`` reads one member of a
            record.
        entry_start, entry_stop
            The range, counted over the entries of all files, of which those that pass the filters come; cut at the end
            of the data.
        library
            ``"arrow"``: dict of ``pyarrow.Array``; ``"np"``: dict of NumPy arrays, jagged ones as arrays of arrays;
            ``"ak"``: an ``awkward.Array`` of records; ``"pd"``: a ``pandas.DataFrame``, jagged columns as Arrow's.
        threads
            As many as there are processors when not given.

        Raises SchemaError (no such column; with the nearest names), ConfigError, UnsupportedError, FormatError,
        IoError.
        """
        names = self._wanted(columns)
        if entry_stop is None:
            entry_stop = max(entry_start, self.num_entries)
        decoded = self._core.arrays(names, entry_start, entry_stop, thread_count(threads))
        return convert(dict(zip(names, decoded, strict=True)), library)

    def iterate(
        self,
        columns: str | Sequence[str] | None = None,
        step: str | int = "100 MB",
        *,
        library: Library = "arrow",
        threads: int | None = None,
    ) -> Iterator[Any]:
        """What `arrays` gives, piece by piece, in the order of the files: for what does not fit in memory.

        step
            Bytes of stored columns, decoded, that a piece is made from, about.
        """
        names = self._wanted(columns)
        for decoded in self._blocks(names, step, threads=threads):
            yield convert(dict(zip(names, decoded, strict=True)), library)

    def _wanted(self, columns: str | Sequence[str] | None) -> list[str]:
        wanted = self.columns if columns is None else columns
        return [wanted] if isinstance(wanted, str) else list(wanted)

    def _blocks(
        self, names: list[str], step: str | int = "100 MB", *, threads: int | None = None
    ) -> Iterator[list[_core.Column]]:
        """At least one piece, though it may be empty."""
        for start, stop in self._core.pieces(names, byte_count(step)):
            yield self._core.arrays(names, start, stop, thread_count(threads))

    def hist(
        self,
        *expressions: str,
        bins: Any = None,
        range: tuple[float, float] | Sequence[tuple[float, float] | None] | None = None,
        weight: str | None = None,
        threads: int | None = None,
    ) -> hist.Hist[Any]:
        """A histogram of columns or formulas, one axis each, as an object of the package ``hist``, piece by piece.

        Lists give all their values; a number of the entry goes with each of them.

        bins, range
            How many bins (50) between which limits, or the edges (an array), or an axis of ``hist``; for several
            expressions a list of one for each, or one for all. Without limits the smallest and the largest value are
            found in a pass before.
        weight
            A column or formula.

        Raises SchemaError (lists of different sizes) and what `arrays` does.
        """
        filled: hist.Hist[Any] = histogram(self, expressions, bins, range, weight, threads)
        return filled

    def to_parquet(
        self,
        path: Path,
        columns: str | Sequence[str] | None = None,
        *,
        step: str = "100 MB",
        threads: int | None = None,
    ) -> int:
        """Write columns and formulas to a Parquet file, and return the number of rows.

        The file appears once it is whole. Raises IoError (it can't be written) and what `arrays` does.
        """
        return to_parquet(self, path, self._wanted(columns), step, threads)

    def to_root(
        self,
        path: Path,
        tree: str | None = None,
        columns: str | Sequence[str] | None = None,
        *,
        step: str = "100 MB",
        threads: int | None = None,
    ) -> int:
        """Write columns and formulas to a ROOT file with one TTree, by uproot, and return the number of rows.

        tree
            Its name; that of this data set when not given. The rest as in `to_parquet`.
        """
        return to_root(self, path, tree or self.tree.rsplit("/")[-1], self._wanted(columns), step, threads)

    def scan(self, expressions: str | Sequence[str], *, threads: int | None = None) -> list[_core.Statistics]:
        """Statistics of columns and formulas, in one parallel pass over the data that holds a few units at a time.

        For each expression the number of values and of NaN, minimum, maximum, mean, standard deviation (of the
        population) and the largest multiplicity of an entry; the same bits for any number of threads.

        Raises SchemaError, ConfigError, UnsupportedError, FormatError, IoError.
        """
        wanted = [expressions] if isinstance(expressions, str) else list(expressions)
        return self._core.scan(wanted, thread_count(threads))

    def describe(self, columns: str | Sequence[str] | None = None, *, threads: int | None = None) -> Description:
        """What `scan` tells of columns and formulas, as a table; of all columns of numbers when none are given."""
        if columns is None:
            types = {column.name: column.type for column in self.schema}
            columns = [name for name in self.columns if _is_of_numbers(types[name])]
        return Description(self.scan(columns, threads=threads) if columns else [])


def _is_of_numbers(type_: str) -> bool:
    inner = type_.removesuffix(">").rsplit("<")[-1].split("[")[0].rstrip(">")
    return inner.lstrip("u").startswith(("int", "float", "bool"))
