"""docs/adding names files, functions and commands that exist, and its snippets print what is shown.

A word in backticks that is a path must lead somewhere. A name of C++ or Python must stand in a file that the same
paragraph, list item or row names; where that names none, anywhere in sapwood/, tests/ or cmake/.
"""

from __future__ import annotations

import contextlib
import io
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "adding").glob("*.md"))
SUFFIXES = {".C", ".cmake", ".cpp", ".h", ".in", ".md", ".py", ".txt"}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WORD = re.compile(r"`([^`]+)`")
NAME = re.compile(r"[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*")
PATH = re.compile(r"[\w.*/-]*/[\w.*/-]+|[\w-]+(?:\.[\w-]+)*\.(?:C|bin|cmake|cpp|h|md|py|root|txt)")
OUTSIDE = ("../", "build/")
MADE = {"failed_input.bin"}

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def passages(page: Path) -> list[str]:
    """Paragraphs, list items and rows of tables."""
    return re.split(r"\n\n|\n(?=- |\||\d+\. |#)", FENCE.sub("", page.read_text()))


def files_at(path: str) -> list[Path]:
    found = list(ROOT.glob(path))
    inside = [file for folder in found if folder.is_dir() for file in folder.rglob("*")]
    return [file for file in [*found, *inside] if file.exists()]


@cache
def names_in(file: Path) -> frozenset[str]:
    is_text = file.is_file() and (file.suffix in SUFFIXES or file.parent in (ROOT, ROOT / "scripts"))
    return frozenset(re.findall(r"\w+", file.read_text())) if is_text else frozenset()


@cache
def all_names() -> frozenset[str]:
    files = [file for folder in ("sapwood", "tests", "cmake") for file in files_at(folder) if file != Path(__file__)]
    return frozenset().union(*map(names_in, files))


def missing(page: Path) -> list[str]:
    found = []
    for passage in passages(page):
        words = WORD.findall(passage)
        paths = [word for word in words if (PATH.fullmatch(word) or word == "dev") and not word.startswith(OUTSIDE)]
        found += [path for path in paths if path not in MADE and not files_at(path)]
        named = frozenset().union(*(names_in(file) for path in paths for file in files_at(path)))
        for name in words:
            if (
                name not in paths
                and NAME.fullmatch(name)
                and not set(name.split("::")) - {"std"} <= (named or all_names())
            ):
                found.append(f"{name}, in {', '.join(paths) or 'any source'}")
    return found


@pages
def test_what_is_named_exists(page: Path) -> None:
    assert missing(page) == []


def test_what_does_not_exist_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "`no_such_function`\n\n- `sapwood/no_such_file.cpp`\n- `read_bitset` in `sapwood/base/cursor.h`, `ByteCursor`\n"
    )
    assert missing(page) == [
        "no_such_function, in any source",
        "sapwood/no_such_file.cpp",
        "read_bitset, in sapwood/base/cursor.h",
    ]


@pages
def test_links_and_commands_lead_somewhere(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), target
    dev = (ROOT / "dev").read_text()
    for command in re.findall(r"\./dev (\w+)", text):
        assert f"command_{command}()" in dev, command


@pages
def test_snippets_print_what_is_shown(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    blocks = FENCE.findall(page.read_text())
    for (language, code), (_, shown) in pairwise(blocks):
        if language == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, page.name, "exec"), {})  # noqa: S102
            assert printed.getvalue() == shown, code
