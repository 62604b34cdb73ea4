"""Text for terminals: tables, widths, values; JSON for programs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


_ROOM_FOR_FOUR_DIGITS = 24


def terminal_width() -> int | None:
    """Columns of the terminal (the variable COLUMNS goes first); None when the output goes elsewhere."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS"):
        return shutil.get_terminal_size().columns
    return None


def cut(text: str, width: int) -> str:
    """`text`, shortened to `width` characters if need be, which then shows at its end."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def print_json(value: Any) -> None:
    """What ``--json`` asks for: one JSON value, indented. Raises ValueError for numbers that JSON does not have."""
    print(json.dumps(value, indent=2, allow_nan=False))


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[int] = (),
    shrink: Mapping[int, int] | None = None,
    width: int | None = None,
) -> list[str]:
    """Lines of a table, its columns aligned.

    right: the columns that are aligned to the right. shrink: the columns that give way, in this order, where lines
    would be longer than `width`, with the width that each keeps at least.
    """
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    if width is not None:
        for i, least in (shrink or {}).items():
            excess = sum(widths) + 2 * (len(widths) - 1) - width
            widths[i] = min(widths[i], max(widths[i] - excess, least))
    lines = []
    for row in cells:
        parts = [cut(cell, size) for cell, size in zip(row, widths, strict=True)]
        aligned = [
            part.rjust(size) if i in right else part.ljust(size)
            for i, (part, size) in enumerate(zip(parts, widths, strict=True))
        ]
        lines.append("  ".join(aligned).rstrip())
    return lines if width is None else [cut(line, width) for line in lines]


def plural(count: int, noun: str) -> str:
    """Such as "1 entry" or "2,800 entries"."""
    if count != 1:
        noun = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{count:,} {noun}"


def value_text(value: Any, room: int, digits: int = 6) -> str:
    """A value as a person reads it, in about `room` characters: sequences show their first items and their length."""
    if isinstance(value, str):
        return _string_text(value, room)
    if isinstance(value, dict):
        return _enclosed("{", [(f"{name}: ", item) for name, item in value.items()], "}", room)
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)):
        return f"{value:.{digits}g}"
    if isinstance(value, (list, np.ndarray)):
        return _enclosed("[", [("", item) for item in value[: room + 1]], "]", room, len(value))
    return str(value)


def _string_text(value: str, room: int) -> str:
    escaped = value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in escaped)
    quoted = '"' + shown.replace('"', '\\"') + '"'
    return quoted if len(quoted) <= room else quoted[: max(room - 2, 1)] + '…"'


def _enclosed(opening: str, items: Sequence[tuple[str, Any]], closing: str, room: int, count: int | None = None) -> str:
    """As many items as there is room for; where some are left out, their whole number in brackets."""
    count = len(items) if count is None else count
    tail = f"… ({count}){closing}"
    digits = 4 if room >= _ROOM_FOR_FOUR_DIGITS else 3
    texts: list[str] = []
    used = len(opening)
    for i, (name, item) in enumerate(items):
        last = i + 1 == count
        reserved = len(closing) if last else len(tail) + 2
        text = name + value_text(item, max(room - used - reserved - len(name), 8), digits)
        if used + len(text) + reserved > room:
            return opening + ", ".join([*texts, tail])
        texts.append(text)
        used += len(text) + 2
    return opening + ", ".join(texts) + closing
