"""What a pass over the data says of its columns, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from . import _html
from ._cli_text import table

if TYPE_CHECKING:
    from . import _core

_HEADER = ("column", "values", "NaN", "min", "mean", "max", "standard deviation", "most in an entry")


class Description(Sequence["_core.Statistics"]):
    """Statistics of columns, in order."""

    def __init__(self, statistics: Sequence[_core.Statistics]) -> None:
        self._statistics = list(statistics)

    @overload
    def __getitem__(self, index: int) -> _core.Statistics: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[_core.Statistics]: ...
    def __getitem__(self, index: int | slice) -> _core.Statistics | Sequence[_core.Statistics]:
        return self._statistics[index]

    def __len__(self) -> int:
        return len(self._statistics)

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (
                s.expression,
                f"{s.values:,}",
                f"{s.nans:,}",
                *(f"{number:.4g}" if s.values else "-" for number in (s.min, s.mean, s.max, s.standard_deviation)),
                f"{s.max_multiplicity:,}",
            )
            for s in self._statistics
        ]

    def __repr__(self) -> str:
        return "\n".join(table(_HEADER, self._rows(), right=range(1, len(_HEADER))))

    def _repr_html_(self) -> str:
        rows = self._statistics[0].entries if self._statistics else 0
        return _html.table(f"{rows:,} rows", _HEADER, self._rows())
