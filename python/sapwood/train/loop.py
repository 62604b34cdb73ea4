"""The loop over epochs: early stopping, checkpoints, and what the training went through."""

from __future__ import annotations

import errno
import json
import math
import os
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from ._progress import Progress
from .metrics import Metrics, evaluate, finite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ..loader import Loader
    from .config import TrainingConfig
    from .trainers import Array, Batch, Trainer


@dataclass
class History:
    """What the training went through, epoch by epoch."""

    train_loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_auc: list[float] = field(default_factory=list)
    rows: int = 0  #: that were learnt from, over all epochs
    seconds: float = 0.0  #: of training, without validation
    waited: float = 0.0  #: of these for data
    best_epoch: int = 0
    stopped_early: bool = False


@dataclass
class Within:
    """How far an epoch has come."""

    batches: int = 0
    rows: int = 0
    loss_sum: float = 0.0  #: over these rows
    seconds: float = 0.0
    seen: list[int] = field(default_factory=list)  #: rows of each class


class Checkpoint:
    """A folder that holds the training, after epochs and within them: model, history, and where the loader stands.

    `identity` is what a training that goes on must have in common with the one that wrote it. Raises IoError where the
    folder can't be made.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        self._folder = folder
        self._identity = identity
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _core.IoError(f"can't make the output folder {folder}: {error.strerror}") from None

    def clear(self) -> None:
        """Forgets an earlier training."""
        for path in (self._folder / "state.json", *self._models(), *self._folder.glob("*.new")):
            path.unlink(missing_ok=True)

    def best(self, history: History) -> Path:
        """The model of the epoch with the lowest validation loss."""
        return self._folder / f"best-{history.best_epoch + 1}.model"

    def write(self, trainer: Trainer, history: History, loader: Loader, within: Within, *, better: bool) -> None:
        """After an epoch, or `within` one. What was there stays valid until the new one is whole and on the disk, so
        that the process may be killed at any moment. Raises IoError.
        """
        batches = f"-{within.batches}" if within.batches else ""
        model, best = self._folder / f"last-{len(history.val_loss)}{batches}.model", self.best(history)
        state = {
            **self._identity,
            "loader": loader.state_dict(),
            "history": {name: _plain(value) for name, value in asdict(history).items()},
            "within": asdict(within),
            "file": model.name,
        }
        text = json.dumps(state, indent=1, allow_nan=False)
        try:
            self._replace(model, trainer.save)
            if better:
                self._replace(best, trainer.save)
            # Names the other files, which are of no other state: with it the new checkpoint takes the old one's place.
            self._replace(self._folder / "state.json", lambda path: path.write_text(text, encoding="utf-8"))
            for old in self._models():
                if old not in (model, best):
                    old.unlink(missing_ok=True)
        except (OSError, RuntimeError) as error:  # RuntimeError: PyTorch's, for a full disk
            for unfinished in self._folder.glob("*.new"):
                unfinished.unlink(missing_ok=True)
            raise _core.IoError(f"can't write the checkpoint in {self._folder}: {error}") from error

    def _models(self) -> list[Path]:
        return [*self._folder.glob("last-*.model"), *self._folder.glob("best-*.model")]

    def _replace(self, path: Path, write: Callable[[Path], Any]) -> None:
        """The file is there whole or as it was, also when the power fails."""
        new = path.with_name(f"{path.name}.new")
        write(new)
        _to_disk(new)
        new.replace(path)
        _to_disk(self._folder)

    def read(self, trainer: Trainer, loader: Loader) -> tuple[History, Within] | None:
        """Where the training goes on, when there is a checkpoint. Raises ConfigError when it is of another one,
        FormatError when it is damaged.
        """
        path = self._folder / "state.json"
        if not path.exists():
            return None
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            history = History(**{name: _restored(value) for name, value in state["history"].items()})
            within = Within(**state["within"])
            stand, model = state["loader"], self._folder / state["file"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _core.FormatError(f"the checkpoint {path} is damaged: {error}") from error
        for key, value in self._identity.items():
            if state.get(key) != value:
                raise _core.ConfigError(
                    f"the checkpoint in {self._folder} is of another training: {key}: {state.get(key)}, here {value}"
                )
        loader.load_state_dict(stand)
        self.load(trainer, model)
        return history, within

    def load(self, trainer: Trainer, model: Path) -> None:
        """The model of a checkpoint. Raises FormatError when it is damaged."""
        try:
            trainer.load(model)
        except Exception as error:  # of all kinds that frameworks raise
            raise _core.FormatError(f"the checkpoint's model {model} can't be loaded: {error}") from error


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems have no such thing for folders
            raise
    finally:
        os.close(descriptor)


def _plain(value: Any) -> Any:
    return [finite(item) for item in value] if isinstance(value, list) else value


def _restored(value: Any) -> Any:
    return [math.nan if item is None else item for item in value] if isinstance(value, list) else value


def fit(
    trainer: Trainer,
    train: Loader,
    validation: Loader,
    classes: list[str],
    config: TrainingConfig,
    checkpoint: Checkpoint,
    *,
    resume: bool = False,
) -> History:
    """Trains; the model has the weights of the epoch with the lowest validation loss in the end."""
    by_chunk = config.epochs_per == "chunk"
    if config.epochs_per not in ("chunk", "epoch") or (by_chunk and (trainer.whole or not config.chunk_size)):
        raise _core.ConfigError(
            f"epochs_per is '{config.epochs_per}': 'epoch', or 'chunk' with a chunk_size and a model taught in steps"
        )
    if config.checkpoint_batches is not None and (by_chunk or trainer.whole):
        raise _core.ConfigError("checkpoint_batches is for models taught in steps, and for epochs_per 'epoch'")
    if not resume:
        checkpoint.clear()
    epochs = 1 if trainer.whole or by_chunk else config.epochs
    trainer.begin(config, len(train))
    history, within = (checkpoint.read(trainer, train) if resume else None) or (History(), Within())
    for epoch in range(len(history.val_loss), epochs):
        if _has_stopped(history, config):
            break
        title = f"epoch {epoch + 1:>2}/{epochs}"
        _train_epoch(trainer, train, validation, title, history, within, classes, config, checkpoint)
        within = Within()
        known = [loss for loss in history.val_loss if not math.isnan(loss)]
        better = epoch == 0 or history.val_loss[-1] == min(known, default=math.nan)
        if better:
            history.best_epoch = epoch
        history.stopped_early = _has_stopped(history, config) and epoch + 1 < epochs
        checkpoint.write(trainer, history, train, within, better=better)
    if not trainer.whole and history.best_epoch != len(history.val_loss) - 1:
        checkpoint.load(trainer, checkpoint.best(history))
    return history


def _has_stopped(history: History, config: TrainingConfig) -> bool:
    behind = len(history.val_loss) - 1 - history.best_epoch
    return config.patience is not None and len(history.val_loss) > 0 and behind >= config.patience


def _train_epoch(
    trainer: Trainer,
    train: Loader,
    validation: Loader,
    title: str,
    history: History,
    within: Within,
    classes: list[str],
    config: TrainingConfig,
    checkpoint: Checkpoint,
) -> None:
    """An epoch, or what is left of it after `within`."""
    begin = time.perf_counter() - within.seconds
    by_chunk = config.epochs_per == "chunk"
    chunk_rows, repeats = (config.chunk_size or 0, config.epochs) if by_chunk else (0, 1)
    progress = Progress(title, train.num_rows * repeats, within.rows, within.loss_sum)
    validation.epoch = train.epoch  # the same order, resumed or not
    seen = np.array(within.seen or [0] * len(classes), np.int64)
    written = time.monotonic()
    for batch in _repeated(_timed(trainer.feed(train), history), chunk_rows, repeats):
        seen += _counts(batch, classes)
        loss = trainer.step(batch)
        if not trainer.whole and not math.isfinite(loss):
            raise _core.ModelError(_why_not_finite(loss, batch))
        progress.add(len(batch["target"]), loss)
        within.batches += 1
        # Rows that a chunk repeats, or a model gathers, are behind the loader, and not in the model's state.
        if not by_chunk and not trainer.whole and _is_due(config, within.batches, written):
            within.rows, within.loss_sum, within.seen = progress.rows, progress.loss_sum, seen.tolist()
            within.seconds = time.perf_counter() - begin
            checkpoint.write(trainer, history, train, within, better=False)
            written = time.monotonic()
    if not seen.all():
        raise _core.ConfigError(f"of {seen.sum()} rows to train on none is of class '{classes[int(seen.argmin())]}'")
    trainer.end_epoch()
    history.seconds += time.perf_counter() - begin
    history.rows += progress.rows
    metrics = test(trainer, validation, classes)[0]
    history.train_loss.append(progress.loss if not trainer.whole else test(trainer, train, classes)[0].loss)
    history.val_loss.append(metrics.loss)
    history.val_auc.append(metrics.auc if metrics.rows else math.nan)
    progress.close(f"  validation {metrics.loss:.4f}  AUC {history.val_auc[-1]:.4f}" if metrics.rows else "")


def _is_due(config: TrainingConfig, batches: int, written: float) -> bool:
    """Whether to write a checkpoint after so many batches of an epoch, the last one having been `written` then."""
    if config.checkpoint_batches is not None and batches % config.checkpoint_batches == 0:
        return True
    return config.checkpoint_minutes is not None and time.monotonic() - written >= 60 * config.checkpoint_minutes


def _counts(batch: Batch, classes: list[str]) -> Array:
    """Rows of each class. Raises ConfigError for labels that are no classes, weights that are no weights."""
    labels = as_numpy(batch["target"])
    if labels.min() < 0 or labels.max() >= len(classes):
        raise _core.ConfigError(
            f"the target holds {labels.min()} to {labels.max()}, where {len(classes)} classes have the labels 0 to "
            f"{len(classes) - 1}"
        )
    if "weights" in batch and not 0 < as_numpy(batch["weights"]).sum() < math.inf:
        raise _core.ConfigError(
            f"the weights of a batch of {len(labels)} rows sum to {as_numpy(batch['weights']).sum()}, must be above 0"
        )
    return np.bincount(labels.astype(np.int64), minlength=len(classes))


def _why_not_finite(loss: float, batch: Batch) -> str:
    bad = [name for name, values in batch.items() if not np.isfinite(as_numpy(values)).all()]
    if not bad:
        return f"the loss is {loss} though all inputs are finite: a smaller learning rate may help"
    remedy = "{replace_nan: 0} among a variable's transforms puts a number there"
    return f"the loss is {loss}: there are NaN or infinities in {', '.join(bad)}; {remedy}"


def as_numpy(values: Any) -> Array:
    """A tensor of any framework as a NumPy array."""
    return np.asarray(values.cpu() if hasattr(values, "cpu") else values)


def _timed(batches: Iterator[Batch], history: History) -> Iterator[Batch]:
    """The batches; the time spent waiting for them goes to the history."""
    while True:
        begin = time.perf_counter()
        batch = next(batches, None)
        history.waited += time.perf_counter() - begin
        if batch is None:
            return
        yield batch


def _repeated(batches: Iterator[Batch], chunk_rows: int, repeats: int) -> Iterator[Batch]:
    """Batches as they come; or each run of about `chunk_rows` rows several times before the next."""
    if repeats == 1:
        yield from batches
        return
    chunk: list[Batch] = []
    for batch in batches:
        chunk.append(batch)
        if sum(len(part["target"]) for part in chunk) >= chunk_rows:
            yield from chunk * repeats
            chunk = []
    yield from chunk * repeats


def test(trainer: Trainer, loader: Loader, classes: list[str]) -> tuple[Metrics, Array, Array, Array | None]:
    """(metrics, probabilities [N, K], labels [N], weights [N]) over one epoch of a loader."""
    probabilities, labels, weights = [], [], []
    for batch in trainer.feed(loader):
        probabilities.append(trainer.probabilities(batch))
        _counts(batch, classes)
        labels.append(as_numpy(batch["target"]))
        if "weights" in batch:
            weights.append(as_numpy(batch["weights"]))
    if not labels:
        nothing, none = np.zeros((0, len(classes))), np.zeros(0, np.int64)
        return evaluate(nothing, none, classes), nothing, none, None
    all_weights = np.concatenate(weights) if weights else None
    scores, truth = np.concatenate(probabilities), np.concatenate(labels).astype(np.int64)
    return evaluate(scores, truth, classes, all_weights), scores, truth, all_weights
