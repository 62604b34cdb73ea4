"""Batches for training."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from . import _core, _html, _tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import torch

    NumpyBatch = dict[str, np.ndarray[Any, np.dtype[Any]]]
    State = dict[str, int | float | bool]


class Loader:
    """Batches of a data set, as dicts of tensor name to array; made by `Dataset.loader`.

    Each iteration is one epoch: every row once, in an order that depends on data, features, seed, epoch and buffer rows
    alone. The reading threads belong to the iterator and end with it, also when it is dropped half-way.
    """

    def __init__(self, core: _core.Loader) -> None:
        self._core = core
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
    def num_rows(self) -> int:
        """Rows in an epoch."""
        return self._core.num_rows

    @property
    def tensors(self) -> list[_core.TensorInfo]:
        """Name, dtype, shape (of one row), axis and channels of each tensor of a batch."""
        return self._core.tensors

    def __len__(self) -> int:
        """Batches in an epoch; exact."""
        return self._core.num_batches

    def numpy(self) -> Iterator[NumpyBatch]:
        """The next epoch, as NumPy arrays that share the loader's memory.

        Raises ConfigError for bfloat16 where the package ``ml_dtypes`` is not installed.
        """
        yield from self._batches(_tensors.to_numpy)

    def _batches(self, adapter: Callable[[str], Callable[[Any], Any]]) -> Iterator[dict[str, Any]]:
        """The next epoch; `adapter` gives what makes the tensors of a dtype."""
        adapters = {tensor.name: adapter(tensor.dtype) for tensor in self.tensors}
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
                yield {name: make(array) for (name, make), array in zip(adapters.items(), arrays, strict=True)}
            if self._running is running:
                self._stand = None
        finally:
            running.close()

    def torch(self, device: torch.device | str | None = None) -> Iterator[dict[str, torch.Tensor]]:
        """The next epoch, as PyTorch tensors that share the loader's memory; copied to `device` when that is given, but
        for ``max_seqlen`` of packed groups, which kernels want as a number.
        """
        stay = {tensor.name for tensor in self.tensors if not tensor.axis}
        for batch in self._batches(_tensors.to_torch):
            if device is not None:
                for name, tensor in batch.items():
                    if name not in stay:
                        batch[name] = tensor.to(device, non_blocking=True)
            yield batch

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
        return tuple(Loader(part) for part in self._core.split([rest, *fractions.values()]))

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

        Seed and buffer rows are taken from the state; threads, memory and paths may differ. Raises ConfigError where
        the state is of another loader.
        """
        self._core = self._core.with_order_of(state)
        self._stand = dict(state)
        self.epoch = int(state["epoch"])

    def explain(self) -> _core.Explanation:
        """What an epoch will do, from metadata alone; print it."""
        return self._core.explain()

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
