"""The part of a data set that gives batches for training."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Literal

from . import _core
from ._dataset_reading import DatasetReading
from ._options import byte_count, thread_count
from ._ranks import find_ranks
from ._short_features import SHORT_DEFAULTS, short_spec
from .features import FeatureSpec
from .loader import Loader, Recipe

if TYPE_CHECKING:
    from .features import Variable, Variables


class DatasetTraining(DatasetReading):
    """The methods of `Dataset` for training."""

    def fit(self, spec: FeatureSpec, *, threads: int | None = None) -> FeatureSpec:
        """The specification with what had to be learnt filled in: ``"standard"``, ``"min_max"``, and ``pad="fit"``.

        One pass over all entries, as `scan`. Of a variable with several transforms, what is learnt is of the values
        that reach the one to be learnt; values beyond `pad` count too, NaN does not.

        Raises ConfigError when a variable has two such transforms, or no values to learn from.
        """
        return FeatureSpec._of(self._core.fit(spec._core, thread_count(threads)))

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
            features = short_spec(self._core, features, target, weights, pad, packed, pad_value, channels, dtype)
        elif (target, weights, pad, packed, pad_value, channels, dtype) != SHORT_DEFAULTS:
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
            "memory": None if memory is None else byte_count(memory),
            "cache": cache,
            "threads": thread_count(threads),
            "drop_remainder": drop_remainder,
            "buffer_rows": buffer_rows,
            "skip_errors": on_error == "skip",
            "rank": rank,
            "world_size": world_size,
        }
        recipe = Recipe(self, features, options, finds_ranks)
        return Loader(recipe.core(), recipe)
