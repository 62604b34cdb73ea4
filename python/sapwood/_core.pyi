"""sapwood's C++ core."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy.typing
from numpy.typing import NDArray
from typing_extensions import CapsuleType


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

class ModelError(Error):
    """
    A model does not load, wants other inputs than it is given, or gives other answers than it should.
    """

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

    @staticmethod
    def from_numpy(array: Annotated[NDArray, dict(order='C', device='cpu', writable=False)]) -> Column:
        """
        A column from a contiguous array of numbers, copied; further axes become fixed lists.
        """

    @staticmethod
    def empty(type: str) -> Column:
        """A column of such a type that has no entries."""

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
    def definition(self) -> str:
        """The formula that gives it; empty when it is stored."""

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

class Table:
    """A table that is open."""

def open_frame(calls: int) -> Table:
    """The frame at this address of a FrameCalls, which is taken over."""

def list_objects(path: str) -> list[ObjectInfo]:
    """Every key of a ROOT file."""

def list_tables(path: str) -> list[TableInfo]:
    """The trees and n-tuples of a ROOT file."""

def resolve_paths(pattern: str) -> list[str]:
    """The files that a path, glob or URI names."""

def codecs() -> list[str]:
    """Compression algorithms that are built in."""

class TensorInfo:
    """One tensor of a batch."""

    @property
    def name(self) -> str: ...

    @property
    def dtype(self) -> str: ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row: without what `axis` counts."""

    @property
    def axis(self) -> str:
        """
        What the first dimension counts: "N", the batch's rows; "T", the values of a packed group in all of them; "N+1", offsets; "": there is none.
        """

    @property
    def channels(self) -> list[str]: ...

    @property
    def role(self) -> str:
        """"input", "label", "weight" or "observer"."""

    def __repr__(self) -> str: ...

class FeatureSpec:
    """What goes into a batch."""

    @staticmethod
    def from_json(text: str) -> FeatureSpec: ...

    def to_json(self) -> str: ...

    @property
    def is_fitted(self) -> bool: ...

def check_portable(spec: FeatureSpec) -> None:
    """Raises ConfigError where formulas call functions of a data set's own."""

def make_tensors(spec: FeatureSpec, columns: Mapping[str, Column]) -> dict[str, numpy.typing.NDArray[Any]]: ...

class Sample:
    """Files that belong together, with a label and a weight."""

    def __init__(self, label: str, paths: Sequence[str], weight: float | None = None, tables: Sequence[Table] = []) -> None: ...

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
    def warning(self) -> str:
        """
        What to know before the file is taken for whole, as that it was not closed; else empty.
        """

    @property
    def clusters(self) -> list[tuple[int, int]]:
        """
        Entry ranges (start, stop) in which the file was written, in its own entries.
        """

class Statistics:
    """
    What one pass over the data says of an expression. NaN is counted and left out.
    """

    @property
    def expression(self) -> str: ...

    @property
    def entries(self) -> int: ...

    @property
    def values(self) -> int:
        """Without NaN; innermost ones of lists."""

    @property
    def nans(self) -> int: ...

    @property
    def min(self) -> float: ...

    @property
    def max(self) -> float: ...

    @property
    def mean(self) -> float: ...

    @property
    def standard_deviation(self) -> float:
        """Of the population: divided by `values`."""

    @property
    def max_multiplicity(self) -> int:
        """Values, with NaN, in the fullest entry."""

    def __repr__(self) -> str: ...

class Filter:
    """A condition that rows have to pass."""

    @property
    def name(self) -> str: ...

    @property
    def condition(self) -> str: ...

class Friend:
    """A data set that was joined to another."""

    @property
    def data(self) -> Dataset: ...

    @property
    def prefix(self) -> str: ...

    @property
    def entries(self) -> list[int]:
        """Of each file of the other, when it was joined."""

    @property
    def keys(self) -> list[str]: ...

    @property
    def may_lack(self) -> bool: ...

