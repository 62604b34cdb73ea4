"""``sapwood train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Trains; prints metrics and where things lie."""
    from .train import TrainConfig, train

    config = TrainConfig.load(options.config)
    if options.output:
        config.output = options.output
    if options.epochs is not None:
        config.training.epochs = options.epochs
    if options.checkpoint_minutes is not None:
        config.training.checkpoint_minutes = options.checkpoint_minutes
    if options.checkpoint_batches is not None:
        config.training.checkpoint_batches = options.checkpoint_batches
    print_result(train(config, resume=options.resume))
    return 0


def run_workflow(options: argparse.Namespace) -> int:
    """MLaaS4HEP's workflow; prints metrics and where things lie."""
    from .workflow import workflow

    print_result(
        workflow(
            options.files,
            options.labels,
            options.model,
            options.params or ("params.json" if Path("params.json").is_file() else None),
            preproc=options.preproc,
            specs=options.specs,
            dtype=options.dtype,
            fout=options.fout,
        )
    )
    return 0


def print_result(result: object) -> None:
    """A training's metrics and files, for people."""
    from .train import TrainResult

    assert isinstance(result, TrainResult)
    metrics, history = result.metrics, result.history
    print(f"\nOn {metrics.rows:,} test rows (weights of epoch {history.best_epoch + 1}):")
    print(f"  accuracy                                  {metrics.accuracy:.3f}")
    for curve in metrics.curves:
        name = "" if len(metrics.curves) == 1 else f" of {curve.name}"
        print(f"  {'AUC' + name:41} {curve.auc:.4f}")
        print(f"  {'background rejection at 50 %' + name:41} {curve.rejection():.1f}")
    print(f"  share of training spent waiting for data  {history.waited / max(history.seconds, 1e-9):.1%}")
    if result.report:
        print(f"\nReport: {result.report.resolve()}")
    if result.bundle:
        print(f"Bundle: {result.bundle.resolve()}")
