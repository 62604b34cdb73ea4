"""What `open` is given, as the core takes it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from numbers import Real
from typing import Any

from . import _core
from ._frame import is_frame, open_table


def samples_of(paths: Any) -> list[_core.Sample]:
    """Of paths or frames, or of labels with these."""
    if isinstance(paths, Mapping):
        return [_labelled_sample(label, value) for label, value in paths.items()]
    return [_sample("", paths)]


def _sample(label: str, sources: Any, weight: float | None = None) -> _core.Sample:
    if isinstance(sources, (str, os.PathLike)) or is_frame(sources):
        sources = [sources]
    sources = list(sources)
    frames = [source for source in sources if is_frame(source)]
    if frames and len(frames) < len(sources):
        raise _core.ConfigError("frames and files can't be one data set: give ROOT the files, or sapwood all of them")
    if frames:
        return _core.Sample(label, [], weight, [open_table(frame) for frame in frames])
    return _core.Sample(label, [os.fspath(path) for path in sources], weight)


def _labelled_sample(label: str, value: Any) -> _core.Sample:
    if not label:
        raise _core.ConfigError("a label is empty")
    if isinstance(value, Mapping):
        unknown = set(value) - {"paths", "weight"}
        if unknown or "paths" not in value:
            raise _core.ConfigError(f"label '{label}' wants the keys 'paths' and 'weight', not {sorted(value)}")
        return _sample(label, value["paths"], value.get("weight"))
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], Real):
        return _sample(label, value[0], float(value[1]))
    return _sample(label, value)
