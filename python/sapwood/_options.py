"""Options as the core takes them."""

from __future__ import annotations

from numbers import Real

from . import _core


def thread_count(threads: int | None) -> int:
    """As the core takes it: 0 for as many as there are processors."""
    if threads is not None and threads < 1:
        raise _core.ConfigError(f"threads is {threads}, must be at least 1")
    return threads or 0


def byte_count(memory: float | str) -> int:
    bytes_ = _parsed_bytes(memory) if isinstance(memory, str) else memory
    if not isinstance(bytes_, Real) or not 0 <= bytes_ < 2**63:
        raise _core.ConfigError(f"memory is {memory}, must be a number of bytes, or such as '500 MB'")
    return int(bytes_)


def _parsed_bytes(memory: str) -> int:
    units = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
    number = memory.strip().rstrip("BbGgMmKkIi").strip()
    unit = memory.strip()[len(memory.strip().rstrip("BbGgMmKkIi")) :].upper() or "B"
    try:
        return int(float(number) * units[unit])
    except (ValueError, KeyError, OverflowError):
        raise _core.ConfigError(f"memory is '{memory}': write bytes, or such as '500 MB' or '2 GiB'") from None
