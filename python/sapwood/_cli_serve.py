"""``sapwood serve``: the server, a program of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from . import _core, _onnxruntime

if TYPE_CHECKING:
    from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Becomes the server, with the ONNX Runtime of this Python's packages unless another is named."""
    program = Path(__file__).parent / "bin" / "sapwood-serve"
    if not program.exists():
        raise _core.UnsupportedError(
            "sapwood was built without its server: it needs Boost, CLI11, simdjson, libarchive and OpenSSL"
        )
    library = _onnxruntime.library()
    found = [] if not library or any(given.startswith("--onnxruntime") for given in arguments) else [library]
    os.execv(program, [str(program), *arguments, *(f"--onnxruntime={path}" for path in found)])  # noqa: S606 - our own program
