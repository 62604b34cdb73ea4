"""The demo: its metrics are right, and a short training writes its report."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "jet_tagger"


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"jet_tagger_{name}", EXAMPLE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


@pytest.mark.parametrize("ties", [False, True])
def test_auc_counts_pairs(ties: bool) -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 200)
    scores = random.normal(labels, 1.0)
    if ties:
        scores = np.round(scores)
    signal, background = scores[labels == 1], scores[labels == 0]
    pairs = (signal[:, None] > background) + 0.5 * (signal[:, None] == background)
    metrics = module("metrics")
    assert metrics.auc(scores, labels) == pytest.approx(pairs.mean())
    false_positives, true_positives = metrics.roc(scores, labels)
    assert np.trapezoid(true_positives, false_positives) == pytest.approx(pairs.mean())


def test_rejection() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
    labels = np.array([1, 0, 1, 0, 1, 1, 0, 0])
    metrics = module("metrics")
    assert metrics.rejection(scores, labels) == 4  # half the signal is above 0.7, with one of four background jets
    assert metrics.rejection(np.array([0.9, 0.1]), np.array([1, 0])) == np.inf
    assert metrics.evaluate(scores, labels).accuracy == 0.5


def test_padding_does_not_change_the_score() -> None:
    torch = pytest.importorskip("torch")
    model = module("model")
    torch.manual_seed(1)
    network = model.ParticleFlowNetwork().eval()
    part = torch.rand(3, 10, len(model.COLUMNS))
    mask = torch.arange(10).expand(3, 10) < torch.tensor([[10], [4], [1]])
    filled = torch.where(mask.unsqueeze(-1), part, 1e3)
    with torch.no_grad():
        assert torch.allclose(network(part * mask.unsqueeze(-1), mask), network(filled, mask), atol=1e-6)


@pytest.mark.slow
def test_training_writes_its_report(examples: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    arguments = ["--data", examples, "--output", tmp_path, "--epochs", "1", "--device", "cpu"]
    done = subprocess.run(
        [sys.executable, EXAMPLE / "train.py", *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    )
    assert f"Report: {tmp_path / 'report.html'}" in done.stdout
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 4
    assert "AUC" in page
