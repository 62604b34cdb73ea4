"""sapwood's C++ core."""

from collections.abc import Sequence
from typing import Any

import numpy.typing
from numpy.typing import NDArray


class Error(Exception):
    """
    The base of all errors of sapwood. `file`, `object`, `column` and `entries` (start, stop) say where, as far as known; else None.
    """
    file: str | None
    object: str | None
    column: str | None
    entries: tuple[int, int] | None

class IoError(Error):
    """The operating system or a server refused."""

class FormatError(Error):
    """
    The bytes are wrong: corrupt, truncated, or not of the format they claim.
    """

class UnsupportedError(Error):
    """The bytes may be right; sapwood does not read them (yet)."""

class SchemaError(Error):
    """No such column or tree, or a column of the wrong type."""

class ConfigError(Error):
    """An option is wrong or contradicts another."""

class CancelledError(Error):
    """The work was cancelled."""

class Column:
    """
    A decoded column in Arrow layout; shared with Arrow's consumers without a copy.
    """

    def __len__(self) -> int: ...

    @property
    def type(self) -> str:
        """Such as "float32", "list<float32>", "int32[3]"."""

    @property
    def kind(self) -> str:
        """
        "number", "string", "list", "fixed_list" (of numbers, at any depth), "list_array" (a fixed list of other things) or "record".
        """

    @property
    def nbytes(self) -> int:
        """Bytes of all buffers."""

    def numpy(self) -> NDArray:
        """
        The values of a column of numbers, or of fixed arrays of them, without a copy.
        """

    @property
    def offsets(self) -> NDArray:
        """int64 [len + 1], of a list or string column: where each entry starts."""

    @property
    def children(self) -> list[Column]:
        """A list's items; a record's members."""

    @property
    def member_names(self) -> list[str]: ...

    @property
    def characters(self) -> bytes:
        """The bytes of all strings of a string column."""

    def __arrow_c_schema__(self) -> object: ...

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...

    @staticmethod
    def from_arrow(array: object) -> Column:
        """
        A column from anything with Arrow's `__arrow_c_array__`; buffers are shared where layouts agree.
        """

    def identical(self, other: Column) -> bool:
        """Whether both have the same type and bit-equal values."""

class ColumnInfo:
    """What is known of a column before any of it is read."""

    @property
    def name(self) -> str: ...

    @property
    def type(self) -> str:
        """Such as "float32", "list<float32>"; empty when it can't be read."""

    @property
    def stored_type(self) -> str:
        """The type in the file's own words."""

    @property
    def unsupported(self) -> str:
        """Why it can't be read; empty when it can."""

    @property
    def is_member(self) -> bool:
        """A part of another column, left out when all are asked for."""

    @property
    def compressed_bytes(self) -> int: ...

    @property
    def uncompressed_bytes(self) -> int: ...

    @property
    def values_per_entry(self) -> float:
        """Mean number of innermost values in an entry."""

    def __repr__(self) -> str: ...

class ObjectInfo:
    """An object stored in a file."""

    @property
    def path(self) -> str: ...

    @property
    def class_name(self) -> str: ...

    @property
    def cycle(self) -> int: ...

    @property
    def stored_bytes(self) -> int: ...

class TableInfo:
    """A tree or n-tuple in a file."""

    @property
    def path(self) -> str: ...

    @property
    def format(self) -> str: ...

def list_objects(path: str) -> list[ObjectInfo]:
    """Every key of a ROOT file."""

def list_tables(path: str) -> list[TableInfo]:
    """The trees and n-tuples of a ROOT file."""

def resolve_paths(pattern: str) -> list[str]:
    """The files that a path, glob or URI names."""

def codecs() -> list[str]:
    """Compression algorithms that are built in."""

class Sample:
    """Files that belong together, with a label and a weight."""

    def __init__(self, label: str, paths: Sequence[str], weight: float | None = None) -> None: ...

    @property
    def label(self) -> str: ...

    @property
    def paths(self) -> list[str]: ...

    @property
    def weight(self) -> float | None: ...

class FileInfo:
    """A file of a data set."""

    @property
    def path(self) -> str: ...

    @property
    def first_entry(self) -> int: ...

    @property
    def num_entries(self) -> int: ...

    @property
    def sample(self) -> int: ...

    @property
    def clusters(self) -> list[tuple[int, int]]:
        """
        Entry ranges (start, stop) in which the file was written, in its own entries.
        """

