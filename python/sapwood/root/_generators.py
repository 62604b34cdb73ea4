"""The functions that ROOT had before `RDataLoader`, in both of their spellings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from numbers import Integral
from typing import Any

from ..dataset import open
from ._errors import option_errors
from ._loader import FormattedLoader, RDataLoader
from ._source import open_source

_FIRST = ("batch_size", "chunk_size")
_COMMON = (
    "columns",
    "max_vec_sizes",
    "vec_padding",
    "target",
    "weights",
    "validation_split",
    "max_chunks",
    "shuffle",
    "drop_remainder",
)
_LATER = ("set_seed", "load_eager", "sampling_type", "sampling_ratio", "replacement")


class BatchGenerator:
    """The batches of a part, as an iterable, an iterator, or a function that gives one; each time one epoch."""

    def __init__(self, loader: RDataLoader, batches: FormattedLoader) -> None:
        self._loader = loader
        self._batches = batches
        self._running: Iterator[Any] | None = None

    def __call__(self) -> Iterator[Any]:
        return iter(self._batches)

    def __iter__(self) -> Iterator[Any]:
        self._running = self()
        return self

    def __next__(self) -> Any:
        if self._running is None:
            self._running = self()
        return next(self._running)

    def __len__(self) -> int:
        return len(self._batches)

    @property
    def columns(self) -> list[str]:
        """As `RDataLoader.columns`."""
        return self._loader.columns

    @property
    def train_columns(self) -> list[str]:
        """As `RDataLoader.train_columns`."""
        return self._loader.train_columns

    @property
    def target_columns(self) -> list[str]:
        """As `RDataLoader.target_columns`."""
        return self._loader.target_columns

    @property
    def weights_column(self) -> str:
        """As `RDataLoader.weights_column`."""
        return self._loader.weights_column

    @property
    def number_of_batches(self) -> int:
        """Batches in an epoch."""
        return self._loader.num_batches

    @property
    def last_batch_no_of_rows(self) -> int:
        """Rows of the last batch when it is not full, else 0."""
        return self._loader.last_batch_no_of_rows


def CreateNumPyGenerators(*arguments: Any, **options: Any) -> Any:  # noqa: N802 - ROOT's name
    """Generators of NumPy batches, for training and for validation: None without a `validation_split`.

    ``CreateNumPyGenerators(rdataframe, batch_size, chunk_size, columns=[], max_vec_sizes={}, vec_padding=0, target=[],
    weights="", validation_split=0.0, max_chunks=0, shuffle=True, drop_remainder=True)``
        The data frame may also be a `sapwood.Dataset`, a list of either, or a tree's name and a file's name.
    ``CreateNumPyGenerators(rdataframes, batch_size, chunk_size, block_size, columns=[], ..., set_seed=0,
    load_eager=False, sampling_type="", sampling_ratio=1.0, replacement=False)``
        The fourth argument tells which one it is.

    `chunk_size` counts with `max_chunks` alone: so many chunks of entries are read. Without, it may be left out.
    `block_size` has no effect. All else is as for `RDataLoader`. Raises OptionError, and TypeError where arguments are
    of neither spelling.
    """
    return _parts(arguments, options, lambda loader: BatchGenerator(loader, loader.as_numpy()))


def CreatePyTorchGenerators(*arguments: Any, **options: Any) -> Any:  # noqa: N802 - ROOT's name
    """Generators of PyTorch batches, or one without a `validation_split`; arguments as of `CreateNumPyGenerators`."""
    return _one_or_both(_parts(arguments, options, lambda loader: BatchGenerator(loader, loader.as_torch())))


def CreateTFDatasets(*arguments: Any, **options: Any) -> Any:  # noqa: N802 - ROOT's name
    """``tf.data.Dataset`` of batches; what is given and taken as of `CreatePyTorchGenerators`."""

    def make(loader: RDataLoader) -> Any:
        batches = loader.as_tensorflow()
        batches.columns = loader.columns
        batches.train_columns = loader.train_columns
        batches.target_column = loader.target_columns
        batches.weights_column = loader.weights_column
        batches.number_of_batches = loader.num_batches
        return batches

    return _one_or_both(_parts(arguments, options, make))


def _parts(
    arguments: tuple[Any, ...], options: dict[str, Any], make: Callable[[RDataLoader], Any]
) -> tuple[Any, Any | None]:
    """What `make` gives of the training and the validation part, or of all rows alone."""
    named = _named(arguments, options)
    source, chunk_size = named.pop("source"), named.pop("chunk_size", None)
    named.pop("block_size", None)
    validation_split, max_chunks = named.pop("validation_split", 0.0), named.pop("max_chunks", 0)
    with option_errors():
        filters = named.pop("filters", ())
        if filters or max_chunks:
            source = open_source(source, apart=bool(named.get("sampling_type")))
        for condition in filters:
            source = source.filter(condition)
        if max_chunks:
            source = source.limit(max_chunks * chunk_size)
    loader = RDataLoader(source, **named)
    if not validation_split:
        return make(loader), None
    train, validation = loader.train_test_split(validation_split)
    return make(train), make(validation)


def _one_or_both(parts: tuple[Any, Any | None]) -> Any:
    return parts[0] if parts[1] is None else parts


def _named(arguments: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
    """All arguments by name, of whichever spelling."""
    positional, named = list(arguments), dict(options)
    from_tree = "tree_name" in named or (positional and isinstance(positional[0], str))
    sources = ("tree_name", "file_name") if from_tree else ("rdataframe",)
    if "rdataframes" in named:
        named["rdataframe"] = named.pop("rdataframes")
    first, second = [*positional[len(sources) + len(_FIRST) :], None, None][:2]
    between: tuple[str, ...] = _COMMON
    if "block_size" in named or isinstance(first, Integral):
        between = ("block_size", *_COMMON)
    elif from_tree and isinstance(second, list):  # as the first releases had it
        between = ("columns", "filters", *_COMMON[1:])
    names = [*sources, *_FIRST, *between, *_LATER]
    if len(positional) > len(names):
        raise TypeError(f"{len(positional)} arguments, at most {len(names)} are known")
    for name, value in zip(names, positional, strict=False):
        if name in named:
            raise TypeError(f"'{name}' is given twice")
        named[name] = value
    wanted = (*sources, *_FIRST) if named.get("max_chunks") else (*sources, "batch_size")
    missing = [name for name in wanted if name not in named]
    unknown = sorted(named.keys() - {*names, "filters"})
    if missing or unknown:
        raise TypeError(f"arguments missing: {missing}; unknown: {unknown}")
    if from_tree:
        named["source"] = open(named.pop("file_name"), named.pop("tree_name"))
    else:
        named["source"] = named.pop("rdataframe")
    return named
