"""Data sets: files opened as one table, what of it counts, and what is computed besides."""

from __future__ import annotations

import os
import secrets
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from . import _core, _html
from ._dataset_training import DatasetTraining
from ._functions import ArrayFunction
from ._samples import samples_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Path = str | os.PathLike[str]
    Paths = Path | Iterable[Path] | Any  # or frames


def open(
    paths: Paths | Mapping[str, Paths | tuple[Paths, float] | Mapping[str, Any]],
    tree: str | None = None,
    defaults: Mapping[str, float] | None = None,
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
    defaults
        Columns that some files lack, and what their entries are there: ``{"weight": 1}``. Lists and strings are empty
        (``{"jet_pt": 0}``). Without one, a file that lacks a column raises SchemaError when that is read.

    Warns of files that were not closed or are truncated: what is left in them is read (``files[i].warning``).

    Raises IoError (missing, unreadable), FormatError (not a ROOT file, corrupt), SchemaError (no such tree; several
    and none named), UnsupportedError, ConfigError.
    """
    data = Dataset(_core.open_dataset(samples_of(paths), tree or "", list((defaults or {}).items())))
    doubtful = [file for file in data.files if file.warning]
    if doubtful:
        others = f" (and {len(doubtful) - 1:,} other files)" if len(doubtful) > 1 else ""
        warnings.warn(f"{doubtful[0].path}{others}: {doubtful[0].warning}", RuntimeWarning, stacklevel=2)
    return data


class FriendTree(NamedTuple):
    """A tree that another names as its friend; an empty file means the same one."""

    name: str
    tree: str
    file: str


class Dataset(DatasetTraining):
    """Files opened as one table. Lazy: nothing but metadata is read until arrays or batches are asked for."""

    @property
    def friends(self) -> list[Dataset]:
        """The data sets that were joined to it, in order."""
        return [Dataset(joined.data) for joined in self._core.friends]

    @property
    def aliases(self) -> dict[str, str]:
        """Formulas that the first file's TTree names (``TTree::SetAlias``); `define_aliases` makes columns of them."""
        return dict(self._core.aliases)

    @property
    def friend_trees(self) -> list[FriendTree]:
        """The trees that the first file's TTree names as its friends (``TTree::AddFriend``); `friend` joins them."""
        return [FriendTree(*tree) for tree in self._core.friend_tables]

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

    def define_aliases(self) -> Dataset:
        """With the tree's own `aliases` as columns. Raises as `define`: ROOT's formulas are mostly ours, not all."""
        data = self
        for name, formula in self.aliases.items():
            data = data.define(name, formula)
        return data

    def alias(self, name: str, column: str) -> Dataset:
        """With another name for a column. Raises SchemaError and ConfigError as `define`."""
        return Dataset(self._core.define(name, f"`{column}`"))

    def friend(
        self,
        other: Dataset,
        prefix: str | None = None,
        on: str | Sequence[str] | None = None,
        missing: Literal["error", "fill"] = "error",
    ) -> Dataset:
        """With the columns of another data set beside its own, joined by entry, as by ROOT's ``TTree::AddFriend``.

        other
            As many entries, counted over all of its files, in whatever files and formats, of which entry i goes with
            entry i here. Its limits and its `select` hold; a friend of its own comes along.
        prefix
            Its columns are called ``prefix.column``, which formulas take as it stands; as they are when not given.
        on
            Columns of both, integers: the entry that has the same values goes with each, as by ROOT's
            ``TTree::BuildIndex``, such as ``["run", "event"]``. They are read at once, and 8 bytes are kept for each
            entry. Reading is fast where both are in about the same order.
        missing
            Entries whose keys the friend has not: an error, or ``"fill"``: 0, false or empty.

        Columns of the friend are read where they are asked for. Filters and definitions come before or after.

        Raises ConfigError: another number of entries; a name that is taken; a prefix that can't stand in formulas; a
        friend with filters or definitions (they go on what is joined); frames; keys that are no integers, that two
        entries of the friend have, or that none has. SchemaError: no such column, and what reading raises.
        """
        keys = [] if on is None else [on] if isinstance(on, str) else list(on)
        if missing not in ("error", "fill"):
            raise _core.ConfigError(f"missing is '{missing}', must be 'error' or 'fill'")
        if not isinstance(other, Dataset):
            raise _core.ConfigError(f"the friend is {other!r}, must be a data set: sapwood.open gives one")
        return Dataset(self._core.with_friend(other._core, prefix or "", keys, missing == "fill"))

    def select(self, columns: str | Sequence[str]) -> Dataset:
        """With these columns alone where all are asked for; formulas use the others all the same."""
        return Dataset(self._core.only([columns] if isinstance(columns, str) else list(columns)))

    def limit(self, entries: int | Sequence[int]) -> Dataset:
        """The first `entries` of the data set, or as a list: so many of each file, from its start.

        Raises ConfigError: a negative number; a list that has not one for each file.
        """
        if isinstance(entries, Sequence):
            return Dataset(self._core.limit_files(list(entries)))
        return Dataset(self._core.limit(entries))

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
        friends = [
            (Dataset(joined.data), joined.prefix, joined.entries, joined.keys, joined.may_lack)
            for joined in self._core.friends
        ]
        functions = [(call.function, name, call.returns, call.elementwise) for name, call in self._core.functions]
        definitions = [(column.name, column.definition) for column in self.schema if column.definition]
        filters = [(filter_.condition, filter_.name) for filter_ in self.filters]
        chosen = self._core.chosen_columns
        defaults = self._core.defaults
        return _reopen, (samples, self.tree, entries, defaults, friends, functions, definitions, filters, chosen)

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


def _reopen(
    samples: list[tuple[str, list[str], float | None]],
    tree: str,
    entries: list[int],
    defaults: list[tuple[str, float]],
    friends: list[tuple[Dataset, str, list[int], list[str], bool]],
    functions: list[tuple[Callable[..., Any], str, str, bool]],
    definitions: list[tuple[str, str]],
    filters: list[tuple[str, str]],
    chosen: list[str] | None,
) -> Dataset:
    core = _core.open_dataset([_core.Sample(*sample) for sample in samples], tree, defaults)
    for other, prefix, joined_entries, keys, may_lack in friends:
        core = core.limit_files(joined_entries).with_friend(other._core, prefix, keys, may_lack)
    core = core.limit_files(entries)
    for function, name, returns, elementwise in functions:
        core = core.with_function(name, ArrayFunction(function, returns, elementwise), returns, elementwise)
    for definition in definitions:
        core = core.define(*definition)
    for filter_ in filters:
        core = core.filter(*filter_)
    return Dataset(core if chosen is None else core.only(chosen))
