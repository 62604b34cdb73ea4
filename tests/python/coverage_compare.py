"""Compares sapwood's columns with uproot's, and with ROOT's where uproot is no judge."""

from __future__ import annotations

import collections
import functools
import os
from typing import Any

import awkward as ak
import numpy as np
import uproot

READ_LEAF = r"""
#include <TBranch.h>
#include <TLeaf.h>
#include <TTree.h>
#include <vector>

namespace sapwood_tests {
struct LeafValues {
  std::vector<double> values;
  std::vector<long long> counts;
};

// Every value of a leaf, entry after entry, and how many each entry has.
LeafValues read_leaf(TTree& tree, TLeaf& leaf) {
  LeafValues read;
  for (long long entry = 0; entry < tree.GetEntries(); ++entry) {
    if (leaf.GetLeafCount()) leaf.GetLeafCount()->GetBranch()->GetEntry(entry);
    leaf.GetBranch()->GetEntry(entry);
    const int count = leaf.GetLen();
    for (int i = 0; i < count; ++i) read.values.push_back(leaf.GetValue(i));
    read.counts.push_back(count);
  }
  return read;
}
}  // namespace sapwood_tests
"""


class MismatchError(Exception):
    """Two readers give different columns; says where and what."""


class NotComparedError(Exception):
    """Nobody here can judge a column; says why."""


def compare(ours: Any, theirs: ak.contents.Content, stored_type: str, where: str = "") -> None:
    """Raises MismatchError unless a `_core.Column` has the structure, lengths and bits of an Awkward layout.

    Four differences are matters of convention: uproot names the members of tuples 0, 1, ..; reads RNTuple's char as
    uint8; gives cardinalities as int64; and rounds truncated Double32_t and Float16_t otherwise.
    """
    while theirs.is_indexed or theirs.is_option:
        if theirs.is_option and np.any(theirs.mask_as_bool(valid_when=False)):
            raise MismatchError(f"{where}: uproot has missing values")
        theirs = theirs.project()
    if ours.kind == "string":
        _expect(theirs.parameter("__array__") in ("string", "bytestring"), where, ours, theirs)
        strings = theirs.to_ListOffsetArray64(True)
        offsets = np.asarray(strings.offsets)
        _expect_equal(ours.offsets, offsets, f"{where} (lengths)")
        if ours.characters != np.asarray(strings.content.data)[: offsets[-1]].tobytes():
            raise MismatchError(f"{where}: other characters")
    elif ours.kind == "list":
        _expect(theirs.is_list and theirs.parameter("__array__") in (None, "set"), where, ours, theirs)
        lists = theirs.to_ListOffsetArray64(True)
        offsets = np.asarray(lists.offsets)
        _expect_equal(ours.offsets, offsets, f"{where} (offsets)")
        compare(ours.children[0], lists.content[: offsets[-1]], stored_type, f"{where}[]")
    elif ours.kind == "list_array":
        _expect(theirs.is_regular, where, ours, theirs)
        compare(ours.children[0], theirs.content[: theirs.length * theirs.size], stored_type, f"{where}[]")
    elif ours.kind == "record":
        _expect(theirs.is_record, where, ours, theirs)
        members = [f"_{name}" for name in theirs.fields] if theirs.is_tuple else theirs.fields
        if list(ours.member_names) != members:
            raise MismatchError(f"{where}: members {ours.member_names}, uproot has {members}")
        for name, child, field in zip(ours.member_names, ours.children, theirs.fields, strict=True):
            compare(child, theirs[field], stored_type, f"{where}.{name}")
    else:
        _compare_numbers(ours, theirs, stored_type, where)


def _compare_numbers(ours: Any, theirs: ak.contents.Content, stored_type: str, where: str) -> None:
    _expect(not theirs.is_record and (theirs.is_numpy or theirs.is_regular), where, ours, theirs)
    values, expected = ours.numpy(), ak.to_numpy(ak.Array(theirs))
    if (values.dtype, expected.dtype) == (np.int8, np.uint8):
        expected = expected.view(np.int8)
    if expected.dtype == bool:  # uproot keeps bytes that are neither 0 nor 1
        expected = expected.view(np.uint8) != 0
    if "RNTupleCardinality" in stored_type:
        expected = expected.astype(values.dtype)
    _expect_equal(values, expected, where, truncated=stored_type.startswith(("Double32_t", "Float16_t")))


def _expect(condition: bool, where: str, ours: Any, theirs: ak.contents.Content) -> None:
    if not condition:
        raise MismatchError(f"{where}: {ours.type}, uproot has {theirs.form.type}")


def _expect_equal(ours: Any, theirs: Any, where: str, *, truncated: bool = False) -> None:
    """Equal types, shapes and bits; NaN equals the same NaN only."""
    ours, theirs = np.ascontiguousarray(ours), np.ascontiguousarray(theirs)
    if ours.dtype != theirs.dtype or ours.shape != theirs.shape:
        raise MismatchError(f"{where}: {ours.dtype} {ours.shape}, uproot has {theirs.dtype} {theirs.shape}")
    different = ours.ravel().view(f"u{ours.itemsize}") != theirs.ravel().view(f"u{ours.itemsize}")
    if truncated and different.any():
        scale = max(4 * np.finfo(ours.dtype).eps, 1e-9) * np.abs(theirs).max()
        different = ~(np.abs(ours - theirs).ravel() <= scale)
    if different.any():
        at = int(np.argmax(different))
        raise MismatchError(
            f"{where}: {int(different.sum())} of {ours.size} values differ, first at {at}: "
            f"{ours.ravel()[at]!r}, uproot has {theirs.ravel()[at]!r}"
        )


