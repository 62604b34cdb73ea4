"""What the filters of a data set leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from . import _html
from ._cli_text import table

if TYPE_CHECKING:
    from . import _core

_HEADER = ("filter", "before", "after", "passes", "of all")


class CutFlow(Sequence["_core.Cut"]):
    """How many rows pass each filter, in order. A sequence of cuts with ``name``, ``before`` and ``after``."""

    def __init__(self, entries: int, cuts: Sequence[_core.Cut]) -> None:
        #: Rows before the first filter.
        self.entries = entries
        self._cuts = list(cuts)

    @property
    def rows(self) -> int:
        """Rows that pass all filters."""
        return self._cuts[-1].after if self._cuts else self.entries

    @overload
    def __getitem__(self, index: int) -> _core.Cut: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[_core.Cut]: ...
    def __getitem__(self, index: int | slice) -> _core.Cut | Sequence[_core.Cut]:
        return self._cuts[index]

    def __len__(self) -> int:
        return len(self._cuts)

    def _rows(self) -> list[tuple[str, ...]]:
        def share(part: int, whole: int) -> str:
            return f"{100 * part / whole:.2f} %" if whole else "-"

        return [
            (
                cut.name,
                f"{cut.before:,}",
                f"{cut.after:,}",
                share(cut.after, cut.before),
                share(cut.after, self.entries),
            )
            for cut in self._cuts
        ]

    def __repr__(self) -> str:
        return "\n".join(table(_HEADER, self._rows(), right=range(1, len(_HEADER))))

    def _repr_html_(self) -> str:
        return _html.table(f"{self.rows:,} of {self.entries:,} rows", _HEADER, self._rows())