class Cut:
    """What a filter leaves."""

    @property
    def name(self) -> str: ...

    @property
    def before(self) -> int:
        """Rows that reach it."""

    @property
    def after(self) -> int:
        """Of these, rows that pass."""

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
    def aliases(self) -> list[tuple[str, str]]: ...

    @property
    def friend_tables(self) -> list[tuple[str, str, str]]: ...

    @property
    def defaults(self) -> list[tuple[str, float]]: ...

    @property
    def samples(self) -> list[Sample]: ...

    @property
    def schema(self) -> list[ColumnInfo]: ...

    @property
    def readable_columns(self) -> list[str]: ...

    def limit(self, entries: int) -> Dataset: ...

    def limit_files(self, entries: Sequence[int]) -> Dataset: ...

    def with_friend(self, other: Dataset, prefix: str = '', keys: Sequence[str] = [], may_lack: bool = False) -> Dataset: ...

    @property
    def friends(self) -> list[Friend]: ...

    def define(self, name: str, formula: str) -> Dataset: ...

    def with_function(self, name: str, function: object, returns: str, elementwise: bool) -> Dataset:
        """`function` takes a list of columns and gives one."""

    @property
    def functions(self) -> list[tuple[str, Any]]:
        """The names and the functions of `with_function`."""

    def filter(self, condition: str, name: str = '') -> Dataset: ...

    def sample(self, fraction: float, seed: int) -> Dataset: ...

    def only(self, columns: Sequence[str]) -> Dataset: ...

    @property
    def filters(self) -> list[Filter]: ...

    @property
    def chosen_columns(self) -> list[str] | None: ...

    def pieces(self, expressions: Sequence[str], bytes: int) -> list[tuple[int, int]]:
        """Ranges of entries whose columns take about so many bytes."""

    def cut_flow(self, threads: int = 0) -> list[Cut]: ...

    def arrays(self, columns: Sequence[str], entry_start: int = 0, entry_stop: int | None = None, threads: int = 0) -> list[Column]: ...

    def scan(self, expressions: Sequence[str], threads: int = 0) -> list[Statistics]: ...

    def fit(self, spec: FeatureSpec, threads: int = 0) -> FeatureSpec: ...

    def columns_read(self, spec: FeatureSpec) -> list[str]: ...

    def complete(self, spec: FeatureSpec) -> FeatureSpec:
        """With those definitions of the data set that it uses."""

    def expression_type(self, expression: str) -> str: ...

def open_dataset(samples: Sequence[Sample], tree: str = '', defaults: Sequence[tuple[str, float]] = []) -> Dataset: ...

class BalancedClass:
    """What there is of a class, and what an epoch gives of it."""

    @property
    def name(self) -> str: ...

    @property
    def stored(self) -> int:
        """Rows, without those outside the bins."""

    @property
    def rows(self) -> int:
        """Rows of an epoch, of all ranks."""

    @property
    def bins(self) -> int:
        """Bins that hold rows."""

    @property
    def short_bins(self) -> int:
        """
        Bins of which each row comes ``most_copies`` times, and which give fewer than the others.
        """

    def __repr__(self) -> str: ...

class Explanation:
    """What a loader will do, known before anything but metadata is read."""

    @property
    def rows(self) -> int: ...

    @property
    def dropped_rows(self) -> int:
        """Left out with ``drop_remainder``."""

    @property
    def rank(self) -> int: ...

    @property
    def world_size(self) -> int: ...

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
    def expected_vif(self) -> float:
        """
        Variance of the number of rows of a sample (of a file, where there is one sample) in a batch, over that of a full permutation.
        """

    @property
    def expected_lift(self) -> float:
        """
        Chance that two rows of a batch come from one unit, over that of a full permutation.
        """

    @property
    def expected_repeat(self) -> float:
        """
        Chance that two rows of a batch share one again in the next epoch, over that of a full permutation.
        """

    @property
    def memory(self) -> int: ...

    @property
    def staging_bytes(self) -> int: ...

    @property
    def unit_bytes(self) -> int: ...

    @property
    def ready_bytes(self) -> int: ...

    @property
    def cache_bytes(self) -> int: ...

    @property
    def cached(self) -> float:
        """The share of the rows that stay in memory for later epochs."""

    @property
    def classes(self) -> list[BalancedClass]:
        """Of a balanced loader."""

    @property
    def outside(self) -> int:
        """Rows outside the bins, which don't come."""

    def __str__(self) -> str: ...

    def __repr__(self) -> str: ...

class SkippedRange:
    """Entries of a file that a loader left out."""

    @property
    def file(self) -> str: ...

    @property
    def start(self) -> int: ...

    @property
    def stop(self) -> int: ...

    @property
    def error(self) -> str: ...

    def __repr__(self) -> str: ...

class LoaderStats:
    """Where the time of an epoch went; seconds summed over threads."""

    @property
    def rows(self) -> int: ...

    @property
    def batches(self) -> int: ...

    @property
    def skipped_rows(self) -> int:
        """Left out for errors."""

    @property
    def repeated_rows(self) -> int:
        """
        That came twice in place of skipped ones, so that ranks have as many batches.
        """

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

    def __repr__(self) -> str: ...

