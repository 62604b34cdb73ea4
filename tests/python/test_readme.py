"""What README.md, docs/loader.md, docs/dataset.md and the guides show works: their Python runs, and prints what is
shown; their C++, and that of docs/expressions.md, is part of the examples; their commands end well.
"""

import contextlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import sapwood

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", "docs/loader.md"]
CPP_PAGES = [*PAGES, "docs/expressions.md"]
GUIDES = ["docs/dataset.md", "docs/formats/objects.md", "docs/guide/from-root.md", "docs/guide/from-uproot.md"]


def blocks(page: str, language: str) -> list[str]:
    return [content for name, content in all_blocks(page) if name == language]


def all_blocks(page: str) -> list[tuple[str, str]]:
    """(language, content)"""
    return re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


def shown(page: str) -> list[tuple[str, str | None]]:
    """Each Python block, with the text block that follows it: what it prints."""
    found = all_blocks(page)
    following = [*found[1:], ("", "")]
    return [
        (content, text if kind == "text" else None)
        for (name, content), (kind, text) in zip(found, following, strict=True)
        if name == "python"
    ]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to write to, with the examples and the tests' data in it."""
    for folder in ("examples", "tests"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("workplace")
@pytest.mark.filterwarnings("ignore")  # of Lightning, and of the damaged file in docs/loader.md
@pytest.mark.parametrize("page", ["README.md", pytest.param("docs/loader.md", marks=pytest.mark.slow), *GUIDES])
def test_python_runs(page: str) -> None:
    """All blocks one after another, as a reader pastes them into one session."""
    snippets = shown(page)
    assert snippets
    names: dict[str, object] = {"__name__": "page"}
    for snippet, output in snippets:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(snippet, page, "exec"), names)  # noqa: S102
        if output is not None:
            assert printed.getvalue().strip() == output.strip(), snippet


@pytest.mark.usefixtures("workplace", "cern_root")
@pytest.mark.parametrize("page", ["docs/dataset.md", "docs/guide/from-root.md"])
def test_what_is_for_root_runs_there(page: str) -> None:
    names: dict[str, object] = {"__name__": "page", "sw": sapwood}
    for snippet in blocks(page, "py"):
        exec(compile(snippet, page, "exec"), names)  # noqa: S102


@pytest.mark.parametrize("page", CPP_PAGES)
def test_cpp_is_part_of_the_examples(page: str) -> None:
    """scripts/check_install and test_cpp_examples.py build and run those."""
    examples = [path.read_text() for path in (ROOT / "examples" / "cpp").glob("*.cpp")]
    snippets = blocks(page, "cpp")
    assert snippets
    for snippet in snippets:
        assert any(snippet.strip() in example for example in examples), snippet


def test_commands_end_well() -> None:
    commands = [
        shlex.split(line, comments=True)
        for block in blocks("README.md", "bash")
        for line in block.splitlines()
        if line.startswith("sapwood ")
    ]
    assert commands
    program = Path(sys.executable).with_name("sapwood")
    for _, *arguments in commands:
        subprocess.run([program, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.slow
def test_processes_end_well(workplace: Path) -> None:
    commands = [shlex.split(block) for block in blocks("docs/loader.md", "bash")]
    assert [command[0] for command in commands] == ["torchrun"]
    for _, *arguments in commands:
        program = [sys.executable, "-m", "torch.distributed.run"]
        subprocess.run([*program, *arguments], cwd=workplace, check=True, capture_output=True, timeout=240)


def test_dev_commands_exist() -> None:
    known = subprocess.run([ROOT / "dev", "help"], check=True, capture_output=True, text=True).stdout
    for command in re.findall(r"\./dev (\w+)", (ROOT / "README.md").read_text()):
        assert re.search(rf"^  {command}\b", known, re.MULTILINE), command


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", *CPP_PAGES, *GUIDES])
def test_links_lead_somewhere(page: str) -> None:
    text = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert ((ROOT / page).parent / target).exists(), target
