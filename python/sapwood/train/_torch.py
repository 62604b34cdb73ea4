"""Training of PyTorch modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from .. import _core
from .trainers import Trainer, arguments_of, takes_one_matrix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ..loader import Loader
    from .config import TrainingConfig
    from .trainers import Array, Batch


class Probabilities(nn.Module):
    """A module whose logits become probabilities [N, K]; one logit stands for the second of two classes."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        logits = self.model(*inputs)
        if logits.ndim == 1:
            logits = logits.unsqueeze(1)
        if logits.shape[1] == 1:
            second = torch.sigmoid(logits)
            return torch.cat([1 - second, second], 1)
        return torch.softmax(logits, 1)


class SideBySide(nn.Module):
    """A module of one matrix, [N, F], that takes all tensors."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        flat = [tensor.float().reshape(tensor.shape[0], -1) for tensor in inputs]
        result: torch.Tensor = self.model(torch.cat(flat, 1))
        return result


class TorchTrainer(Trainer):
    """A module that gives logits: [N] or [N, 1] for two classes, else [N, K].

    It takes the tensors that its parameters name; one matrix, if it has one parameter of another name; or all tensors.
    """

    framework = f"PyTorch {torch.__version__}"

    def __init__(self, model: nn.Module, tensors: Sequence[_core.TensorInfo], num_classes: int) -> None:
        super().__init__(model, tensors, num_classes)
        self._network = SideBySide(model) if takes_one_matrix(model.forward, self.inputs) else model
        self.inputs = arguments_of(model.forward, self.inputs)
        self._device = torch.device("cpu")

    def feed(self, loader: Loader) -> Iterator[Batch]:
        return loader.torch(self._device if self._device.type != "cpu" else None)

    def begin(self, config: TrainingConfig, steps_per_epoch: int) -> None:
        try:
            self._device = torch.device(config.device or ("cuda" if torch.cuda.is_available() else "cpu"))
            self.model.to(self._device)
        except (RuntimeError, AssertionError) as error:
            raise _core.ConfigError(f"device '{config.device}': {str(error).splitlines()[0]}") from None
        torch.manual_seed(config.seed)
        self._optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer, max_lr=3 * config.learning_rate, total_steps=max(1, config.epochs * steps_per_epoch)
        )

    def step(self, batch: Batch) -> float:
        self.model.train()
        target = batch["target"].long()
        losses = self._losses(self._logits(batch), target)
        weights = batch.get("weights")
        loss = losses.mean() if weights is None else (losses * weights).sum() / weights.sum()
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        if self._schedule.last_epoch < self._schedule.total_steps - 1:
            self._schedule.step()
        return float(loss.item())

    def _logits(self, batch: Batch) -> torch.Tensor:
        logits: torch.Tensor = self._network(*(batch[name] for name in self.inputs))
        columns = 1 if logits.ndim == 1 else logits.shape[1]
        if columns != self.num_classes and not (columns == 1 and self.num_classes == 2):
            raise _core.ModelError(f"the model gives {columns} logits for {self.num_classes} classes")
        return logits

    def _losses(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if logits.ndim == 1 or logits.shape[1] == 1:
            return nn.functional.binary_cross_entropy_with_logits(logits.reshape(-1), target.float(), reduction="none")
        return nn.functional.cross_entropy(logits, target, reduction="none")

    @torch.no_grad()
    def probabilities(self, batch: Batch) -> Array:
        self.model.eval()
        result: Array = Probabilities(self._network)(*(batch[name] for name in self.inputs)).cpu().numpy()
        return result

    def save(self, path: Path) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "random": torch.get_rng_state(),
        }
        torch.save(state, path)

    def load(self, path: Path) -> None:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        # More epochs than planned make a longer schedule, which goes on where the shorter one stood.
        passed = {key: state["schedule"][key] for key in ("last_epoch", "_step_count", "_last_lr")}
        self._schedule.load_state_dict({**self._schedule.state_dict(), **passed})
        torch.set_rng_state(state["random"])

    def exported(self) -> Any:
        return Probabilities(self._network).eval().cpu()

    def options(self) -> str:
        return str(self.model)

    def describe(self) -> str:
        parameters = sum(parameter.numel() for parameter in self.model.parameters())
        return f"{type(self.model).__name__} of {parameters:,} parameters"
