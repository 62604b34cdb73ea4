"""Batches as PyTorch has them: tensors on a device, and a data set for `torch.utils.data.DataLoader`."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import IterableDataset, get_worker_info

from . import _core

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from .loader import Loader, State

    TorchBatch = dict[str, torch.Tensor]

_MOST_WORKERS = 1024


def on_device(
    batches: Iterator[TorchBatch],
    device: torch.device | str,
    stay: Collection[str],
    state: Callable[[], State],
    stand: Callable[[State | None], None],
) -> Iterator[TorchBatch]:
    """Batches on a device, each copied from pinned memory on a stream of its own while the one before is used; but for
    the tensors of the names in `stay`.

    An error of the batch that is copied ahead comes before the batch at hand is given. `stand` is called with the
    loader's `state` after the batch that is given, not after the one copied ahead.
    """
    device = torch.device(device)
    module: Any = getattr(torch, device.type, None)
    if not hasattr(module, "Stream"):  # such as Apple's
        for batch in batches:
            yield {name: tensor if name in stay else tensor.to(device) for name, tensor in batch.items()}
        return
    accelerated = device.type != "cpu"
    stream = module.Stream(device)
    ahead: deque[tuple[TorchBatch, Any, State]] = deque()

    def copy(name: str, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.pin_memory().to(device, non_blocking=True) if accelerated and name not in stay else tensor

    def copy_next() -> None:
        if (batch := next(batches, None)) is not None:
            with module.stream(stream):
                tensors = {name: copy(name, tensor) for name, tensor in batch.items()}
                ahead.append((tensors, stream.record_event(), state()))

    copy_next()
    while ahead:
        tensors, copied, after = ahead.popleft()
        copy_next()
        using = module.current_stream(device)
        using.wait_event(copied)
        if accelerated:
            for name, tensor in tensors.items():
                if name not in stay:
                    tensor.record_stream(using)
        stand(after)
        yield tensors
    stand(None)


class BatchDataset(IterableDataset):  # type: ignore[type-arg]
    """Whole batches for `torch.utils.data.DataLoader(dataset, batch_size=None)`; made by `Loader.torch_dataset`.

    Each worker process of a DataLoader (at most 1,024) reads its own share of the rows, with its share of the loader's
    memory, and gives as many batches as the others. Iterations are epochs, counted also when each has new worker
    processes.
    """

    def __init__(self, loader: Loader, num_workers: int) -> None:
        super().__init__()
        self._loader = loader
        self._num_workers = num_workers
        # The epoch that each worker gives next, in memory that worker processes share: of those that end, nothing else
        # is left.
        self._next = torch.full((_MOST_WORKERS,), loader.epoch, dtype=torch.int64)
        self._next.share_memory_()  # type: ignore[no-untyped-call]
        self._share: tuple[tuple[int, int], Loader] | None = (
            None  # of this process' worker: its number, and of how many
        )
        self._state: State | None = None
        stand = loader.state_dict()
        self._within = bool(stand["batches"] or stand["closed"])

    @property
    def epoch(self) -> int:
        """Number of the epoch that the next iteration gives; set it to repeat or to skip one."""
        return int(self._next[0])

    @epoch.setter
    def epoch(self, number: int) -> None:
        self._state = None
        self._loader.epoch = number
        self._next.fill_(number)

    def __len__(self) -> int:
        """Batches in an epoch; exact when the DataLoader has the `num_workers` that the data set was made for."""
        workers = max(self._num_workers, 1)
        return workers * len(self._loader.share(0, workers))

    def _worker_loader(self) -> tuple[int, int, Loader]:
        worker = get_worker_info()
        number, workers = (worker.id, worker.num_workers) if worker is not None else (0, 1)
        if workers > _MOST_WORKERS:
            raise _core.ConfigError(f"the DataLoader has {workers} workers, at most {_MOST_WORKERS} can be")
        if self._share is None or self._share[0] != (number, workers):
            if workers > 1 and self._within and int(self._next[number]) == self._loader.epoch:
                raise _core.ConfigError(
                    f"the loader stands within epoch {self._loader.epoch}, which {workers} workers can't go on with: "
                    "take no workers, or torchdata's StatefulDataLoader from the beginning of an epoch"
                )
            self._share = (number, workers), self._loader.share(number, workers) if workers > 1 else self._loader
        return number, workers, self._share[1]

    def __iter__(self) -> Iterator[TorchBatch]:
        number, workers, loader = self._worker_loader()
        if self._state is not None:
            loader.load_state_dict(self._state)
        elif loader.epoch != int(self._next[number]):
            loader.epoch = int(self._next[number])
        # For the workers that have this number when there are fewer of them, too.
        self._next[number::workers] = loader.epoch + 1
        return self._give(loader)

    def _give(self, loader: Loader) -> Iterator[TorchBatch]:
        self._state = None  # only now: an iterator may be made and thrown away
        yield from loader.torch()

    def state_dict(self) -> State:
        """Where this process' share stands (see `Loader.state_dict`): what `torchdata.stateful_dataloader` asks for."""
        if self._state is not None:
            return dict(self._state)
        return self._worker_loader()[2].state_dict()

    def load_state_dict(self, state: State) -> None:
        """The next iteration goes on from there."""
        self._state = dict(state)
        number, workers, _ = self._worker_loader()
        self._next[number::workers] = int(state["epoch"])
