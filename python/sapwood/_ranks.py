"""Which of several training processes this one is."""

from __future__ import annotations

import os
import sys

from . import _core


def find_ranks(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """Rank and world size: as given; of `torch.distributed` when it is initialised; of the variables that torchrun sets
    for its processes; or those of a single process.
    """
    if (rank is None) != (world_size is None):
        raise _core.ConfigError(f"rank is {rank} and world_size {world_size}: give both, or neither")
    if rank is not None and world_size is not None:
        return rank, world_size
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    if "TORCHELASTIC_RUN_ID" in os.environ:
        try:
            return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        except (KeyError, ValueError) as error:
            raise _core.ConfigError(f"torchrun's RANK and WORLD_SIZE can't be read: {error!r}") from None
    return 0, 1
