"""Over- and undersampling of two samples, as ROOT's loaders define it."""

from __future__ import annotations

from dataclasses import dataclass

from ..loader import Loader
from ._errors import OptionError

_TYPES = ("", "undersampling", "oversampling")
_MOST_COPIES = 1000
_EDGE = 1e-9  # that a product may be below a whole number


@dataclass(frozen=True)
class Sampling:
    """Rows of the rarer sample over those of the other one in an epoch; by leaving rows of the other one out, or by
    giving rows of the rarer one several times.
    """

    type: str
    ratio: float
    replacement: bool

    def __post_init__(self) -> None:
        if self.type not in _TYPES:
            raise OptionError(f"sampling_type is {self.type!r}, must be 'undersampling', 'oversampling' or ''")
        if self.type and not self.ratio > 0:
            raise OptionError(f"sampling_ratio is {self.ratio}, must be positive")
        if self.replacement and self.type != "undersampling":
            raise OptionError("replacement is for sampling_type='undersampling'")

    def apply(self, loader: Loader) -> Loader:
        """Raises OptionError where the ratio asks for more rows than there are."""
        if not self.type:
            return loader
        classes = loader.balance(most_copies=_MOST_COPIES).explain().classes
        if len(classes) != 2:
            raise OptionError(f"sampling_type='{self.type}' wants two data sets or data frames, not {len(classes)}")
        minor, major = sorted(classes, key=lambda of: of.stored)
        of_minor, of_major = minor.stored, major.stored
        if self.type == "oversampling":
            of_minor = int(self.ratio * of_major + _EDGE)
        else:
            of_major = int(of_minor / self.ratio + _EDGE)
            if of_major > major.stored and not self.replacement:
                raise OptionError(
                    "The sampling_ratio is too low: not enough entries in the majority class to sample from. "
                    f"Choose sampling_ratio >= {of_minor / major.stored:.6g}, or replacement=True"
                )
        rows = of_minor + of_major
        if not (of_minor and of_major):
            raise OptionError(f"sampling_ratio is {self.ratio}, which leaves no rows of one of the two")
        return loader.balance(
            fractions={minor.name: of_minor / rows, major.name: of_major / rows},
            rows=rows,
            most_copies=max(1.0, of_minor / minor.stored + _EDGE, of_major / major.stored + _EDGE),
        )
