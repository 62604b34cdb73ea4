"""What figures depend on besides the code."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

PACKAGES = ("sapwood", "uproot", "awkward", "numpy", "torch", "weaver-core")


def machine() -> dict:
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    versions["ROOT"] = root_version()  # not that of its package
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": model,
        "processors": len(os.sched_getaffinity(0)),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": versions,
    }


def root_version() -> str:
    command = [sys.executable, "-W", "ignore", "-c", "import ROOT; print(ROOT.gROOT.GetVersion())"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip().splitlines()[-1] if found.returncode == 0 else "not installed"


def of_run(*tasks: str) -> dict:
    return {"machine": machine(), "command": " ".join(["./dev", "bench", *tasks, *sys.argv[1:]])}


def one_line(state: dict) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in state["versions"].items())
    return (
        f"{state['date']}; {state['processor']}, {state['processors']} processors, "
        f"load {state['load_before']:.1f} before; {versions}"
    )
