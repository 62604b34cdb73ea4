"""docs/benchmarks.md, whose sections are written by the benchmarks that have `--docs`."""

from __future__ import annotations

import re
from pathlib import Path

import provenance

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def table(heads: list[str], rows: list[str]) -> list[str]:
    """The first column stands to the left."""
    return [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}", *rows]


def measured_on(run: dict) -> str:
    """Of what provenance.of_run gives."""
    return f"`{run['command']}`; {provenance.one_line(run['machine'])}."


def write_section(page: Path, lines: list[str]) -> None:
    """Puts it in place of the section that has its heading, the first line, or at the end."""
    text, written = page.read_text(), "\n".join(lines) + "\n"
    pattern = re.compile(rf"^{lines[0]}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if pattern.search(text):
        text = pattern.sub(lambda found: written + ("\n" if found.end() < len(found.string) else ""), text)
    else:
        text = text.rstrip("\n") + "\n\n" + written
    page.write_text(text)
