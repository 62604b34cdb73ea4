"""Scores of a bundle for every entry of files, in their order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from . import _core, bundle
from .dataset import Dataset
from .dataset import open as open_dataset

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    Array = np.ndarray[Any, np.dtype[Any]]

ROWS = 65536  # read, scored and written together


def predict(
    model: bundle.Bundle | str | os.PathLike[str],
    data: Dataset | str | Sequence[str],
    output: str | os.PathLike[str],
    *,
    tree: str | None = None,
    output_tree: str = "scores",
    copy: Sequence[str] = (),
    threads: int | None = None,
) -> int:
    """Write the bundle's scores for every entry of `data`, in order; returns the number of entries.

    output
        ``.root``: a TTree that can be made a friend of the input (entry i belongs to entry i of the input);
        ``.parquet``: the same as a table. Written beside and renamed when whole, in place of a file of that name;
        never of an input or the bundle.
    copy
        Columns of the input to write along, such as ``["run", "event"]``; numbers and lists of numbers.

    A column is called ``score_<label>`` where the bundle has labels, else ``<output>_<i>``. Memory does not grow with
    the data. Raises SchemaError (a column of the bundle is missing), ConfigError (another kind of output), IoError.
    """
    opened = model if isinstance(model, bundle.Bundle) else bundle.open(model)
    dataset = data if isinstance(data, Dataset) else open_dataset(data, tree)
    path = Path(output)
    partial = path.with_name(f".{path.name}.partial")
    needed = list(opened.columns)
    if not isinstance(model, bundle.Bundle):
        _require_another_file(path, os.fspath(model))
    for read in _files_read(dataset):
        _require_another_file(path, read)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _core.IoError(f"can't make the folder {path.parent}: {error.strerror}") from None
    try:
        with _writer(path.suffix, partial, output_tree) as writer:
            for start in range(0, max(1, dataset.num_entries), ROWS):  # once without entries, too: an empty table
                stop = min(start + ROWS, dataset.num_entries)
                arrays = dataset.arrays([*dict.fromkeys([*needed, *copy])], start, stop, threads=threads)
                scores = score_columns(opened, opened.predict({name: arrays[name] for name in needed}))
                writer.write({**{name: arrays[name] for name in copy}, **scores})
        partial.replace(path)
    except OSError as error:
        raise _core.IoError(f"can't write {path}: {error.strerror or error}") from None
    finally:
        partial.unlink(missing_ok=True)
    return dataset.num_entries


def _files_read(dataset: Dataset) -> list[str]:
    of_friends = [path for joined in dataset.friends for path in _files_read(joined)]
    return [file.path for file in dataset.files] + of_friends


def _require_another_file(output: Path, read: str) -> None:
    if output.exists() and Path(read).exists() and output.samefile(read):
        raise _core.ConfigError(f"{output} is read: give the scores another name")


def score_columns(opened: bundle.Bundle, outputs: dict[str, Array]) -> dict[str, Array]:
    """The outputs as columns of one number for each entry."""
    columns: dict[str, Array] = {}
    for name, values in outputs.items():
        flat = values.reshape(len(values), -1)
        labelled = len(opened.labels) == flat.shape[1] and len(outputs) == 1
        for i in range(flat.shape[1]):
            suffix = f"_{i}" if flat.shape[1] > 1 else ""
            columns[f"score_{opened.labels[i]}" if labelled else f"{name}{suffix}"] = np.ascontiguousarray(flat[:, i])
    return columns


class _Writer(Protocol):
    def __enter__(self) -> _Writer: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def write(self, columns: dict[str, Any]) -> None: ...


def _writer(suffix: str, path: Path, tree: str) -> _Writer:
    if suffix == ".root":
        return _RootWriter(path, tree)
    if suffix == ".parquet":
        return _ParquetWriter(path)
    raise _core.ConfigError(f"output ends in '{suffix}': '.root' and '.parquet' can be written")


class _RootWriter:
    """One TTree, through uproot."""

    def __init__(self, path: Path, tree: str) -> None:
        try:
            import uproot
        except ImportError:
            raise _core.ConfigError("writing ROOT files wants uproot: pip install uproot awkward") from None
        self._file = uproot.recreate(path)
        self._name = tree
        self._tree: Any = None

    def __enter__(self) -> _RootWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, columns: dict[str, Any]) -> None:
        import awkward as ak

        arrays = {
            name: ak.from_arrow(values) if hasattr(values, "type") else values for name, values in columns.items()
        }
        if self._tree is None:
            types = {
                name: array.dtype if isinstance(array, np.ndarray) else array.type for name, array in arrays.items()
            }
            content = {name: type_.content if hasattr(type_, "content") else type_ for name, type_ in types.items()}
            self._tree = self._file.mktree(self._name, content)
        self._tree.extend(arrays)


class _ParquetWriter:
    """One Parquet table, through pyarrow."""

    def __init__(self, path: Path) -> None:
        try:
            import pyarrow.parquet
        except ImportError:
            raise _core.ConfigError("writing Parquet wants pyarrow: pip install pyarrow") from None
        self._parquet = pyarrow.parquet
        self._path = path
        self._writer: Any = None

    def __enter__(self) -> _ParquetWriter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, columns: dict[str, Any]) -> None:
        import pyarrow

        table = pyarrow.table(columns)
        if self._writer is None:
            self._writer = self._parquet.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)
