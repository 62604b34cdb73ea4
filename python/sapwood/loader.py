"""Batches for training."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from . import _core, _html

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pyarrow
    import torch

    from ._torch import BatchDataset
    from .dataset import Dataset
    from .features import FeatureSpec

    NumpyBatch = dict[str, np.ndarray[Any, np.dtype[Any]]]
    State = dict[str, Any]


@dataclass(frozen=True)
class Recipe:
    """What a loader is made of, for another process to make it again."""

    dataset: Dataset
    features: FeatureSpec
    options: dict[str, Any]

    def core(self, **options: Any) -> _core.Loader:
        """A loader, with other options when given."""
        return _core.Loader(self.dataset._core, self.features._core, **{**self.options, **options})


def _from_recipe(recipe: Recipe, seed: int, part: list[tuple[float, float]], state: State) -> Loader:
    loader = Loader(recipe.core(seed=seed).of_part(part), recipe)
    loader.load_state_dict(state)
    return loader


class Loader:
    """Batches of a data set, as dicts of tensor name to array; made by `Dataset.loader`.

    Each iteration is one epoch: every row once, in an order that depends on data, features, seed, epoch and buffer rows
    alone. The reading threads belong to the iterator and end with it, also when it is dropped half-way.
    """

    def __init__(self, core: _core.Loader, recipe: Recipe) -> None:
        self._core = core
        self._recipe = recipe
        self._running: _core.Epoch | None = None
        # Where it stands: a state to go on from, in a running epoch, or (None) before `epoch`.
        self._stand: State | _core.Epoch | None = None
        #: Number of the epoch that the next iteration gives; set it to repeat or to skip one.
        self.epoch = 0

    @property
    def seed(self) -> int:
        """The seed, also when it was drawn."""
        return self._core.seed

    @property
    def rank(self) -> int:
        """Which of `world_size` processes this loader is for."""
        return self._core.rank

    @property
    def world_size(self) -> int:
        """The processes that share the rows of an epoch."""
        return self._core.world_size

    @property
    def num_rows(self) -> int:
        """Rows of this rank in an epoch."""
        return self._core.num_rows

    @property
    def tensors(self) -> list[_core.TensorInfo]:
        """Name, dtype, shape (of one row) and channels of each tensor of a batch."""
        return self._core.tensors

    def __len__(self) -> int:
        """Batches in an epoch; exact, and the same on each rank."""
        return self._core.num_batches

    def numpy(self) -> Iterator[NumpyBatch]:
        """The next epoch, as NumPy arrays that share the loader's memory."""
        names = [tensor.name for tensor in self.tensors]
        stand, self._stand = self._stand, None
        if isinstance(stand, dict) and stand["epoch"] == self.epoch:
            running = self._core.resume(stand)
        else:
            running = self._core.epoch(self.epoch)
        self._running = running
        self.epoch += 1
        try:
            while (arrays := running.next()) is not None:
                if self._running is running:
                    self._stand = running
                yield dict(zip(names, arrays, strict=True))
            if self._running is running:
                self._stand = None
        finally:
            running.close()

    def torch(self, device: torch.device | str | None = None) -> Iterator[dict[str, torch.Tensor]]:
        """The next epoch, as PyTorch tensors that share the loader's memory; copied to `device` when that is given.

        To a GPU the next batch is copied from pinned memory, on a stream of its own, while one is used. The state
        (`state_dict`) does not count batches that are copied ahead.
        """
        import torch

        from . import _torch

        batches = self.numpy()
        if device is None:
            return map(_torch.tensors_of, batches)
        return _torch.on_device(batches, torch.device(device), self.state_dict, self._stand_at)

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
        has more than one number. Shares the loader's memory, but for bool, which Arrow packs.
        """
        from ._arrow import record_batch

        for batch in self.numpy():
            yield record_batch(batch)

    def __iter__(self) -> Iterator[NumpyBatch]:
        return self.numpy()

    def split(self, **fractions: float) -> tuple[Loader, ...]:
        """Loaders for disjoint parts of the rows: first the rest (for training), then one for each named fraction.

        ``train, val = loader.split(val=0.2)``; ``train, val, test = loader.split(val=0.16, test=0.2)``. Rows are
        drawn one by one with the seed, so that the parts' sizes are the fractions only on average. Each part that is
        iterated reads what it needs.
        """
        rest = 1 - sum(fractions.values())
        if not fractions or any(fraction <= 0 for fraction in fractions.values()) or rest <= 1e-9:
            text = ", ".join(f"{name}={fraction}" for name, fraction in fractions.items())
            raise _core.ConfigError(f"split({text}): fractions must be positive and leave rows for training")
        return tuple(Loader(part, self._recipe) for part in self._core.split([rest, *fractions.values()]))

    def k_fold(self, folds: int) -> list[tuple[Loader, Loader]]:
        """A pair of loaders, for training and for validation, for each of `folds` folds: the rows are parted evenly,
        one by one with the seed; one part is for validation, the others for training.
        """
        return [(Loader(train, self._recipe), Loader(val, self._recipe)) for train, val in self._core.k_fold(folds)]

    def share(self, worker: int, workers: int) -> Loader:
        """The loader of one of `workers` processes that make this loader's batches together: a rank of its own, with
        its share of rows, memory, shuffle buffer and threads.
        """
        return Loader(self._core.share(worker, workers), self._recipe)

    def state_dict(self) -> State:
        """Where the loader stands, as a few numbers for a checkpoint: after the last batch that the newest iteration
        gave (batches read ahead don't count), or before epoch `epoch`.
        """
        if self._stand is None:
            return self._core.state(self.epoch)
        return dict(self._stand) if isinstance(self._stand, dict) else self._stand.state

    def load_state_dict(self, state: State) -> None:
        """Goes on where a loader of the same data, features and options stood: the next iteration gives the rest of
        that epoch, bit for bit, reading again at most one window of the shuffle (two buffers of rows).

        Seed and buffer rows are taken from the state; threads, memory and paths may differ. The state of any rank will
        do, when all have been given as many batches. With another world size or batch size than the state's, the next
        iteration gives the rows that no rank has been given yet, each once, in a new order; all ranks must then load
        the same state. Raises ConfigError where the state is of another loader.
        """
        self._core = self._core.with_order_of(state)
        self._stand = dict(state)
        self.epoch = int(state["epoch"])

    def _stand_at(self, state: State | None) -> None:
        self._stand = state

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_recipe, (self._recipe, self.seed, self._core.part, self.state_dict())

    def explain(self) -> _core.Explanation:
        """What an epoch will do, from metadata alone; print it."""
        return self._core.explain()

    def stats(self) -> _core.LoaderStats | None:
        """Where the time of the epoch begun last went; None before the first."""
        return self._running.stats if self._running is not None else None

    def __repr__(self) -> str:
        tensors = ", ".join(f"{t.name} {list(t.shape)} {t.dtype}" for t in self.tensors)
        return f"<Loader: {self.num_rows} rows in {len(self)} batches of {tensors}>"

    def _repr_html_(self) -> str:
        plan = self.explain()
        rows = [
            (
                tensor.name,
                tensor.dtype,
                str([plan.batch_size, *tensor.shape]),
                ", ".join(tensor.channels),
            )
            for tensor in self.tensors
        ]
        title = f"{plan.rows:,} rows in {plan.batches:,} batches of {plan.batch_size:,}"
        batch = _html.table(title, ("tensor", "dtype", "shape", "channels"), rows)
        return f"{batch}<pre>{escape(str(plan))}</pre>"
