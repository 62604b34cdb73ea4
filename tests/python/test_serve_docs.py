"""The curl lines of docs/serving.md work as they stand, and give answers of the form that is shown."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from serving import ROOT, TOKEN, add_version, make_bundle, running

PAGE = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")


def lines() -> list[tuple[str, str]]:
    """(command, the answer that is shown or nothing)"""
    blocks = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    found = []
    for block in blocks:
        for command, answer in re.findall(r"^(curl .*)\n(?:# (.*)\n)?", block, re.MULTILINE):
            found.append((command, answer))
    return found


def form_of(value: Any) -> Any:
    """A JSON value with its fractions, which are the model's, made equal."""
    if isinstance(value, dict):
        return {key: form_of(item) for key, item in value.items()}
    if isinstance(value, list):
        return [form_of(item) for item in value]
    return 0.0 if isinstance(value, float) else value


def test_curl(tmp_path: Path) -> None:
    if not shutil.which("curl"):
        pytest.skip("no curl")
    columns = {"pt": "float32", "jet_pt": "list<float32>"}
    one = {"matrix": ((0.011,), (0.013,)), "labels": ["top"]}
    top = make_bundle("top", columns=columns, **one)
    add_version(tmp_path / "models", "top", 1, top)
    add_version(
        tmp_path / "models", "higgs", 1, make_bundle("higgs", columns={"pt": "float32", "eta": "float32"}, **one)
    )
    (tmp_path / "top.tar").write_bytes(top)
    assert len(lines()) == 7
    with running("--repository", tmp_path / "models", token=TOKEN) as server:
        for command, shown in lines():
            words = shlex.split(command.replace("localhost:8000", server.address).replace("$TOKEN", TOKEN))
            done = subprocess.run(
                [*words, "-sS", "--fail-with-body"], capture_output=True, text=True, cwd=tmp_path, check=False
            )
            assert done.returncode == 0, f"{command}: {done.stderr}{done.stdout}"
            if shown:
                assert form_of(json.loads(done.stdout)) == form_of(json.loads(shown)), command
