"""The same training outside sapwood's workflow: an independent preparation with uproot and NumPy, and plain loops.

Only the order of the rows is the loader's, so that both learn from the same batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

import sapwood as sw

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Prepared:
    """What MLaaS4HEP's two passes make of files, in the order of their labels."""

    inputs: Array  #: [N, F] float32: flat branches, slots of jagged ones, then the mask, 1 at values
    labels: Array  #: [N]
    identity: Array  #: [N, I]: the identifier's branches
    jagged: list[str]


def prepare(files: Sequence[tuple[Path, int]], tree: str, identifier: Sequence[str], events: int = -1) -> Prepared:
    """`events`: of each file's start so many that there are that many in all, in proportion; -1: all."""
    ordered = sorted(files, key=lambda file: file[1])
    arrays = [uproot.open(path)[tree].arrays() for path, _ in ordered]
    if events >= 0:
        total = sum(map(len, arrays))
        arrays = [array[: max(1, round(len(array) / total * events))] for array in arrays]
    labels = np.concatenate([np.full(len(array), label) for array, (_, label) in zip(arrays, ordered, strict=True)])
    joined = ak.concatenate(arrays)
    names = sorted(set(joined.fields) - set(identifier))
    jagged = [name for name in names if joined[name].ndim > 1]
    parts, masks = [], []
    for name in [*(name for name in names if name not in jagged), *jagged]:
        matrix = _matrix(joined[name])
        masks.append(~np.isnan(matrix))
        low, high = np.nanmin(matrix), np.nanmax(matrix)
        scaled = matrix if low == high else (matrix - low) / (high - low)
        parts.append(np.nan_to_num(scaled, nan=0.0))
    inputs = [*parts, *masks] if jagged else parts
    identity = np.stack([ak.to_numpy(joined[name]) for name in identifier], 1)
    return Prepared(np.concatenate(inputs, 1).astype(np.float32), labels, identity, jagged)


def _matrix(values: ak.Array) -> Array:
    """[N, slots] float64, NaN where there is no value."""
    if values.ndim == 1:
        return ak.to_numpy(values).astype(np.float64)[:, None]
    width = int(ak.max(ak.num(values)))
    padded = ak.pad_none(ak.values_astype(values, np.float64), width, clip=True)
    return np.asarray(ak.to_numpy(ak.fill_none(padded, np.nan)))


class Order:
    """The rows of `Prepared` in the batches that `sapwood workflow` trains on."""

    def __init__(
        self, data: sw.Dataset, features: sw.FeatureSpec, prepared: Prepared, identifier: Sequence[str], **options: Any
    ) -> None:
        observers = [{"name": "id", "variables": list(identifier), "dtype": "int64"}]
        spec = sw.FeatureSpec.from_dict({**features.to_dict(), "observers": observers})
        self._place = {tuple(row): i for i, row in enumerate(prepared.identity.tolist())}
        self._prepared = prepared
        self.train, self.validation, self.test = data.loader(spec, **options).split(validation=0.16, test=0.2)

    def batches(self, part: sw.Loader) -> Iterator[Array]:
        """Places of the rows of each batch of the next epoch, whose tensors are those of the preparation."""
        for batch in part.numpy():
            rows = np.array([self._place[tuple(row)] for row in batch["id"].tolist()])
            tensors = [batch["branches"]]
            if "branches_mask" in batch:
                tensors.append(batch["branches_mask"].astype(np.float32))
            ours = np.concatenate(tensors, 1)
            np.testing.assert_array_equal(ours.view(np.uint32), self._prepared.inputs[rows].view(np.uint32))
            np.testing.assert_array_equal(batch["target"], self._prepared.labels[rows])
            yield rows

    def rows(self, part: sw.Loader) -> Array:
        """Of the next epoch, one after the other."""
        return np.concatenate(list(self.batches(part)))


@dataclass
class Model:
    """A model as plain loops see it."""

    step: Callable[[Array, Array], Any]  #: learns from inputs and labels
    probability: Callable[[Array], Array]  #: of the second class
    get: Callable[[], Any]  #: its weights
    set: Callable[[Any], Any]


def keras_model(model: Any) -> Model:
    return Model(
        lambda x, y: model.train_on_batch(x, y.astype(np.float32).reshape(-1, 1)),
        lambda x: np.asarray(model.predict_on_batch(x)).reshape(-1),
        model.get_weights,
        model.set_weights,
    )


def torch_model(model: Any, steps: int, seed: int, learning_rate: float = 1e-3, weight_decay: float = 1e-2) -> Model:
    import torch

    torch.manual_seed(seed)  # for dropout, as sapwood does before it trains
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3 * learning_rate, total_steps=steps)
    steps_left = iter(range(steps - 1))

    def step(x: Array, y: Array) -> None:
        model.train()
        logits = model(torch.from_numpy(x)).reshape(-1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(y.astype(np.float32)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if next(steps_left, None) is not None:
            schedule.step()

    def probability(x: Array) -> Array:
        model.eval()
        with torch.no_grad():
            return torch.sigmoid(model(torch.from_numpy(x))).reshape(-1).numpy()

    def weights() -> Any:
        return {name: value.clone() for name, value in model.state_dict().items()}

    return Model(step, probability, weights, model.load_state_dict)


def train(model: Model, prepared: Prepared, order: Order, epochs: int) -> None:
    """So many epochs; in the end the weights of the one with the lowest validation loss."""
    best, lowest = None, np.inf
    for _ in range(epochs):
        for rows in order.batches(order.train):
            model.step(prepared.inputs[rows], prepared.labels[rows])
        rows = order.rows(order.validation)
        second = model.probability(prepared.inputs[rows]).astype(np.float64)
        right = np.where(prepared.labels[rows] == 1, second, 1 - second)
        loss = -np.log(np.clip(right, 1e-12, 1)).mean()
        if loss < lowest:
            best, lowest = model.get(), loss
    model.set(best)


def trained(model: Any, prepared: Prepared, order: Order, epochs: int, seed: int) -> Model:
    """What plain loops make of a PyTorch module or a Keras model, and `fit` of an estimator."""
    if hasattr(model, "predict_proba"):
        rows = order.rows(order.train)
        model.fit(prepared.inputs[rows], prepared.labels[rows])
        return Model(_unused, lambda x: model.predict_proba(x)[:, 1], _unused, _unused)
    is_keras = hasattr(model, "train_on_batch")
    made = keras_model(model) if is_keras else torch_model(model, epochs * len(order.train), seed)
    train(made, prepared, order, epochs)
    return made


def _unused(*_: Any) -> None:
    raise AssertionError("an estimator learns from all rows at once")


def auc(model: Model, prepared: Prepared, order: Order) -> float:
    """On the test part."""
    from sklearn.metrics import roc_auc_score

    rows = order.rows(order.test)
    return float(roc_auc_score(prepared.labels[rows], model.probability(prepared.inputs[rows])))
