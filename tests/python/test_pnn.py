"""benchmarks/pnn: that it tells trainings apart which differ, and a short run of it."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PNN = Path(__file__).resolve().parents[2] / "benchmarks" / "pnn"
OURS = ("sapwood_root", "sapwood_loader")


@pytest.fixture
def checks() -> Any:
    spec = importlib.util.spec_from_file_location("pnn_checks", PNN / "checks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def runs_of(names: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    values = np.linspace(0, 1, 8, dtype=np.float32)
    return {name: [{"losses": values.copy(), "scores": values.copy()} for _ in range(2)] for name in names}


@pytest.mark.parametrize("what", ["losses", "scores"])
def test_one_bit_is_a_difference(checks, what):
    runs = runs_of(("csv_dataloader", "root_rdataloader", *OURS))
    runs["root_rdataloader"][0]["losses"][:] = 7  # in an order of its own
    checks.same_bits(runs)
    values = runs["sapwood_loader"][1][what]
    values[5] = np.nextafter(values[5], np.float32(2))
    with pytest.raises(SystemExit, match=rf"sapwood_loader, training 2: {what}\[5\]"):
        checks.same_bits(runs)
    runs["sapwood_loader"][1][what] = values[:5]
    with pytest.raises(SystemExit, match=f"5 {what}, csv_dataloader has 8"):
        checks.same_bits(runs)


def test_areas_differ_by_no_more_than_seeds_do(checks):
    seeds = [0.90, 0.91, 0.92]
    difference, spread = checks.same_auc({"one": seeds, "other": [area + 0.015 for area in seeds]})
    assert (difference, spread) == pytest.approx((0.015, 0.01))
    with pytest.raises(SystemExit, match=r"one and other differ by 0\.02500"):
        checks.same_auc({"one": seeds, "other": [area + 0.025 for area in seeds]})


@pytest.mark.slow
def test_a_short_run(tmp_path):
    pytest.importorskip("torch")
    output = tmp_path / "results.json"
    command = [sys.executable, str(PNN / "run.py"), "--quick", "--data", str(tmp_path), "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads(output.read_text())
    others = results["implementations"]
    assert ("root_rdataloader" in others) == (importlib.util.find_spec("ROOT") is not None)
    assert ("ROOT is not installed" in done.stdout) == ("root_rdataloader" not in others)
    for name in OURS:
        assert others[name]["auc"] == others["csv_dataloader"]["auc"]
    assert all(0.8 < area < 1 for of in others.values() for area in of["auc"])
    assert "the same, bit for bit" in output.with_suffix(".md").read_text()
    assert output.with_suffix(".svg").read_text().count("<g id=") > 10
