"""What benchmarks write into docs/: Markdown, and sections of docs/benchmarks.md that are replaced each time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import provenance

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = DOCS / "benchmarks.md"
IMAGES = DOCS / "images"


def table(heads: list[str], rows: list[str]) -> list[str]:
    """The first column stands to the left."""
    return [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}", *rows]


def megabytes(value: float) -> str:
    return f"{value / 1e6:,.0f} MB"


def name_of(implementation: str) -> str:
    return implementation.replace("_", " ")


def measured_on(part: dict[str, Any]) -> str:
    return f"`{part['command']}`; {provenance.one_line(part['machine'])}."


def image(name: str, caption: str) -> str:
    return f"![{caption}](images/{name}.svg)"


def write_section(lines: list[str]) -> None:
    """Puts a section, which begins with its heading, in place of the one that the page has, or at its end."""
    text, written = PAGE.read_text(), "\n".join(lines) + "\n"
    pattern = re.compile(rf"^{lines[0]}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if pattern.search(text):
        text = pattern.sub(lambda found: written + ("\n" if found.end() < len(found.string) else ""), text)
    else:
        text = text.rstrip("\n") + "\n\n" + written
    PAGE.write_text(text)
