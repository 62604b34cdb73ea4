"""Where the library of ONNX Runtime is, and models loaded by it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from . import _core


def library() -> str:
    """The path of the library in the package ``onnxruntime``, which is not imported; empty when it is not installed."""
    spec = importlib.util.find_spec("onnxruntime")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder, "capi").glob("libonnxruntime.so*")):
            return str(path)
    return ""


def version() -> str:
    """The version that models run with, or why there is none (starts with "no ")."""
    return _core.onnxruntime_version(library()) if is_built() else "no bundles and models built in"


def is_built() -> bool:
    """Whether the compiled module has models and bundles."""
    return hasattr(_core, "Predictor")


def require_built() -> None:
    """Raises UnsupportedError when it has not."""
    if not is_built():
        raise _core.UnsupportedError("sapwood was built without bundles: it needs libarchive, OpenSSL and simdjson")


def load_onnx(model: bytes, threads: int = 1) -> _core.Model:
    """Loads a model. Raises ModelError, UnsupportedError."""
    require_built()
    return _core.load_onnx(model, threads, library())
