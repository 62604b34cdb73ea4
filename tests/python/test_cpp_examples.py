"""The C++ example that trains with LibTorch builds against the installed package, and learns."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

BUILD = ROOT / "build" / "release"


def run(*command: str | Path) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_training_with_libtorch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch_files = Path(torch.utils.cmake_prefix_path)
    if not (torch_files / "Torch" / "TorchConfig.cmake").exists():
        pytest.skip("this PyTorch has no CMake files")
    if not (BUILD / "CMakeCache.txt").exists():
        pytest.skip("no C++ build in build/release")
    prefix, build = tmp_path / "prefix", tmp_path / "build"
    run("cmake", "--install", BUILD, "--prefix", prefix, "--component", "cpp")
    # A copy, so that nothing but the installed package can be found.
    sources = shutil.copytree(ROOT / "examples" / "cpp", tmp_path / "examples")
    launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DWITH_TORCH=ON", f"-DCMAKE_PREFIX_PATH={prefix};{torch_files}"]
    run("cmake", "-S", sources, "-B", build, "-G", "Ninja", *options, *launcher)
    run("cmake", "--build", build, "--target", "train_torch")
    out = run(build / "train_torch", "examples/data/QCD_*.root", "examples/data/Tbqq_*.root")
    epochs = re.findall(r"epoch (\d): loss ([\d.]+), validation accuracy ([\d.]+)", out)
    assert [int(number) for number, _, _ in epochs] == list(range(5))
    losses = [float(loss) for _, loss, _ in epochs]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.55
    assert float(epochs[-1][2]) > 0.7
