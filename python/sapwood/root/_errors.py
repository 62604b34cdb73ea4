"""Errors as scripts for ROOT catch them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .._core import ConfigError, SchemaError


class OptionError(ConfigError, ValueError):
    """An option is wrong, or names no column: a ConfigError, and a ValueError as ROOT's loaders raise."""


@contextmanager
def option_errors() -> Iterator[None]:
    """Turns what the library says of options and columns into OptionError."""
    try:
        yield
    except OptionError:
        raise
    except (ConfigError, SchemaError) as error:
        raise OptionError(str(error)) from None
