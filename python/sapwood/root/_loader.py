"""The loader of ROOT 6.40 and later."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from .._export import whole_file
from ..dataset import Dataset
from ..loader import Loader
from ._errors import OptionError, option_errors
from ._layout import Layout, plan_layout
from ._sampling import Sampling
from ._source import open_source

if TYPE_CHECKING:
    import torch

    Batches = Iterator[dict[str, Any]]


class FormattedLoader:
    """The batches of an `RDataLoader`, each iteration one epoch: ``x``, or ``(x, y)``, or ``(x, y, w)``."""

    def __init__(self, loader: Loader, shuffle: bool, batches: Callable[[], Batches]) -> None:
        self._loader = loader
        self._shuffle = shuffle
        self._batches = batches

    def __iter__(self) -> Iterator[Any]:
        if not self._shuffle:
            self._loader.epoch = 0  # of a sampled loader each epoch would have other rows
        for batch in self._batches():
            tensors = tuple(batch.values())
            yield tensors if len(tensors) > 1 else tensors[0]

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self._loader)


@dataclass(frozen=True)
class _Plan:
    """What the parts of a split share."""

    layout: Layout
    sampling: Sampling
    shuffle: bool
    batch_size: int
    drop_remainder: bool


class RDataLoader:
    """What ``ROOT.Experimental.ML.RDataLoader`` is, on sapwood's loader: float32 batches ``x [B, F]``; with a target
    also ``y [B, T]``; with weights also ``w [B, 1]``.

    rdataframes
        A `sapwood.Dataset`, an ``RDataFrame`` (or what its filters and definitions give), or a list of either.
    batch_size, drop_remainder
        Rows of a batch; whether the last one is left out when it is not full.
    batches_in_memory
        Without effect: the shuffle buffer holds as many rows as fit into 1 GB.
    columns
        Columns to load, all when not given. Targets and weights need not be among them.
    max_vec_sizes, vec_padding
        How many items to take of each list column ``v`` (or one number for all): they become columns ``v_0``, ``v_1``,
        ...; shorter lists are filled up with `vec_padding`, longer ones cut.
    target, weights
        Columns, or items of list columns such as ``v_0``. Weights need a target.
    shuffle, set_seed
        Each epoch has an order of its own, the same for the same seed; 0: one is drawn. Without shuffling rows stay in
        the order of the files, and all epochs are alike.
    load_eager
        All rows stay in memory after the first epoch, whatever they take, and the shuffle is a full permutation. Each
        of several data frames is split by itself.
    sampling_type, sampling_ratio, replacement
        ``"undersampling"`` leaves rows of the larger one of two data frames out, ``"oversampling"`` gives rows of the
        smaller one several times, so that the smaller one has `sampling_ratio` times as many rows in an epoch as the
        larger one. With `replacement` undersampling may give rows of the larger one several times too.

    Raises OptionError, which is a ConfigError and a ValueError; and what `sapwood.open` raises.
    """

    def __init__(
        self,
        rdataframes: Any,
        batch_size: int = 64,
        batches_in_memory: int = 10,  # noqa: ARG002
        columns: str | Sequence[str] | None = None,
        max_vec_sizes: Mapping[str, int] | int | None = None,
        vec_padding: float = 0.0,
        target: str | Sequence[str] | None = None,
        weights: str = "",
        shuffle: bool = True,
        drop_remainder: bool = True,
        set_seed: int = 0,
        load_eager: bool = False,
        sampling_type: str = "",
        sampling_ratio: float = 1.0,
        replacement: bool = False,
    ) -> None:
        with option_errors():
            sampling = Sampling(sampling_type, sampling_ratio, replacement)
            if sampling_type and not shuffle and isinstance(rdataframes, (list, tuple)):
                # As ROOT puts them one after the other.
                largest_first = sampling_type == "undersampling"
                rdataframes = sorted(rdataframes, key=lambda of: open_source(of).count(), reverse=largest_first)
            dataset = open_source(rdataframes, apart=load_eager or bool(sampling_type))
            layout = plan_layout(
                dataset,
                _listed(columns) or _all_columns(rdataframes, dataset),
                {} if max_vec_sizes is None else max_vec_sizes,
                float(vec_padding),
                _listed(target),
                weights,
            )
            loader = dataset.loader(
                layout.features,
                batch_size=batch_size,
                shuffle=shuffle,
                seed=set_seed or (None if shuffle else 0),
                memory=None if load_eager else "1 GB",
                drop_remainder=drop_remainder,
            )
        self._settle(loader, _Plan(layout, sampling, shuffle, batch_size, drop_remainder))

    def _settle(self, unsampled: Loader, plan: _Plan) -> None:
        self._unsampled = unsampled
        self._plan = plan

    @cached_property
    def loader(self) -> Loader:
        """The `sapwood.Loader` beneath, with all that it can do besides: ``explain``, ``state_dict``, ranks."""
        with option_errors():
            return self._plan.sampling.apply(self._unsampled)

    def train_test_split(self, test_size: float = 0.2) -> tuple[RDataLoader, RDataLoader]:
        """A loader of the rows for training, and one of the ``int(test_size * n)`` of n rows for testing: drawn with
        the seed, of filtered data so many on average; or the last ones exactly, when nothing is shuffled.

        Raises OptionError: `test_size` is not between 0 and 1; a part would get no rows; and where sampling asks for
        more rows than there are.
        """
        if not 0 < test_size < 1:
            raise OptionError(f"test_size is {test_size}, must be between 0 and 1")
        with option_errors():
            loaders = self._unsampled.split(by=None if self._plan.shuffle else "order", test=test_size)
        train, test = RDataLoader.__new__(RDataLoader), RDataLoader.__new__(RDataLoader)
        for part, loader in zip((train, test), loaders, strict=True):
            part._settle(loader, self._plan)
            _ = part.loader  # where sampling fails, it does so here
        return train, test

    def _formatted(self, batches: Callable[[], Batches]) -> FormattedLoader:
        return FormattedLoader(self.loader, self._plan.shuffle, batches)

    def as_numpy(self) -> FormattedLoader:
        """Batches of NumPy arrays."""
        return self._formatted(self.loader.numpy)

    def as_torch(self, device: torch.device | str | None = None) -> FormattedLoader:
        """Batches of PyTorch tensors, on a device when that is given."""
        loader = self.loader
        return self._formatted(lambda: loader.torch(device))

    def as_jax(self, device: Any = None) -> FormattedLoader:
        """Batches of JAX arrays, on a device when that is given."""
        import jax

        def batches() -> Batches:
            for batch in self.loader.numpy():
                yield {name: jax.device_put(array, device) for name, array in batch.items()}

        return self._formatted(batches)

    def as_tensorflow(self) -> Any:
        """A ``tf.data.Dataset`` of the batches, each iteration one epoch. The last batch may be shorter than the others
        (ROOT fills it up with zeros).
        """
        import tensorflow as tf

        rows = self._plan.batch_size if self._plan.drop_remainder else None
        specs = tuple(tf.TensorSpec((rows, len(of.channels)), tf.float32) for of in self.loader.tensors)
        batches = self.as_numpy()
        signature = specs if len(specs) > 1 else specs[0]
        return tf.data.Dataset.from_generator(lambda: batches, output_signature=signature)

    def save(
        self,
        tree_name: str,
        file_name: str | os.PathLike[str],
        output_format: Literal["ttree", "rntuple"] = "ttree",
    ) -> None:
        """Writes the rows of one epoch, in its order, to a ROOT file, by the package uproot. Columns have their names,
        a list column is a fixed array of float32, filled up and cut: the file can be loaded with the same options.

        Raises OptionError: no such format. IoError: the file can't be written.
        """
        if output_format not in ("ttree", "rntuple"):
            raise OptionError(f"output_format is {output_format!r}, must be 'ttree' or 'rntuple'")
        import numpy as np
        import uproot

        tensors = self.loader.tensors
        with whole_file(file_name) as temporary, uproot.recreate(temporary) as file:
            make = file.mktree if output_format == "ttree" else file.mkrntuple
            items = self._plan.layout.items
            shapes = {name: (len(of),) if of != [name] else () for name, of in items.items()}
            tree = make(tree_name, {name: (np.dtype(np.float32), shape) for name, shape in shapes.items()})
            for batch in self.loader.numpy():
                each = {name: batch[of.name][:, i] for of in tensors for i, name in enumerate(of.channels)}
                rows = {name: np.stack([each[item] for item in of], axis=1) for name, of in items.items()}
                tree.extend({name: array.reshape(-1, *shapes[name]) for name, array in rows.items()})

    @property
    def columns(self) -> list[str]:
        """All columns, as they stand in the batches: items of lists, targets and weights among them."""
        return list(self._plan.layout.columns)

    @property
    def train_columns(self) -> list[str]:
        """The columns of ``x``."""
        return list(self._plan.layout.train)

    @property
    def feature_columns(self) -> list[str]:
        """The columns of ``x``: the name that later releases of ROOT have for it."""
        return self.train_columns

    @property
    def target_columns(self) -> list[str]:
        """The columns of ``y``."""
        return list(self._plan.layout.target)

    @property
    def weights_column(self) -> str:
        """The column of ``w``, or ``""``."""
        return self._plan.layout.weights

    @property
    def num_batches(self) -> int:
        """Batches in an epoch; of filtered data they are counted first."""
        return len(self.loader)

    @property
    def last_batch_no_of_rows(self) -> int:
        """Rows of the last batch when it is not full, else 0."""
        return self.loader.num_rows % self._plan.batch_size


def _listed(names: str | Sequence[str] | None) -> list[str]:
    return [names] if names and isinstance(names, str) else list(names or ())


def _all_columns(frames: Any, dataset: Dataset) -> list[str]:
    """Without the label that samples of a list get."""
    if isinstance(frames, (list, tuple)):
        return [name for name in dataset.columns if name != "sample_label"]
    return dataset.columns
