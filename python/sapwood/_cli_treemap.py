"""``sapwood inspect --plot``: bytes on disk as a treemap, in SVG."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import squarify

from . import _core
from ._cli_text import cut
from ._html import readable_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_WIDTH, _HEIGHT, _BAND = 1200, 760, 30  # pixels; bands above and below for title and legend
_LINE = 15  # of text
_CHARACTER = 7.3  # of a monospaced font of 12 pixels
_LEAST_TEXT = 5  # characters, of what is cut
_LEAST_SHARE = 1e-6  # of all bytes: about a pixel
_BORDER = re.compile("(?<=[./:])(?=.)")  # branches, members; RNTuple's names have no dots, ATLAS writes colons
# In memory over on disk: below this, that colour.
_COLOURS = {1.1: "#f4a582", 1.5: "#fdcc8a", 2: "#fef0d0", 4: "#e0f3f8", 8: "#abd9e9", float("inf"): "#74add1"}


class _Leaf(NamedTuple):
    """A column that is drawn."""

    path: list[str]  # its name in pieces, such as "Muon.", "pt"
    bytes: float
    column: _core.ColumnInfo


@dataclass
class _Part:
    """A rectangle: of a column, or of those that begin alike."""

    name: str
    bytes: float
    about: str  # the tooltip
    colour: str = "#e5e7eb"
    parts: list[_Part] = field(default_factory=list)


def write_treemap(path: str, title: str, trees: Mapping[str, Sequence[_core.ColumnInfo]]) -> None:
    """Draws the columns of trees, nested as their names are; areas are bytes on disk.

    Raises SchemaError where there are none, IoError when the picture can't be written.
    """
    leaves = [
        _Leaf([*([f"{name}/"] if len(trees) > 1 else []), *_BORDER.split(column.name)], bytes_, column)
        for name, columns in trees.items()
        for column, bytes_ in _drawn(columns)
    ]
    total = sum(leaf.bytes for leaf in leaves)
    if not total:
        raise _core.SchemaError(f"nothing to plot: no column has bytes on disk ({title})")
    parts = _nested([leaf for leaf in leaves if leaf.bytes >= total * _LEAST_SHARE], 0, total)
    heading = f"{title}: {readable_bytes(total)} on disk"
    picture = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="monospace" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        *_label(heading, 0, 2, _WIDTH, "font-weight='bold'"),
        *_drawing(parts, 0, _BAND, _WIDTH, _HEIGHT - 2 * _BAND),
        *_legend(_HEIGHT - _BAND + 8),
        "</svg>\n",
    ]
    try:
        Path(path).write_text("\n".join(picture), encoding="utf-8")
    except OSError as error:
        raise _core.IoError(f"can't write {path}: {error.strerror}") from None


def _drawn(columns: Sequence[_core.ColumnInfo]) -> Iterator[tuple[_core.ColumnInfo, float]]:
    """Columns with their bytes; instead of records whose members are stored apart, those, in proportion."""
    groups: list[list[_core.ColumnInfo]] = []
    for column in columns:  # members come after what they are members of
        if column.is_member:
            groups[-1].append(column)
        else:
            groups.append([column])
    for whole, *members in groups:
        outer = {member.name.rpartition(".")[0] for member in members}
        inner = [member for member in members if member.name not in outer]
        total = sum(member.compressed_bytes for member in inner)
        if all(member.compressed_bytes == whole.compressed_bytes for member in members) or not total:
            yield whole, whole.compressed_bytes
        else:
            yield from ((member, member.compressed_bytes / total * whole.compressed_bytes) for member in inner)


def _nested(leaves: Sequence[_Leaf], depth: int, total: float) -> list[_Part]:
    """The largest first. `depth` counts what all their paths have in common."""
    groups: dict[str, list[_Leaf]] = {}
    for leaf in leaves:
        groups.setdefault("".join(leaf.path[depth : depth + 1]), []).append(leaf)
    parts = []
    for inside in groups.values():
        levels = zip(*(leaf.path for leaf in inside), strict=False)
        common = [names[0] for names in takewhile(lambda names: len(set(names)) == 1, levels)]
        name = "".join(common[depth:]).rstrip("./:")
        bytes_ = sum(leaf.bytes for leaf in inside)
        share = f"{bytes_ / total:.1%} of all"
        if len(inside) == 1:
            [column] = (leaf.column for leaf in inside)
            parts.append(_Part(name, bytes_, f"{_about(column)}\n{share}", _colour(column)))
        else:
            about = f"{''.join(common)}: {len(inside):,} columns, {readable_bytes(bytes_)} on disk\n{share}"
            parts.append(_Part(name, bytes_, about, parts=_nested(inside, len(common), total)))
    return sorted(parts, key=lambda part: -part.bytes)


def _about(column: _core.ColumnInfo) -> str:
    stored, whole = column.compressed_bytes, column.uncompressed_bytes
    return (
        f"{column.name}: {column.type or 'not read yet'}, stored as {column.stored_type}\n"
        f"{readable_bytes(stored)} on disk, {readable_bytes(whole)} in memory, ratio {whole / max(stored, 1):.1f}"
    )


def _colour(column: _core.ColumnInfo) -> str:
    ratio = column.uncompressed_bytes / max(column.compressed_bytes, 1)
    return next(colour for limit, colour in _COLOURS.items() if ratio < limit)


def _drawing(parts: Sequence[_Part], x: float, y: float, width: float, height: float) -> Iterator[str]:
    """Rectangles that fill one, and what is in them."""
    sizes = squarify.normalize_sizes([part.bytes for part in parts], width, height)
    for part, place in zip(parts, squarify.squarify(sizes, x, y, width, height), strict=True):
        yield from _rectangle(part, **place)


def _rectangle(part: _Part, x: float, y: float, dx: float, dy: float) -> Iterator[str]:
    yield (
        f'<g><title>{_escaped(part.about)}</title><rect x="{x:.1f}" y="{y:.1f}" width="{dx:.1f}" height="{dy:.1f}" '
        f'fill="{part.colour}" stroke="#ffffff" stroke-width="{1 if min(dx, dy) > 4 else 0.2}"/>'
    )
    if not part.parts:
        if dy > _LINE + 2:
            yield from _label(part.name, x, y, dx)
        size = readable_bytes(part.bytes)
        if dy > 2 * _LINE + 2 and _room(dx) >= max(len(size), _LEAST_TEXT):
            yield from _label(size, x, y + _LINE, dx, "fill-opacity='0.7'")
    elif min(dx, dy) > 3 * _LINE:
        yield from _label(part.name, x, y, dx, "font-weight='bold'")
        yield from _drawing(part.parts, x + 2, y + _LINE + 2, dx - 4, dy - _LINE - 4)
    else:
        yield from _drawing(part.parts, x, y, dx, dy)
    yield "</g>"


def _label(text: str, x: float, y: float, width: float, style: str = "") -> Iterator[str]:
    """A line of text below y, cut to the width; none where that leaves nothing to read."""
    if _room(width) >= min(len(text), _LEAST_TEXT):
        yield f'<text x="{x + 3:.1f}" y="{y + 13:.1f}" {style}>{_escaped(cut(text, _room(width)))}</text>'


def _room(width: float) -> int:
    """How many characters have room in so many pixels."""
    return int((width - 6) / _CHARACTER)


def _legend(y: float) -> Iterator[str]:
    yield from _label("in memory / on disk:", 0, y, _WIDTH)
    x = 170
    for limit, colour in _COLOURS.items():
        yield f'<rect x="{x}" y="{y}" width="14" height="{_LINE}" fill="{colour}"/>'
        yield from _label(f"below {limit}" if limit < float("inf") else "more", x + 16, y, _WIDTH)
        x += 100


def _escaped(text: str) -> str:
    return escape("".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text))
