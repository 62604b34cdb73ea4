"""Runs sapwood_ceiling, which measures what its C++ does (benchmarks/ceiling/passes.h)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[1] / "build" / "release" / "benchmarks" / "sapwood_ceiling"


def run(mode: str, files: list[str], table: str, columns: list[str], threads: int, window: int = 0) -> dict:
    """What it prints: seconds, cpu, rows, stored_bytes, bytes (decompressed), peak_memory, sums."""
    command = [str(PROGRAM), mode, table, ",".join(columns), str(threads), str(window), *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"{PROGRAM.name} ended with {done.returncode}")
    result = json.loads(done.stdout)
    return {name: value for name, value in result.items() if value or name in ("rows", "sums")}
