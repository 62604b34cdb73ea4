"""Frames of ROOT's RDataFrame as tables: their event loops give rows to the core, without Python."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

from . import _core

_log = logging.getLogger("sapwood")


def is_frame(source: object) -> bool:
    """Whether it is a ``ROOT.RDataFrame``, or a node made of one."""
    return "ROOT" in sys.modules and hasattr(source, "GetColumnNames") and hasattr(source, "GetNSlots")


def open_table(frame: Any) -> _core.Table:
    """The frame as a table. Its event loop runs when the table is read, one for each unit of entries.

    Raises UnsupportedError (ROOT is too old; a data source that can't be read), IoError (the event loop fails).
    """
    import ROOT

    ROOT.EnableThreadSafety()
    if not hasattr(ROOT, "sapwood"):
        include = Path(__file__).parent / "include"
        ROOT.gInterpreter.AddIncludePath(str(include))
        if not ROOT.gInterpreter.Declare(f'#include "{include}/sapwood/frame/rdataframe.h"'):
            raise _core.UnsupportedError(f"frames take ROOT 6.40 or newer, and this is {ROOT.gROOT.GetVersion()}")
    node = ROOT.RDF.AsRNode(frame)
    has_ranges = 'label="Range"' in str(ROOT.RDF.SaveGraph(node))
    try:
        calls = ROOT.sapwood.rdataframe.open(node, has_ranges)
    except Exception as error:
        raise _core.IoError(f"the frame can't be opened: {error}") from error
    table = _core.open_frame(ROOT.addressof(calls))
    if has_ranges:
        _log.warning("a Range in a frame makes each unit of entries an event loop over all: limit entries otherwise")
    elif not node.GetFilterNames() and not node.GetDefinedColumnNames():
        _log.warning("the frame has no filters or definitions: sapwood.open of its files is 4 to 40 times as fast")
    return table
