"""Rows of a data set into files, piece by piece."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from . import _core

if TYPE_CHECKING:
    from ._dataset_reading import DatasetReading


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[str]:
    """A file beside `path`, which takes its place once it is whole."""
    target = Path(path)
    try:
        temporary = NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False)  # noqa: SIM115
    except OSError as error:
        raise _core.IoError(f"can't write '{target}': {error.strerror}") from None
    temporary.close()
    try:
        yield temporary.name
        Path(temporary.name).chmod(0o666 & ~_umask())
        Path(temporary.name).replace(target)
    except OSError as error:
        raise _core.IoError(f"can't write '{target}': {error.strerror or error}") from None
    finally:
        Path(temporary.name).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def to_parquet(
    dataset: DatasetReading, path: Any, columns: Sequence[str] | None, step: str, threads: int | None
) -> int:
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError:
        raise ImportError("Parquet files need the package pyarrow: pip install pyarrow") from None
    rows = 0
    with whole_file(path) as temporary:
        writer = None
        try:
            for block in dataset.iterate(columns, step, library="arrow", threads=threads):
                table = arrow.table(block)
                if writer is None:
                    writer = parquet.ParquetWriter(temporary, table.schema)
                writer.write_table(table)
                rows += table.num_rows
        finally:
            if writer is not None:
                writer.close()
    return rows


def to_root(
    dataset: DatasetReading, path: Any, tree: str, columns: Sequence[str] | None, step: str, threads: int | None
) -> int:
    try:
        import uproot
    except ImportError:
        raise ImportError("ROOT files are written by the package uproot: pip install uproot awkward") from None
    rows = 0
    with whole_file(path) as temporary, uproot.recreate(temporary) as file:
        for block in dataset.iterate(columns, step, library="ak", threads=threads):
            content = {name: block[name] for name in block.fields}
            if tree in file:
                file[tree].extend(content)
            else:
                file[tree] = content
            rows += len(block)
    return rows