class Oracles:
    """The readers of others, for one tree or n-tuple."""

    def __init__(self, path: str, table: Any) -> None:
        self._path = path
        self._table = table.path
        self._is_tree = table.format == "TTree"
        self._tree = uproot.open(path)[table.path]
        self._branches = _branches_by_name(self._tree) if self._is_tree else {}
        self._top_fields = set() if self._is_tree else set(self._tree.keys(recursive=False))

    def check(self, info: Any, ours: Any) -> str:
        """Compares a column and says with whom, "uproot" or "ROOT". Raises MismatchError, NotComparedError."""
        if not self._is_tree:
            compare(ours, self._ntuple_column(info.name), info.stored_type)
            return "uproot"
        branch = self._branch(info)
        try:
            theirs = branch.array(library="ak", entry_stop=self._tree.num_entries).layout
        except Exception as error:
            reason = f"uproot fails: {str(error).strip().splitlines()[0]}"
            return self._check_with_root(info, ours, branch, reason)
        if info.is_member and theirs.is_record:
            theirs = theirs[info.name.rsplit(".", 1)[1]]
        if info.stored_type.startswith(("Double32_t", "Float16_t")) and _root() is not None:
            return self._check_with_root(info, ours, branch, "")
        try:
            compare(ours, theirs, info.stored_type)
        except MismatchError:
            if not info.name.endswith("fBits"):
                raise
            # uproot takes the word after the fBits of an object that a TRef points to for another object's.
            return self._check_with_root(info, ours, branch, "uproot does not read the fBits of referenced objects")
        return "uproot"

    def _ntuple_column(self, name: str) -> ak.contents.Content:
        field, *members = [name] if name in self._top_fields else name.split(".")
        array = self._tree[field].array()
        for member in members:
            array = array[member.removeprefix("_") if ak.is_tuple(array) else member]
        return array.layout

    def _branch(self, info: Any) -> Any:
        """By our rule of naming: its own name, with the names of its parents where several share it, with ";2" on the
        second of the same names; of leaf lists "branch.leaf"."""
        name, _, ordinal = info.name.partition(";")
        for candidate in (name, name.rpartition(".")[0] if info.is_member else ""):
            found = self._branches.get(candidate, [])
            index = int(ordinal or 1) - 1
            if index < len(found):
                return found[index]
        raise MismatchError("uproot has no such branch")

    def _check_with_root(self, info: Any, ours: Any, branch: Any, reason: str) -> str:
        root = _root()
        if root is None:
            raise NotComparedError(reason)
        file = root.TFile.Open(self._path)
        tree = file.Get(self._table)
        name = branch.name if branch.top_level else f"{branch.parent.name}/{branch.name}"
        found = tree.GetBranch(branch.name) or tree.GetBranch(name)
        leaves = list(found.GetListOfLeaves())
        if info.is_member:
            leaves = [leaf for leaf in leaves if leaf.GetName() == info.name.rsplit(".", 1)[1]]
        columns = ours.children if len(leaves) > 1 else [ours]
        for leaf, column in zip(leaves, columns, strict=True):
            read = root.sapwood_tests.read_leaf(tree, leaf)
            values = np.asarray(read.values)
            if info.name.endswith("fBits"):  # ROOT sets this bit of referenced objects when it reads them
                values = (values.astype(np.uint32) & ~np.uint32(root.kMustCleanup)).astype(np.float64)
            _compare_flat(column, values, np.asarray(read.counts))
        return "ROOT"


def _compare_flat(ours: Any, values: np.ndarray, counts: np.ndarray) -> None:
    items = ours
    if ours.kind == "list":
        _expect_equal(np.diff(ours.offsets), counts.astype(np.int64), "counts (ROOT)")
        items = ours.children[0]
    flat = items.numpy().ravel()
    _expect_equal(flat, values.astype(flat.dtype), "values (ROOT)")


def _branches_by_name(tree: Any) -> dict[str, list[Any]]:
    found = collections.defaultdict(list)

    def walk(branches: Any, parents: list[str]) -> None:
        for branch in branches:
            path = [*parents, branch.name]
            found[branch.name].append(branch)
            if parents:
                found["/".join(path)].append(branch)
            walk(branch.branches, path)

    walk(tree.branches, [])
    return found


@functools.cache
def _root() -> Any:
    """The module ROOT with our reader of leaves in it; None where it is not installed."""
    if os.environ.get("SAPWOOD_TEST_WITHOUT_ROOT"):
        return None
    try:
        import ROOT
    except ImportError:
        return None
    ROOT.gErrorIgnoreLevel = ROOT.kFatal
    ROOT.gInterpreter.Declare(READ_LEAF)
    return ROOT
