"""The loop over epochs: early stopping, checkpoints, and what the training went through."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from ._progress import Progress
from .metrics import Metrics, evaluate

if TYPE_CHECKING:
    from collections.abc import Iterator
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


class Checkpoint:
    """A folder that holds the training after each epoch: model, history, and where the loader stands."""

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        self._folder = folder
        self._identity = identity

    @property
    def best(self) -> Path:
        """The model of the epoch with the lowest validation loss."""
        return self._folder / "best.model"

    def write(self, trainer: Trainer, history: History, loader: Loader, *, better: bool) -> None:
        """After an epoch. What was there stays whole until the new one is."""
        self._folder.mkdir(parents=True, exist_ok=True)
        model = self._folder / f"last-{loader.epoch}.model"
        trainer.save(model)
        if better:
            trainer.save(self._folder / "best.new")
            (self._folder / "best.new").replace(self.best)
        state = {
            **self._identity,
            "loader": {"seed": loader.seed, "epoch": loader.epoch, "batch": 0},
            "history": asdict(history),
            "file": model.name,
        }
        (self._folder / "state.new").write_text(json.dumps(state, indent=1), encoding="utf-8")
        (self._folder / "state.new").replace(self._folder / "state.json")
        for old in self._folder.glob("last-*.model"):
            if old != model:
                old.unlink()

    def read(self, trainer: Trainer, loader: Loader) -> History | None:
        """Where the training goes on, when there is a checkpoint. Raises ConfigError when it is of another one."""
        path = self._folder / "state.json"
        if not path.exists():
            return None
        state = json.loads(path.read_text(encoding="utf-8"))
        for key, value in {**self._identity, "seed": loader.seed}.items():
            known = state["loader"]["seed"] if key == "seed" else state.get(key)
            if known != value:
                raise _core.ConfigError(f"the checkpoint in {self._folder} is of another training: its {key} differs")
        trainer.load(self._folder / state["file"])
        loader.epoch = state["loader"]["epoch"]
        return History(**state["history"])


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
    epochs = 1 if trainer.whole or by_chunk else config.epochs
    chunk_rows, repeats = (config.chunk_size or 0, config.epochs) if by_chunk else (0, 1)
    trainer.begin(config, len(train))
    history = (checkpoint.read(trainer, train) if resume else None) or History()
    for epoch in range(len(history.val_loss), epochs):
        if _has_stopped(history, config):
            break
        title = f"epoch {epoch + 1:>2}/{epochs}"
        _train_epoch(trainer, train, title, history, classes, validation, chunk_rows, repeats)
        better = not math.isnan(history.val_loss[-1]) and history.val_loss[-1] == min(history.val_loss)
        if better or epoch == 0:
            history.best_epoch = epoch
        checkpoint.write(trainer, history, train, better=better or epoch == 0)
        history.stopped_early = _has_stopped(history, config) and epoch + 1 < epochs
    if not trainer.whole and history.best_epoch != len(history.val_loss) - 1:
        trainer.load(checkpoint.best)
    return history


def _has_stopped(history: History, config: TrainingConfig) -> bool:
    behind = len(history.val_loss) - 1 - history.best_epoch
    return config.patience is not None and len(history.val_loss) > 0 and behind >= config.patience


def _train_epoch(
    trainer: Trainer,
    train: Loader,
    title: str,
    history: History,
    classes: list[str],
    validation: Loader,
    chunk_rows: int,
    repeats: int,
) -> None:
    begin = time.perf_counter()
    progress = Progress(title, train.num_rows * repeats)
    for batch in _repeated(_timed(trainer.feed(train), history), chunk_rows, repeats):
        progress.add(len(batch["target"]), trainer.step(batch))
    trainer.end_epoch()
    history.seconds += time.perf_counter() - begin
    history.rows += progress.rows
    metrics = test(trainer, validation, classes)[0]
    history.train_loss.append(progress.loss if not trainer.whole else test(trainer, train, classes)[0].loss)
    history.val_loss.append(metrics.loss)
    history.val_auc.append(metrics.auc if metrics.rows else math.nan)
    progress.close(f"  validation {metrics.loss:.4f}  AUC {history.val_auc[-1]:.4f}" if metrics.rows else "")


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
        labels.append(np.asarray(batch["target"].cpu() if hasattr(batch["target"], "cpu") else batch["target"]))
        if "weights" in batch:
            weights.append(np.asarray(batch["weights"].cpu() if hasattr(batch["weights"], "cpu") else batch["weights"]))
    if not labels:
        nothing, none = np.zeros((0, len(classes))), np.zeros(0, np.int64)
        return evaluate(nothing, none, classes), nothing, none, None
    all_weights = np.concatenate(weights) if weights else None
    scores, truth = np.concatenate(probabilities), np.concatenate(labels).astype(np.int64)
    return evaluate(scores, truth, classes, all_weights), scores, truth, all_weights
