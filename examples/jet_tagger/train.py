#!/usr/bin/env python3
"""Trains a Particle-Flow Network to tell top-quark jets from QCD jets, straight from ROOT files.

python examples/jet_tagger/train.py --data examples/data --output demo-output
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from metrics import evaluate
from model import COLUMNS, ParticleFlowNetwork
from progress import Progress
from report import write_report
from torch import nn

import sapwood as sw

MOST_PARTICLES = 64
SEED = 20


@dataclass
class History:
    """What the training went through, epoch by epoch."""

    train_loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    events: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    best_epoch: int = 0


class Feed:
    """The batches of an epoch on the device, and the time spent waiting for them."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.waited = 0.0

    def epoch(self, loader: sw.Loader) -> Iterator[dict[str, torch.Tensor]]:
        batches = loader.torch(self._device)
        while True:
            begin = time.perf_counter()
            batch = next(batches, None)
            self.waited += time.perf_counter() - begin
            if batch is None:
                return
            yield batch


def main() -> None:
    options = parse_arguments()
    torch.manual_seed(SEED)
    torch.set_num_threads(max(1, torch.get_num_threads() // 2))  # the other half reads
    device = torch.device(options.device)

    jets = sw.open(
        {
            "QCD": sorted(options.data.glob("QCD_*.root")),
            "top": sorted(options.data.glob("Tbqq_*.root")),
        }
    )
    loader = jets.loader(
        features={"part": COLUMNS},
        pad={"part": MOST_PARTICLES},
        channels="last",
        target="sample_label",
        batch_size=options.batch_size,
        seed=SEED,
    )
    train, val, test = loader.split(val=0.1, test=0.2)
    print(train.explain())

    model = ParticleFlowNetwork().to(device)
    history = fit(model, train, val, options.epochs, device)
    scores, labels = predict(model, test, device)
    metrics = evaluate(scores, labels)
    waiting = history.waited / history.seconds

    print(f"\nOn {metrics.jets:,} jets held out for the test (weights of epoch {history.best_epoch + 1}):")
    print(f"  accuracy                                  {metrics.accuracy:.3f}")
    print(f"  AUC                                       {metrics.auc:.4f}")
    print(f"  background rejection at 50 % efficiency   {metrics.rejection:.1f}")
    print(f"  share of training spent waiting for data  {waiting:.1%}")
    page = write_report(
        options.output,
        jets=jets,
        loader=train,
        model=model,
        history=history,
        metrics=metrics,
        scores=scores,
        labels=labels,
    )
    print(f"\nReport: {page.resolve()}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Trains a tagger: top-quark jets against QCD jets.")
    parser.add_argument("--data", type=Path, default=Path("examples/data"), help="folder of QCD_*.root, Tbqq_*.root")
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="folder for the report")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


def fit(model: nn.Module, train: sw.Loader, val: sw.Loader, epochs: int, device: torch.device) -> History:
    """Trains `model`, which has the weights of the epoch with the lowest validation loss in the end."""
    history = History()
    loss_of = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=epochs * len(train))
    best = {}
    feed = Feed(device)
    for epoch in range(epochs):
        begin = time.perf_counter()
        progress = Progress(f"epoch {epoch + 1:>2}/{epochs}", train.num_rows)
        model.train()
        for batch in feed.epoch(train):
            loss = loss_of(model(batch["part"], batch["part_mask"]), batch["target"].float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            progress.add(len(batch["target"]), loss.item())
        history.seconds += time.perf_counter() - begin
        history.events += progress.events
        logits, labels = logits_of(model, val, device)
        val_loss = loss_of(logits, labels.float()).item()
        progress.close(f"  validation {val_loss:.4f}")
        history.train_loss.append(progress.loss)
        history.val_loss.append(val_loss)
        if val_loss == min(history.val_loss):
            history.best_epoch = epoch
            best = {name: value.clone() for name, value in model.state_dict().items()}
    history.waited = feed.waited
    model.load_state_dict(best)
    return history


@torch.no_grad()
def logits_of(model: nn.Module, loader: sw.Loader, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    model.eval()
    parts = [(model(batch["part"], batch["part_mask"]), batch["target"]) for batch in loader.torch(device)]
    logits, labels = zip(*parts, strict=True)
    return torch.cat(logits), torch.cat(labels)


def predict(model: nn.Module, loader: sw.Loader, device: torch.device) -> tuple[np.ndarray, np.ndarray]:
    """(probabilities of label 1, labels)"""
    logits, labels = logits_of(model, loader, device)
    return torch.sigmoid(logits).cpu().numpy(), labels.cpu().numpy()


if __name__ == "__main__":
    main()
