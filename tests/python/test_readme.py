"""What README.md shows works: its Python runs, its C++ is part of the examples, its commands end well."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_python_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """All blocks one after another, as a reader pastes them into one session."""
    monkeypatch.chdir(ROOT)
    snippets = blocks("python")
    assert snippets
    names: dict[str, object] = {}
    for snippet in snippets:
        exec(compile(snippet, "README.md", "exec"), names)  # noqa: S102


def test_cpp_is_part_of_the_examples() -> None:
    """scripts/check_install builds and runs those."""
    examples = [path.read_text() for path in (ROOT / "examples" / "cpp").glob("*.cpp")]
    snippets = blocks("cpp")
    assert snippets
    for snippet in snippets:
        assert any(snippet.strip() in example for example in examples), snippet


def test_commands_end_well() -> None:
    commands = [
        shlex.split(line, comments=True)
        for block in blocks("bash")
        for line in block.splitlines()
        if line.startswith("sapwood ")
    ]
    assert commands
    program = Path(sys.executable).with_name("sapwood")
    for _, *arguments in commands:
        subprocess.run([program, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def test_dev_commands_exist() -> None:
    known = subprocess.run([ROOT / "dev", "help"], check=True, capture_output=True, text=True).stdout
    for command in re.findall(r"\./dev (\w+)", README):
        assert re.search(rf"^  {command}\b", known, re.MULTILINE), command


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (ROOT / page).read_text()):
        if "://" not in target:
            assert (ROOT / target).exists(), target
