"""Measurements in processes of their own, by scripts that take a function's name and its arguments as JSON, and print
JSON last.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

TIMEOUT = 900  # seconds for one measurement
Result = dict[str, Any]


def call(script: Path, function: str, **request: Any) -> Result:
    """What the function gives; what fails is returned as {"error": text}."""
    command = [sys.executable, "-W", "ignore", str(script), function, json.dumps(request)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"not done after {TIMEOUT} s"}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def result(script: Path, function: str, **request: Any) -> Result:
    """The same, of a function whose failure ends the benchmark."""
    found = call(script, function, **request)
    if "error" in found:
        raise SystemExit(f"{function}: {found['error']}")
    return found