class Dataset:
    """Files opened as one table."""

    @property
    def num_entries(self) -> int: ...

    @property
    def tree(self) -> str: ...

    @property
    def format(self) -> str: ...

    @property
    def files(self) -> list[FileInfo]: ...

    @property
    def samples(self) -> list[Sample]: ...

    @property
    def schema(self) -> list[ColumnInfo]: ...

    @property
    def readable_columns(self) -> list[str]: ...

    def arrays(self, columns: Sequence[str], entry_start: int = 0, entry_stop: int | None = None, threads: int = 0) -> list[Column]: ...

def open_dataset(samples: Sequence[Sample], tree: str = '') -> Dataset: ...

class FeatureGroup:
    """A named group of columns that becomes one tensor of a batch."""

    def __init__(self, name: str, columns: Sequence[str], pad: int = 0, channels_last: bool = False, dtype: str = 'float32', pad_value: float = 0.0, squeeze: bool = False) -> None: ...

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> list[str]: ...

class TensorInfo:
    """One tensor of a batch."""

    @property
    def name(self) -> str: ...

    @property
    def dtype(self) -> str: ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row."""

    @property
    def channels(self) -> list[str]: ...

class Explanation:
    """What a loader will do, known before anything but metadata is read."""

    @property
    def rows(self) -> int: ...

    @property
    def entries(self) -> int: ...

    @property
    def files(self) -> int: ...

    @property
    def clusters(self) -> int: ...

    @property
    def units(self) -> int: ...

    @property
    def batches(self) -> int: ...

    @property
    def batch_size(self) -> int: ...

    @property
    def last_batch_rows(self) -> int: ...

    @property
    def shuffle(self) -> bool: ...

    @property
    def seed(self) -> int: ...

    @property
    def threads(self) -> int: ...

    @property
    def tensors(self) -> list[TensorInfo]: ...

    @property
    def stored_bytes(self) -> int: ...

    @property
    def decoded_bytes(self) -> int: ...

    @property
    def straddling(self) -> float: ...

    @property
    def row_bytes(self) -> float: ...

    @property
    def buffer_rows(self) -> int: ...

    @property
    def expected_lift(self) -> float: ...

    @property
    def expected_repeat(self) -> float: ...

    @property
    def memory(self) -> int: ...

    @property
    def staging_bytes(self) -> int: ...

    @property
    def unit_bytes(self) -> int: ...

    @property
    def ready_bytes(self) -> int: ...

    def __str__(self) -> str: ...

    def __repr__(self) -> str: ...

class LoaderStats:
    """Where the time of an epoch went; seconds summed over threads."""

    @property
    def rows(self) -> int: ...

    @property
    def batches(self) -> int: ...

    @property
    def stored_bytes(self) -> int: ...

    @property
    def peak_bytes(self) -> int: ...

    @property
    def fetch_seconds(self) -> float: ...

    @property
    def decode_seconds(self) -> float: ...

    @property
    def stage_seconds(self) -> float: ...

    @property
    def assemble_seconds(self) -> float: ...

    @property
    def idle_seconds(self) -> float: ...

    @property
    def consumer_wait_seconds(self) -> float: ...

class Epoch:
    """The batches of one epoch, made by threads that end with it."""

    def next(self) -> list[numpy.typing.NDArray[Any]] | None:
        """The next batch's arrays, or None at the end."""

    def cancel(self) -> None:
        """Ends the epoch, from any thread."""

    def close(self) -> None:
        """Ends the epoch's threads and frees its memory; delivered batches stay."""

    @property
    def stats(self) -> LoaderStats: ...

class Loader:
    """Turns a data set into batches."""

    def __init__(self, dataset: Dataset, groups: Sequence[FeatureGroup], batch_size: int, shuffle: bool, seed: int | None, memory: int, threads: int, drop_remainder: bool, buffer_rows: int | None) -> None: ...

    def split(self, fractions: Sequence[float]) -> list[Loader]: ...

    @property
    def tensors(self) -> list[TensorInfo]: ...

    @property
    def seed(self) -> int: ...

    @property
    def num_rows(self) -> int: ...

    @property
    def num_batches(self) -> int: ...

    def explain(self) -> Explanation: ...

    def epoch(self, number: int) -> Epoch:
        """Starts reading an epoch."""
