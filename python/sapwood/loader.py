"""Batches for training."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from . import _core, _html, _tensors
from ._ranks import find_ranks
from .features import FeatureSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import pyarrow
    import torch

    from ._dataset_reading import DatasetReading
    from ._torch import BatchDataset

    NumpyBatch = dict[str, np.ndarray[Any, np.dtype[Any]]]
    State = dict[str, Any]
    SplitBy = Literal["file", "order"] | Sequence[str] | None


@dataclass(frozen=True)
class Recipe:
    """What a loader is made of, for another process to make it again."""

    dataset: DatasetReading
    features: FeatureSpec
    options: dict[str, Any]
    #: Whether rank and world size were not given, and are looked for again when they are needed.
    finds_ranks: bool = False
    #: The splits, shares and the balance that it comes from: the core's method, its arguments, and the part's place.
    splits: tuple[tuple[str, tuple[Any, ...], int], ...] = ()

    def core(self, **options: Any) -> _core.Loader:
        """A loader, with other options when given."""
        core = _core.Loader(self.dataset._core, self.features._core, **{**self.options, **options})
        for method, arguments, place in self.splits:
            core = _core_parts(core, method, arguments)[place]
        return core

    def part(self, method: str, arguments: tuple[Any, ...], place: int) -> Recipe:
        """The recipe of a part."""
        return replace(self, splits=(*self.splits, (method, arguments, place)))


def _core_parts(core: _core.Loader, method: str, arguments: tuple[Any, ...]) -> list[_core.Loader]:
    parts = getattr(core, method)(*arguments)
    if method in ("share", "balance"):
        return [parts]
    return [loader for pair in parts for loader in pair] if method == "k_fold" else parts


def _warn_of_skipped(epoch: _core.Epoch) -> None:
    ranges, stats = epoch.skipped, epoch.stats
    if not ranges:
        if stats.repeated_rows:
            text = f"{stats.repeated_rows:,} rows came twice in place of some that were skipped before"
            warnings.warn(text, RuntimeWarning, stacklevel=1)
        return
    repeated = f"; {stats.repeated_rows:,} rows came twice in their place" if stats.repeated_rows else ""
    warnings.warn(
        f"{stats.skipped_rows:,} rows in {len(ranges):,} ranges of entries can't be read and were skipped{repeated}; "
        f"the first: {ranges[0].error}",
        RuntimeWarning,
        stacklevel=1,
    )


def _split_values(by: SplitBy, *words: str) -> list[str]:
    if isinstance(by, str) and by not in words:
        raise _core.ConfigError(f"by is '{by}', must be {' or '.join(map(repr, words))}, or a list of columns")
    return [] if by is None or isinstance(by, str) else list(by)


@dataclass(frozen=True)
class _Given:
    """Where a loader stands whose batches are copied ahead."""

    state: State


def _from_recipe(recipe: Recipe, options: dict[str, int], state: State) -> Loader:
    loader = Loader(recipe.core(**options), replace(recipe, finds_ranks=False))
    loader.load_state_dict(state)
    return loader


class Loader:
    """Batches of a data set, as dicts of tensor name to array; made by `Dataset.loader`.

    Each iteration is one epoch: every row once, in an order that depends on data, features, seed, epoch and buffer rows
    alone. The reading threads belong to the iterator and end with it, also when it is dropped half-way.
    """

    def __init__(self, core: _core.Loader, recipe: Recipe) -> None:
        self._made = core
        self._recipe = recipe
        self._running: _core.Epoch | None = None
        # Where it stands: a state to go on from, in a running epoch, or (None) before `epoch`.
        self._stand: State | _core.Epoch | _Given | None = None
        self._epoch = 0

    @property
    def _current(self) -> _core.Loader:
        # `torch.distributed` may have been initialised since, as Lightning does when the training begins.
        if self._recipe.finds_ranks:
            rank, world_size = find_ranks(None, None)
            if (rank, world_size) != (self._made.rank, self._made.world_size):
                self._made = self._recipe.core(rank=rank, world_size=world_size)
        return self._made

    @property
    def epoch(self) -> int:
        """Number of the epoch that the next iteration gives; set it to repeat or to skip one."""
        return self._epoch

    @epoch.setter
    def epoch(self, number: int) -> None:
        if not isinstance(number, int) or number < 0:
            raise _core.ConfigError(f"epoch is {number!r}, must be a number of at least 0")
        if not (isinstance(self._stand, dict) and self._stand["epoch"] == number):
            self._stand = None
        self._epoch = number

    @property
    def seed(self) -> int:
        """The seed, also when it was drawn."""
        return self._current.seed

    @property
    def rank(self) -> int:
        """Which of `world_size` processes this loader is for."""
        return self._current.rank

    @property
    def world_size(self) -> int:
        """The processes that share the rows of an epoch."""
        return self._current.world_size

    @property
    def num_rows(self) -> int:
        """Rows that come in an epoch of this rank."""
        return self._current.num_rows

    @property
    def features(self) -> FeatureSpec:
        """What goes into a batch, with the definitions of the data set that it uses: what a model is bundled with."""
        return FeatureSpec._of(self._current.features)

    @property
    def tensors(self) -> list[_core.TensorInfo]:
        """Name, dtype, shape (of one row), axis and channels of each tensor of a batch."""
        return self._current.tensors

    def __len__(self) -> int:
        """Batches in an epoch; exact, and the same on each rank."""
        return self._current.num_batches

    def numpy(self) -> Iterator[NumpyBatch]:
        """The next epoch, as NumPy arrays that share the loader's memory.

        Raises ConfigError for bfloat16 where the package ``ml_dtypes`` is not installed.
        """
        yield from self._batches(_tensors.NUMPY)

    def _batches(
        self, framework: _tensors.Framework, begun: list[_core.Epoch] | None = None
    ) -> Iterator[dict[str, Any]]:
        """The next epoch. It is added to `begun`, for which who asks warns of skipped rows."""
        adapters = [(tensor.name, framework.adapter(tensor.dtype)) for tensor in self.tensors]
        if isinstance(self._stand, dict) and self._stand["epoch"] == self.epoch:
            running = self._current.resume(self._stand)
        else:
            running = self._current.epoch(self.epoch)
        self._running = self._stand = running
        self._epoch += 1
        if begun is not None:
            begun.append(running)
        try:
            while (arrays := framework.next(running)) is not None:
                yield {name: make(array) for (name, make), array in zip(adapters, arrays, strict=True)}
            if self._stand is running:
                self._stand = None
            if begun is None:
                _warn_of_skipped(running)
        finally:
            running.close()

    def _on_device(self, device: torch.device | str) -> Iterator[dict[str, torch.Tensor]]:
        from ._torch import on_device

        begun: list[_core.Epoch] = []

        def stand(state: State | None) -> None:
            if self._running is begun[0]:
                self._stand = None if state is None else _Given(state)

        stay = {tensor.name for tensor in self.tensors if not tensor.axis}
        batches = self._batches(_tensors.TORCH, begun)
        yield from on_device(batches, device, stay, lambda: begun[0].state, stand)
        _warn_of_skipped(begun[0])  # now: a warning may be an error, which would have come before the last batch

    def torch(self, device: torch.device | str | None = None) -> Iterator[dict[str, torch.Tensor]]:
        """The next epoch, as PyTorch tensors that share the loader's memory; copied to `device` when that is given, but
        for ``max_seqlen`` of packed groups, which kernels want as a number.

        To a GPU the next batch is copied from pinned memory, on a stream of its own, while one is used. The state
        (`state_dict`) does not count batches that are copied ahead.
        """
        if device is None:
            return self._batches(_tensors.TORCH)
        return self._on_device(device)

    def torch_dataset(self, num_workers: int = 0) -> BatchDataset:
        """The loader as an iterable data set of PyTorch, for code that wants a `torch.utils.data.DataLoader`:
        ``DataLoader(loader.torch_dataset(), batch_size=None)``.

        Worker processes are not needed for speed, the loader has threads. With them each worker reads its own share of
        the rows, with its share of memory and threads; name their number here too, so that `len` is exact.
        """
        from ._torch import BatchDataset

        return BatchDataset(self, num_workers)

    def arrow(self) -> Iterator[pyarrow.RecordBatch]:
        """The next epoch, as Arrow record batches: a column for each tensor, of Arrow's fixed-shape tensors where a row
        has more than one number, and a list column for each packed group. Shares the loader's memory, but for bool,
        which Arrow packs. Of bfloat16, which Arrow lacks, it raises ``pyarrow.ArrowNotImplementedError``.
        """
        from ._arrow import record_batch

        for batch in self.numpy():
            yield record_batch(batch, self.tensors)

    def __iter__(self) -> Iterator[NumpyBatch]:
        return self.numpy()

    def split(self, *, by: SplitBy = None, **parts: float | str) -> tuple[Loader, ...]:
        """Loaders for disjoint parts of the rows: first the rest (for training), then one for each named part.

        ``train, val, test = loader.split(val=0.16, test=0.2)``
            By fractions: rows are drawn one by one with the seed, of each sample its fraction; of a filtered data set
            on average.
        ``loader.split(val=0.2, by="file")``
            By whole files, so that no part reads what another one does; of each sample with files enough.
        ``loader.split(val=0.2, by="order")``
            In order: of each sample the first 80 % of the rows (those that pass the filters, which are counted) and the
            last 20 %.
        ``loader.split(val=0.2, by=["run", "luminosityBlock", "event"])``
            By a hash of these columns' (or formulas') values and the seed: rows with equal values come into one part,
            in whichever files they are.
        ``loader.split(val="event % 5 == 0", test="event % 5 == 1")``
            By conditions: a row belongs to the first that is true.

        Each part that is iterated reads what it needs. The length of a part by values is known after one pass over
        their columns, which is made when the length is asked for, or with several ranks.
        """
        conditions = [part for part in parts.values() if isinstance(part, str)]
        if conditions:
            if len(conditions) != len(parts) or by is not None:
                raise _core.ConfigError("split takes either fractions or conditions, and `by` with fractions only")
            return self._parts("split_where", conditions)
        fractions = [float(part) for part in parts.values()]
        rest = 1 - sum(fractions)
        if not fractions or any(fraction <= 0 for fraction in fractions) or rest <= 1e-9:
            text = ", ".join(f"{name}={fraction}" for name, fraction in parts.items())
            raise _core.ConfigError(f"split({text}): fractions must be positive and leave rows for training")
        values = _split_values(by, "file", "order")
        return self._parts("split", [rest, *fractions], by == "file", values, by == "order")

    def k_fold(self, folds: int, *, by: Literal["file"] | Sequence[str] | None = None) -> list[tuple[Loader, Loader]]:
        """A pair of loaders, for training and for validation, for each of `folds` folds: the rows are parted evenly,
        `by` as for `split`, but not in order; one part is for validation, the others for training.
        """
        parts = self._parts("k_fold", folds, by == "file", _split_values(by, "file"))
        return list(zip(parts[::2], parts[1::2], strict=True))

    def balance(
        self,
        by: str | None = None,
        *,
        fractions: Mapping[str | int, float] | None = None,
        bins: Mapping[str, Sequence[float]] | None = None,
        rows: int | None = None,
        most_copies: float = 1,
    ) -> Loader:
        """A loader that gives the rows of each class as often as you say. Batches are balanced all through the epoch,
        nothing is loaded before, and each epoch gives as many rows of a class, of frequent classes others in turn:
        over epochs all rows of a class come equally often, or once more.

        ``train.balance()``
            The samples that the data set was opened with come equally often, as often as the smallest allows.
        ``train.balance("flavour", fractions={0: 0.5, 4: 0.25, 5: 0.25}, most_copies=3)``
            Classes are the values of a column, or formula, of whole numbers, one for each entry.
        ``train.balance(bins={"jet_pt": [200, 400, 600, 1000], "jet_eta": [-2.5, 0, 2.5]})``
            Inside each class all bins of this histogram come equally often.

        by
            A column or formula whose values are the classes; None: the samples are.
        fractions
            The share of each class in an epoch, by label or value; of all classes, with a sum of 1. None: equal.
        bins
            Columns, or formulas, of one number for each entry, and the edges of their bins: ascending, also infinite; a
            bin holds its lower edge, the last one both, as in ``numpy.histogram``. Rows outside, and such with NaN, are
            left out.
        rows
            Rows of an epoch, of all ranks. None: as many as possible where no row comes more than `most_copies` times
            on average. With bins that is not the emptiest bin's number: of a class each bin gives the 10 % quantile
            of its filled bins' rows, times `most_copies`.
        most_copies
            How often a row may come in an epoch, on average over its class or bin: 1 to 1,000. With 1 frequent classes
            are undersampled; with more, scarce ones are oversampled. A bin with too few rows for its share gives fewer.

        The rows are counted first, in one pass over the columns of `by` and `bins`; without these, and of a loader that
        is no part of a split by rows, values or conditions, from metadata. Several ranks, and restarts with others,
        need two bytes of memory for each counted entry. `explain` shows what comes of each class.

        Raises ConfigError where classes have other names, a class has no rows or too few for its share of `rows`, there
        are more than 65,535 classes or bins in all, or the loader is balanced already; SchemaError where a value is not
        one number for each entry. Balanced loaders can't be split: split first.
        """
        named = [
            (str(int(name) if isinstance(name, bool) else name), float(share))
            for name, share in (fractions or {}).items()
        ]
        edges = [(value, [float(edge) for edge in of_value]) for value, of_value in (bins or {}).items()]
        return self._parts("balance", by or "", named, edges, rows, float(most_copies))[0]

    def _parts(self, method: str, *arguments: Any) -> tuple[Loader, ...]:
        cores = _core_parts(self._current, method, arguments)
        return tuple(Loader(core, self._recipe.part(method, arguments, i)) for i, core in enumerate(cores))

    def share(self, worker: int, workers: int) -> Loader:
        """The loader of one of `workers` processes that make this loader's batches together: a rank of its own, with
        its share of rows, memory, shuffle buffer and threads, at the beginning of epoch `epoch`. Raises ConfigError
        where a worker's memory is too small.
        """
        core, whole = self._current, self._recipe
        if whole.finds_ranks:
            ranks = {"rank": core.rank, "world_size": core.world_size}
            whole = replace(whole, options={**whole.options, **ranks}, finds_ranks=False)
        loader = Loader(core.share(worker, workers), whole.part("share", (worker, workers), 0))
        loader._epoch = self._epoch
        return loader

    def state_dict(self) -> State:
        """Where the loader stands, as a few numbers for a checkpoint: after the last batch that the newest iteration
        gave (batches read ahead don't count), or before epoch `epoch`.
        """
        if self._stand is None:
            return self._current.state(self.epoch)
        return dict(self._stand) if isinstance(self._stand, dict) else self._stand.state

    def load_state_dict(self, state: State) -> None:
        """Goes on where a loader of the same data, features and options stood: the next iteration gives the rest of
        that epoch, bit for bit, reading again at most one window of the shuffle (two buffers of rows).

        Seed and buffer rows are taken from the state; threads, memory and paths may differ. The state of any rank will
        do, when all have been given as many batches. With another world size or batch size than the state's, the next
        iteration gives the rows that no rank has been given yet, each once, in a new order; all ranks must then load
        the same state. Raises ConfigError where the state is of another loader; the next iteration does where fewer
        rows than ranks are left.
        """
        self._made = self._current.with_order_of(state)
        order = {"seed": state["seed"], "buffer_rows": max(state["buffer_rows"], 1)}
        self._recipe = replace(self._recipe, options={**self._recipe.options, **order})
        self._stand = dict(state)
        self._epoch = int(state["epoch"])

    def skipped(self) -> list[_core.SkippedRange]:
        """What the epoch begun last has left out so far, with ``on_error="skip"``."""
        return self._running.skipped if self._running is not None else []

    def __reduce__(self) -> tuple[Any, ...]:
        current = self._current
        order = {"seed": current.seed}
        if self._recipe.finds_ranks:
            order |= {"rank": current.rank, "world_size": current.world_size}
        return _from_recipe, (self._recipe, order, self.state_dict())

    def explain(self) -> _core.Explanation:
        """What an epoch will do, from metadata alone; print it."""
        return self._current.explain()

    def stats(self) -> _core.LoaderStats | None:
        """Where the time of the epoch begun last went; None before the first."""
        return self._running.stats if self._running is not None else None

    def __repr__(self) -> str:
        tensors = ", ".join(f"{t.name} {_shape(t)} {t.dtype}" for t in self.tensors)
        return f"<Loader: {self.num_rows} rows in {len(self)} batches of {tensors}>"

    def _repr_html_(self) -> str:
        plan = self.explain()
        rows = [
            (
                tensor.name,
                tensor.dtype,
                _shape(tensor, plan.batch_size),
                ", ".join(tensor.channels),
            )
            for tensor in self.tensors
        ]
        title = f"{plan.rows:,} rows in {plan.batches:,} batches of {plan.batch_size:,}"
        batch = _html.table(title, ("tensor", "dtype", "shape", "channels"), rows)
        return f"{batch}<pre>{escape(str(plan))}</pre>"


def _shape(tensor: _core.TensorInfo, rows: int | None = None) -> str:
    """Of a batch of so many rows, or of one row."""
    extents: list[int | str] = [*tensor.shape]
    if tensor.axis == "N" and rows is not None:
        extents.insert(0, rows)
    elif tensor.axis == "N+1":
        extents.insert(0, "N+1" if rows is None else rows + 1)
    elif tensor.axis == "T":
        extents.insert(0, "T")
    return f"[{', '.join(map(str, extents))}]"
