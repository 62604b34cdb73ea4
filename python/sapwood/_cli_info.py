"""``sapwood info``: versions and what is built in."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from . import __version__, _core, _onnxruntime
from ._cli_text import table

if TYPE_CHECKING:
    import argparse

_LIBRARIES = ("numpy", "torch", "pyarrow", "awkward", "pandas")


def run(_: argparse.Namespace) -> int:
    """Prints the report; returns the exit status."""
    facts = [
        ("sapwood", __version__),
        ("formats", "TTree, RNTuple"),
        ("codecs", ", ".join(_core.codecs())),
        ("models", f"ONNX Runtime {_onnxruntime.version()}"),
        ("remote files", "not built in (root://, https://, s3://)"),
        ("threads", str(len(os.sched_getaffinity(0)))),
        ("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        *((name, _version(name)) for name in _LIBRARIES),
    ]
    for line in table(facts[0], facts[1:]):
        print(line)
    return 0


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"
