"""``sapwood predict``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Writes the scores; prints how many."""
    from .predict import predict

    entries = predict(
        options.bundle,
        options.files,
        options.output,
        tree=options.tree,
        output_tree=options.output_tree,
        copy=options.copy,
    )
    print(f"{entries:,} entries scored: {options.output}")
    return 0
