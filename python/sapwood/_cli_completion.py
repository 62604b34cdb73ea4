"""``sapwood completion``: a script by which a shell completes the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shtab

if TYPE_CHECKING:
    import argparse

SHELLS = ("bash", "zsh", "fish")


def run(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Prints the script that completes what `parser` takes; returns the exit status."""
    print(shtab.complete(parser, options.shell))
    return 0
