"""One line in the terminal that tells how an epoch goes."""

from __future__ import annotations

import math
import sys
import time


class Progress:
    """A bar with rows per second and the mean loss; where there is no terminal, one line at the end of an epoch."""

    def __init__(self, title: str, total: int, rows: int = 0, loss_sum: float = 0.0) -> None:
        """Of an epoch of `total` rows; `rows` and `loss_sum` when it goes on."""
        self._title = title
        self._total = total
        self._rows_before = rows
        self._begin = time.perf_counter()
        self._shown = 0.0
        self._live = sys.stderr.isatty()
        self.rows = rows
        self.loss_sum = loss_sum

    @property
    def loss(self) -> float:
        """Mean over the rows so far."""
        return self.loss_sum / max(self.rows, 1)

    @property
    def rate(self) -> float:
        """Rows per second."""
        return (self.rows - self._rows_before) / max(time.perf_counter() - self._begin, 1e-9)

    def add(self, rows: int, loss: float) -> None:
        """Counts a batch with its mean loss, NaN when it has none."""
        self.rows += rows
        self.loss_sum += rows * loss
        if self._live and time.perf_counter() - self._shown > 0.1:
            self._shown = time.perf_counter()
            print(f"\r{self._line()}", end="", file=sys.stderr, flush=True)

    def close(self, remark: str = "") -> None:
        """Ends the line, with a remark."""
        start = "\r" if self._live else ""
        print(f"{start}{self._line()}{remark}", file=sys.stderr, flush=True)

    def _line(self) -> str:
        filled = 20 * self.rows // max(self._total, 1)
        bar = "█" * filled + "░" * (20 - filled)
        loss = "" if math.isnan(self.loss) else f"  loss {self.loss:.4f}"
        return f"{self._title} {bar} {self.rows:>6,} rows  {self.rate:>7,.0f} rows/s{loss}"
