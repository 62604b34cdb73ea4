"""Data sets: files opened as one table, and their columns as arrays."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

from . import _core, _html
from ._arrays import convert
from ._cut_flow import CutFlow
from ._description import Description
from ._export import to_parquet, to_root
from ._frame import is_frame, open_table
from ._functions import ArrayFunction
from ._histogram import histogram
from ._ranks import find_ranks
from .features import FeatureGroup, FeatureSpec, Variable
from .loader import Loader, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import hist

    Path = str | os.PathLike[str]
    Paths = Path | Iterable[Path] | Any  # or frames
    Library = Literal["arrow", "ak", "np", "pd"]
    Variables = str | Variable | Sequence[str | Variable]


def open(
    paths: Paths | Mapping[str, Paths | tuple[Paths, float] | Mapping[str, Any]], tree: str | None = None
) -> Dataset:
    """Open ROOT files, or frames of ``ROOT.RDataFrame``, as one data set.

    paths
        A path or glob (``*``, ``?``, ``[..]``, ``**``), a frame, several of them, or a mapping of label to these. A
        label's value may carry a weight, such as a cross-section:
        ``{"signal": ("ttH_*.root", 0.5), "background": ("tt_*.root", 830)}`` (or ``{"paths": ..., "weight": ...}``).
        Labelled data sets have a column ``sample_label`` (int32, the label's place in the mapping) and, with weights,
        ``sample_weight`` (float64: weight / entries of the label, scaled to a mean of 1 over the data set).
    tree
        Name of the TTree or RNTuple, with its directories (``"dir/Events"``) and, if need be, its cycle (``"tree;3"``).
        May be left out when the file holds just one.

    Raises IoError (missing, unreadable), FormatError (not a ROOT file, corrupt), SchemaError (no such tree; several
    and none named), UnsupportedError, ConfigError.
    """
    if isinstance(paths, Mapping):
        samples = [_labelled_sample(label, value) for label, value in paths.items()]
    else:
        samples = [_sample("", paths)]
    return Dataset(_core.open_dataset(samples, tree or ""))


def _sample(label: str, sources: Any, weight: float | None = None) -> _core.Sample:
    if isinstance(sources, (str, os.PathLike)) or is_frame(sources):
        sources = [sources]
    sources = list(sources)
    frames = [source for source in sources if is_frame(source)]
    if frames and len(frames) < len(sources):
        raise _core.ConfigError("frames and files can't be one data set: give ROOT the files, or sapwood all of them")
    if frames:
        return _core.Sample(label, [], weight, [open_table(frame) for frame in frames])
    return _core.Sample(label, [os.fspath(path) for path in sources], weight)


def _labelled_sample(label: str, value: Any) -> _core.Sample:
    if not label:
        raise _core.ConfigError("a label is empty")
    if isinstance(value, Mapping):
        unknown = set(value) - {"paths", "weight"}
        if unknown or "paths" not in value:
            raise _core.ConfigError(f"label '{label}' wants the keys 'paths' and 'weight', not {sorted(value)}")
        return _sample(label, value["paths"], value.get("weight"))
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], Real):
        return _sample(label, value[0], float(value[1]))
    return _sample(label, value)


class Dataset:
    """Files opened as one table. Lazy: nothing but metadata is read until arrays or batches are asked for."""

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
    def friends(self) -> list[Dataset]:
        """The data sets that were joined to it, in order."""
        return [Dataset(joined.data) for joined in self._core.friends]

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

    def filter(self, condition: str, name: str | None = None) -> Dataset:
        """The rows for which a formula (docs/expressions.md) is true; `name` is what `report` calls it.

        Nothing is read before columns or batches are asked for. Of clusters in which no row passes, the columns of the
        conditions alone are read.

        Raises SchemaError (unknown column or function; not true or false for each entry) and ConfigError (wrong
        syntax), with the place in the formula.
        """
        return Dataset(self._core.filter(condition, name or ""))

    def sample(self, fraction: float, seed: int | None = None) -> Dataset:
        """So large a share of the rows on average, drawn one by one by seed and entry: the same ones each time.

        A filter. A seed is drawn when not given. Raises ConfigError: a fraction below 0 or above 1.
        """
        return Dataset(self._core.sample(fraction, secrets.randbits(63) if seed is None else seed))

    def define(self, name: str | None = None, formula: str | None = None, /, **formulas: str) -> Dataset:
        """With columns more, whose values formulas give: ``define("pt", "hypot(px, py)")`` or ``define(pt="...")``.

        They are computed where they are used, and what several formulas share once. A later one may use those before.

        Raises SchemaError and ConfigError as `filter`, and ConfigError where there is a column of that name.
        """
        if (name is None) != (formula is None):
            raise _core.ConfigError("define takes a name and a formula")
        core = self._core
        for new, text in ({} if name is None or formula is None else {name: formula}).items():
            core = core.define(new, text)
        for new, text in formulas.items():
            core = core.define(new, text)
        return Dataset(core)

    def with_function(
        self,
        function: Callable[..., Any],
        name: str | None = None,
        *,
        returns: str = "float64",
        elementwise: bool = True,
    ) -> Dataset:
        """With a function more that formulas may call, beside those that they have.

        function
            Takes a NumPy array, read-only, for each argument of a call: its values, of all entries that are worked on
            together; of bool, int64, float32 or float64. Gives an array of as many values. Lists are combined with one
            another, and with numbers of the entry, as by operators, and the result takes their form. What it gives for
            a row must depend on that row alone. Reading threads call it, while they hold Python's lock.
        name
            What formulas call it; its own when not given.
        returns
            The type of its values: ``"bool"``, ``"int64"``, ``"float32"`` or ``"float64"``. What it gives is converted
            as by NumPy's ``casting="same_kind"``.
        elementwise
            False: an argument is a NumPy array of numbers (or fixed arrays of numbers), one for each entry, or an
            Awkward array of lists. Gives a number for each entry, or lists: then `returns` is such as
            ``"list<float64>"``, and the result an Awkward, Arrow or NumPy array, or a list.

        Features that call it can't be saved, bundled or served. Where the data set goes to other processes, so does the
        function, pickled.

        Raises ConfigError: a name that is taken, or that can't stand in formulas; another type. Where the function is
        used: ConfigError with what it raised, SchemaError where it gives another type or number of values.
        """
        name = getattr(function, "__name__", "") if name is None else name
        call = ArrayFunction(function, returns, elementwise)
        return Dataset(self._core.with_function(name, call, returns, elementwise))

    def alias(self, name: str, column: str) -> Dataset:
        """With another name for a column. Raises SchemaError and ConfigError as `define`."""
        return Dataset(self._core.define(name, f"`{column}`"))

    def friend(self, other: Dataset, prefix: str | None = None) -> Dataset:
        """With the columns of another data set beside its own, joined by entry, as by ROOT's ``TTree::AddFriend``.

        other
            As many entries, counted over all of its files, in whatever files and formats, of which entry i goes with
            entry i here. Its limits and its `select` hold; a friend of its own comes along.
        prefix
            Its columns are called ``prefix.column``, which formulas take as it stands; as they are when not given.

        Columns of the friend are read where they are asked for. Filters and definitions come before or after.

        Raises ConfigError: another number of entries; a name that is taken; a prefix that can't stand in formulas; a
        friend with filters or definitions (they go on what is joined); frames.
        """
        if not isinstance(other, Dataset):
            raise _core.ConfigError(f"the friend is {other!r}, must be a data set: sapwood.open gives one")
        return Dataset(self._core.with_friend(other._core, prefix or ""))

    def select(self, columns: str | Sequence[str]) -> Dataset:
        """With these columns alone where all are asked for; formulas use the others all the same."""
        return Dataset(self._core.only([columns] if isinstance(columns, str) else list(columns)))

    def report(self, *, threads: int | None = None) -> CutFlow:
        """How many rows pass each filter, in one pass over the filters' columns; prints as a table."""
        return CutFlow(self.num_entries, self._core.cut_flow(_thread_count(threads)))

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
        decoded = self._core.arrays(names, entry_start, entry_stop, _thread_count(threads))
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
        for start, stop in self._core.pieces(names, _byte_count(step)):
            yield self._core.arrays(names, start, stop, _thread_count(threads))

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

    def limit(self, entries: int | Sequence[int]) -> Dataset:
        """The first `entries` of the data set, or as a list: so many of each file, from its start.

        Raises ConfigError: a negative number; a list that has not one for each file.
        """
        if isinstance(entries, Sequence):
            return Dataset(self._core.limit_files(list(entries)))
        return Dataset(self._core.limit(entries))

    def scan(self, expressions: str | Sequence[str], *, threads: int | None = None) -> list[_core.Statistics]:
        """Statistics of columns and formulas, in one parallel pass over the data that holds a few units at a time.

        For each expression the number of values and of NaN, minimum, maximum, mean, standard deviation (of the
        population) and the largest multiplicity of an entry; the same bits for any number of threads.

        Raises SchemaError, ConfigError, UnsupportedError, FormatError, IoError.
        """
        wanted = [expressions] if isinstance(expressions, str) else list(expressions)
        return self._core.scan(wanted, _thread_count(threads))

    def describe(self, columns: str | Sequence[str] | None = None, *, threads: int | None = None) -> Description:
        """What `scan` tells of columns and formulas, as a table; of all columns of numbers when none are given."""
        if columns is None:
            types = {column.name: column.type for column in self.schema}
            columns = [name for name in self.columns if _is_of_numbers(types[name])]
        return Description(self.scan(columns, threads=threads) if columns else [])

    def fit(self, spec: FeatureSpec, *, threads: int | None = None) -> FeatureSpec:
        """The specification with what had to be learnt filled in: ``"standard"``, ``"min_max"``, and ``pad="fit"``.

        One pass over all entries, as `scan`. Of a variable with several transforms, what is learnt is of the values
        that reach the one to be learnt; values beyond `pad` count too, NaN does not.

        Raises ConfigError when a variable has two such transforms, or no values to learn from.
        """
        return FeatureSpec._of(self._core.fit(spec._core, _thread_count(threads)))

    def loader(
        self,
        features: FeatureSpec | Variables | Mapping[str, Variables],
        target: Variables | None = None,
        weights: str | Variable | None = None,
        *,
        pad: int | Mapping[str, int] | None = None,
        packed: bool | str | Collection[str] = False,
        pad_value: float = 0.0,
        channels: Literal["first", "last"] = "first",
        dtype: str | Mapping[str, str] = "float32",
        batch_size: int = 1024,
        shuffle: bool = True,
        seed: int | None = None,
        memory: int | str | None = "1 GB",
        cache: bool = True,
        threads: int | None = None,
        drop_remainder: bool = False,
        buffer_rows: int | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        rank: int | None = None,
        world_size: int | None = None,
    ) -> Loader:
        """Batches of columns for training; see `Loader`.

        features
            A fitted `FeatureSpec`, which says all up to `dtype`. Or, in short, columns and formulas (or `Variable`) of
            one group (its tensor is called ``"features"``), or a mapping of group name to those. A group of scalars and
            fixed arrays is flat: ``[N, C]``. A group with a length in `pad` takes jagged columns of equal
            multiplicity: ``[N, C, P]`` and ``"<group>_mask"`` ``[N, 1, P]``, bool, true at values.
        target, weights
            Columns or formulas for ``"target"`` (``[N]``, or ``[N, T]`` from a list; int64 when all are integers or
            bool, else as the features) and ``"weights"`` (``[N]``, float32).
        pad, pad_value
            Length of each padded group; longer entries are cut. What fills the rest.
        packed
            True, or the names of groups: jagged columns without padding. Such a group becomes ``[T, C]``, the values of
            all rows of the batch, row after row, with ``"<group>_cu_seqlens"`` (int32 ``[N + 1]``, where each row's
            begin, and the last one's end) and ``"<group>_max_seqlen"`` (int32 ``[]``, the largest multiplicity). A
            length in `pad` cuts longer entries.
        channels
            ``"last"``: padded groups are ``[N, P, C]`` and their masks ``[N, P]``.
        dtype
            ``"float32"``, ``"float64"``, ``"float16"``, ``"bfloat16"``, ``"int32"``, ``"int64"`` or ``"bool"``; for all
            groups or by group. NumPy's arrays of bfloat16 need the package ``ml_dtypes``, PyTorch's tensors do not.
        batch_size, drop_remainder
            Rows of a batch; whether the last one is left out when it is not full.
        shuffle, seed, buffer_rows
            Rows come in a new random order each epoch, the same for the same seed (drawn, and reported by `explain`,
            when not given), whatever the number of threads. ``buffer_rows`` sets the size of the shuffle buffer,
            which otherwise follows from `memory`.
        memory, cache
            Bytes (or ``"500 MB"``) that the loader may hold, besides delivered batches; None: as many as it takes. Rows
            stay in memory for later epochs where there is room for them beside the shuffle buffer, unless `cache` is
            false.
        threads
            As many as there are processors when not given.
        on_error
            ``"skip"``: clusters whose bytes are wrong are left out, with a warning at the end of the epoch;
            `Loader.skipped` lists them. Errors of the file system are raised all the same.
        rank, world_size
            Which of so many training processes this is. Each gets its own rows and as many batches as the others; all
            must give the same seed. Taken from ``torch.distributed`` once it is initialised, or from torchrun.
        """
        if seed is not None and not 0 <= seed < 2**64:
            raise _core.ConfigError(f"seed is {seed}, must be at least 0 and below 2^64")
        if not isinstance(features, FeatureSpec):
            features = self._short_spec(features, target, weights, pad, packed, pad_value, channels, dtype)
        elif (target, weights, pad, packed, pad_value, channels, dtype) != _SHORT_DEFAULTS:
            raise _core.ConfigError(
                "a FeatureSpec says what target, weights, pad, packed, pad_value, channels and dtype are: leave them "
                "out here"
            )
        if on_error not in ("raise", "skip"):
            raise _core.ConfigError(f"on_error is {on_error!r}, must be 'raise' or 'skip'")
        finds_ranks = rank is None and world_size is None
        rank, world_size = find_ranks(rank, world_size)
        options = {
            "batch_size": batch_size,
            "shuffle": shuffle,
            "seed": seed,
            "memory": None if memory is None else _byte_count(memory),
            "cache": cache,
            "threads": _thread_count(threads),
            "drop_remainder": drop_remainder,
            "buffer_rows": buffer_rows,
            "skip_errors": on_error == "skip",
            "rank": rank,
            "world_size": world_size,
        }
        recipe = Recipe(self, features, options, finds_ranks)
        return Loader(recipe.core(), recipe)

    def _short_spec(
        self,
        features: Variables | Mapping[str, Variables],
        target: Variables | None,
        weights: str | Variable | None,
        pad: int | Mapping[str, int] | None,
        packed: bool | str | Collection[str],
        pad_value: float,
        channels: Literal["first", "last"],
        dtype: str | Mapping[str, str],
    ) -> FeatureSpec:
        inputs = _feature_groups(features, pad, packed, pad_value, channels, dtype)
        labels = []
        if target is not None:
            labels = [self._target_group(target, dtype if isinstance(dtype, str) else "float32")]
        weight_groups = [] if weights is None else [FeatureGroup("weights", weights, squeeze=True)]
        return FeatureSpec(inputs, labels, weight_groups)

    def _target_group(self, target: Variables, dtype: str) -> FeatureGroup:
        variables = [target] if isinstance(target, (str, Variable)) else list(target)
        plain = [v if isinstance(v, Variable) else Variable(v) for v in variables]
        types = [self._core.expression_type(variable.expression) for variable in plain if not variable.transforms]
        whole = len(types) == len(plain) and all(
            type_.split("[")[0].lstrip("u").startswith(("int", "bool")) for type_ in types
        )
        return FeatureGroup(
            "target", plain, dtype="int64" if whole else dtype, squeeze=isinstance(target, (str, Variable))
        )

    def concat(self, *others: Dataset) -> Dataset:
        """The files of this data set and of others, as one; samples of one label are one.

        Raises ConfigError where trees, functions, definitions, filters, chosen columns or weights differ, only some
        have labels, or any has friends.
        """
        if any(data.friends for data in (self, *others)):
            raise _core.ConfigError(
                "data sets with friends can't be put together: concat first, then take `friend` of the whole"
            )
        _, (samples, tree, entries, *rest) = self.__reduce__()
        paths = {label: (list(paths), weight) for label, paths, weight in samples}
        of_label = dict(zip(paths, _of_samples(entries, samples), strict=True))
        for other in others:
            _, (more, other_tree, other_entries, *other_rest) = other.__reduce__()
            if (tree, rest) != (other_tree, other_rest):
                raise _core.ConfigError(
                    f"{other!r} has another tree, functions, definitions, filters or columns than {self!r}"
                )
            for (label, its_paths, weight), counts in zip(more, _of_samples(other_entries, more), strict=True):
                if paths.setdefault(label, ([], weight))[1] != weight:
                    raise _core.ConfigError(f"sample '{label}' has the weights {paths[label][1]} and {weight}")
                paths[label][0].extend(its_paths)
                of_label.setdefault(label, []).extend(counts)
        if len(paths) > 1 and "" in paths:
            raise _core.ConfigError("some data sets have labels, and some have none")
        whole = [(label, its_paths, weight) for label, (its_paths, weight) in paths.items()]
        return _reopen(whole, tree, [count for counts in of_label.values() for count in counts], *rest)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.format == "RDataFrame":
            raise _core.ConfigError("a data set of frames can't be copied to another process, or joined with others")
        samples: list[tuple[str, list[str], float | None]] = [
            (sample.label, [], sample.weight) for sample in self._core.samples
        ]
        for file in self.files:
            samples[file.sample][1].append(file.path)
        entries = [file.num_entries for file in self.files]
        friends = [(Dataset(joined.data), joined.prefix, joined.entries) for joined in self._core.friends]
        functions = [(call.function, name, call.returns, call.elementwise) for name, call in self._core.functions]
        definitions = [(column.name, column.definition) for column in self.schema if column.definition]
        filters = [(filter_.condition, filter_.name) for filter_ in self.filters]
        chosen = self._core.chosen_columns
        return _reopen, (samples, self.tree, entries, friends, functions, definitions, filters, chosen)

    def __repr__(self) -> str:
        files = f"{len(self.files)} file" + ("s" if len(self.files) != 1 else "")
        rows = f"{self.num_entries} entries, {len(self.columns)} columns"
        if self.filters:
            rows += f", {len(self.filters)} filter" + ("s" if len(self.filters) != 1 else "")
        if self.friends:
            files += f", {len(self.friends)} friend" + ("s" if len(self.friends) != 1 else "")
        return f"<Dataset '{self.tree}' ({self.format}): {rows}, {files}>"

    def _repr_html_(self) -> str:
        rows = [
            (
                column.name,
                column.type or "not read yet",
                column.stored_type,
                f"{column.values_per_entry:.3g}",
                _html.readable_bytes(column.compressed_bytes),
            )
            for column in self.schema
            if not column.is_member
        ]
        title = (
            f"{self.tree} ({self.format}): {self.num_entries:,} entries, {len(self.files):,} files, "
            f"{len(self.clusters):,} clusters"
        )
        return _html.table(title, ("column", "type", "stored as", "values / entry", "size (first file)"), rows)


def _of_samples(entries: list[int], samples: list[tuple[str, list[str], float | None]]) -> list[list[int]]:
    """The entries of files, in the order of samples, by sample."""
    counts = iter(entries)
    return [[next(counts) for _ in paths] for _, paths, _ in samples]


def _is_of_numbers(type_: str) -> bool:
    inner = type_.removesuffix(">").rsplit("<")[-1].split("[")[0].rstrip(">")
    return inner.lstrip("u").startswith(("int", "float", "bool"))


def _reopen(
    samples: list[tuple[str, list[str], float | None]],
    tree: str,
    entries: list[int],
    friends: list[tuple[Dataset, str, list[int]]],
    functions: list[tuple[Callable[..., Any], str, str, bool]],
    definitions: list[tuple[str, str]],
    filters: list[tuple[str, str]],
    chosen: list[str] | None,
) -> Dataset:
    core = _core.open_dataset([_core.Sample(*sample) for sample in samples], tree)
    for other, prefix, joined_entries in friends:
        core = core.limit_files(joined_entries).with_friend(other._core, prefix)
    core = core.limit_files(entries)
    for function, name, returns, elementwise in functions:
        core = core.with_function(name, ArrayFunction(function, returns, elementwise), returns, elementwise)
    for definition in definitions:
        core = core.define(*definition)
    for filter_ in filters:
        core = core.filter(*filter_)
    return Dataset(core if chosen is None else core.only(chosen))


# Of what a FeatureSpec says: target, weights, pad, packed, pad_value, channels, dtype.
_SHORT_DEFAULTS = (None, None, None, False, 0.0, "first", "float32")


def _feature_groups(
    features: Variables | Mapping[str, Variables],
    pad: int | Mapping[str, int] | None,
    packed: bool | str | Collection[str],
    pad_value: float,
    channels: Literal["first", "last"],
    dtype: str | Mapping[str, str],
) -> list[FeatureGroup]:
    named = features if isinstance(features, Mapping) else {"features": features}
    if isinstance(packed, bool):
        packed = list(named) if packed else []
    packed_names = {packed} if isinstance(packed, str) else set(packed)
    for option, value in (("pad", pad), ("dtype", dtype), ("packed", dict.fromkeys(packed_names))):
        unknown = set(value) - set(named) if isinstance(value, Mapping) else set()
        if unknown:
            raise _core.ConfigError(f"{option} names no feature group: {', '.join(sorted(unknown))}")
    # What is said of padding is for the other groups, where there are others.
    padding: dict[str, Any] = {"pad_value": pad_value, "channels": channels}
    of_packed = padding if packed_names.issuperset(named) else {}
    groups = []
    for name, variables in named.items():
        length = pad.get(name) if isinstance(pad, Mapping) else pad
        if length is not None and not isinstance(length, int):
            raise _core.ConfigError(f"pad is {length!r} for group '{name}', must be a number")
        if length is not None and length < 1:
            raise _core.ConfigError(f"pad is {length} for group '{name}', must be at least 1")
        groups.append(
            FeatureGroup(
                name,
                variables,
                pad=length or 0,
                packed=name in packed_names,
                dtype=dtype.get(name, "float32") if isinstance(dtype, Mapping) else dtype,
                **(of_packed if name in packed_names else padding),
            )
        )
    return groups


def _thread_count(threads: int | None) -> int:
    """As the core takes it: 0 for as many as there are processors."""
    if threads is not None and threads < 1:
        raise _core.ConfigError(f"threads is {threads}, must be at least 1")
    return threads or 0


def _byte_count(memory: float | str) -> int:
    bytes_ = _parsed_bytes(memory) if isinstance(memory, str) else memory
    if not isinstance(bytes_, Real) or not 0 <= bytes_ < 2**63:
        raise _core.ConfigError(f"memory is {memory}, must be a number of bytes, or such as '500 MB'")
    return int(bytes_)


def _parsed_bytes(memory: str) -> int:
    units = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
    number = memory.strip().rstrip("BbGgMmKkIi").strip()
    unit = memory.strip()[len(memory.strip().rstrip("BbGgMmKkIi")) :].upper() or "B"
    try:
        return int(float(number) * units[unit])
    except (ValueError, KeyError, OverflowError):
        raise _core.ConfigError(f"memory is '{memory}': write bytes, or such as '500 MB' or '2 GiB'") from None
