"""``sapwood info``: versions and what is built in."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from . import __version__, _core, _onnxruntime
from ._cli_text import print_json, table

if TYPE_CHECKING:
    import argparse

_LIBRARIES = ("numpy", "torch", "pyarrow", "awkward", "pandas")


def run(options: argparse.Namespace) -> int:
    """Prints the report; returns the exit status."""
    facts: dict[str, str | int | list[str] | None] = {
        "sapwood": __version__,
        "formats": ["TTree", "RNTuple"],
        "codecs": _core.codecs(),
        "models": f"ONNX Runtime {_onnxruntime.version()}",
        "remote files": "not built in (root://, https://, s3://)",
        "threads": len(os.sched_getaffinity(0)),
        "Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        **{name: _version(name) for name in _LIBRARIES},
    }
    if options.json:
        print_json(facts)
        return 0
    (first, *others) = ((name, _text(value)) for name, value in facts.items())
    for line in table(first, others):
        print(line)
    return 0


def _text(value: str | int | list[str] | None) -> str:
    if value is None:
        return "not installed"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