class Epoch:
    """The batches of one epoch, made by threads that end with it."""

    def next_numpy(self) -> list[numpy.typing.NDArray[Any]] | None:
        """
        The next batch's arrays, or None at the end. Those of bfloat16 come as their bits, int16.
        """

    def next_dlpack(self) -> list[CapsuleType] | None:
        """The next batch as capsules of DLPack, or None at the end."""

    def cancel(self) -> None:
        """Ends the epoch, from any thread."""

    def close(self) -> None:
        """Ends the epoch's threads and frees its memory; delivered batches stay."""

    @property
    def state(self) -> dict[str, Any]:
        """The loader's state after the last batch that was handed out."""

    @property
    def skipped(self) -> list[SkippedRange]: ...

    @property
    def stats(self) -> LoaderStats: ...

class Loader:
    """Turns a data set into batches."""

    def __init__(self, dataset: Dataset, features: FeatureSpec, batch_size: int, shuffle: bool, seed: int | None, memory: int | None, threads: int, drop_remainder: bool, buffer_rows: int | None, cache: bool, skip_errors: bool, rank: int, world_size: int) -> None: ...

    def split(self, fractions: Sequence[float], files: bool, values: Sequence[str], order: bool) -> list[Loader]: ...

    def split_where(self, conditions: Sequence[str]) -> list[Loader]: ...

    @property
    def rank(self) -> int: ...

    @property
    def world_size(self) -> int: ...

    def k_fold(self, folds: int, files: bool, values: Sequence[str]) -> list[tuple[Loader, Loader]]: ...

    def balance(self, by: str, fractions: Sequence[tuple[str, float]], bins: Sequence[tuple[str, Sequence[float]]], rows: int | None, most_copies: float) -> Loader: ...

    def share(self, worker: int, workers: int) -> Loader: ...

    @property
    def features(self) -> FeatureSpec: ...

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

    def resume(self, state: dict) -> Epoch:
        """Starts reading the rest of an epoch."""

    def state(self, epoch: int) -> dict[str, Any]:
        """The state before an epoch."""

    def with_order_of(self, state: dict) -> Loader:
        """This loader with the seed and the buffer rows of the state."""

class TensorSpec:
    """
    An input or output of a model; a size of -1 is free, the first is the batch's.
    """

    @property
    def name(self) -> str: ...

    @property
    def dtype(self) -> str: ...

    @property
    def shape(self) -> list[int]: ...

    def __str__(self) -> str: ...

class Model:
    """A trained model that can be run, from many threads."""

    @property
    def inputs(self) -> list[TensorSpec]: ...

    @property
    def outputs(self) -> list[TensorSpec]: ...

    def run(self, inputs: Sequence[numpy.typing.NDArray[Any]]) -> dict[str, numpy.typing.NDArray[Any]]:
        """The outputs by name, for the inputs in order."""

def load_onnx(model: bytes, threads: int = 1, library: str = '') -> Model: ...

def onnxruntime_version(library: str = '') -> str:
    """The version that is used, or why there is none (starts with "no ")."""

def feature_columns(features: FeatureSpec, columns: Mapping[str, Column]) -> list[str]:
    """Those of the columns that the features read."""

def check_servable(features: FeatureSpec) -> None:
    """
    Raises UnsupportedError where they give tensors that bundles do not carry.
    """

class Bundle:
    """A trained model with all that is needed to use it."""

    @staticmethod
    def open(path: str) -> Bundle: ...

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def framework(self) -> str: ...

    @property
    def created(self) -> str: ...

    @property
    def sapwood_version(self) -> str: ...

    @property
    def labels(self) -> list[str]: ...

    @property
    def inputs(self) -> list[TensorSpec]: ...

    @property
    def outputs(self) -> list[TensorSpec]: ...

    @property
    def columns(self) -> list[tuple[str, str]]:
        """(name, type) of each."""

    @property
    def features(self) -> FeatureSpec | None: ...

    @property
    def has_golden(self) -> bool: ...

    @property
    def onnx(self) -> bytes: ...

    @property
    def card(self) -> str: ...

    @property
    def members(self) -> dict[str, tuple[int, str]]:
        """(size, SHA-256) by name."""

class Predictor:
    """A bundle with its model loaded."""

    def __init__(self, bundle: Bundle, threads: int, library: str, verify: bool) -> None: ...

    @property
    def model(self) -> Model: ...

    def verify(self) -> None: ...

    def predict(self, columns: Sequence[Column]) -> dict[str, numpy.typing.NDArray[Any]]: ...
