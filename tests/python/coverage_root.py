"""Reads values with ROOT, for comparison, in processes of their own: ROOT ends some of them."""

from __future__ import annotations

import dataclasses
import functools
import os
import pickle
import re
import signal
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Values, and how many each entry has.
Found = dict[str, tuple[np.ndarray, np.ndarray]]

MOST_CRASHES = 20
SECONDS = 120
#: kMustCleanup, kIsOnHeap and kNotDeleted, which ROOT sets in the fBits of objects that it reads.
SET_BITS = 1 << 3 | 0x01000000 | 0x02000000

READ_LEAF = r"""
#include <TBranch.h>
#include <TLeaf.h>
#include <TTree.h>
#include <TTreeFormula.h>
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

// The same of a member of objects, which TTree::Draw would draw; nothing where ROOT does not know it.
LeafValues read_member(TTree& tree, const char* name) {
  LeafValues read;
  TTreeFormula formula("member", name, &tree);
  if (formula.GetNdim() == 0) return read;
  for (long long entry = 0; entry < tree.GetEntries(); ++entry) {
    tree.LoadTree(entry);
    const int count = formula.GetNdata();
    for (int i = 0; i < count; ++i) read.values.push_back(formula.EvalInstance(i));
    read.counts.push_back(count);
  }
  return read;
}
}  // namespace sapwood_tests
"""


def is_there() -> bool:
    return _root() is not None


@dataclasses.dataclass(frozen=True)
class Leaf:
    """The `index`-th leaf of a branch, which is known by one of two names; or of its leaves called `name`."""

    branch: tuple[str, str]
    name: str | None
    index: int

    def read(self, tree: Any) -> Any:
        leaves = list((tree.GetBranch(self.branch[0]) or tree.GetBranch(self.branch[1])).GetListOfLeaves())
        if self.name is not None:
            leaves = [leaf for leaf in leaves if leaf.GetName() == self.name]
        return _root().sapwood_tests.read_leaf(tree, leaves[self.index])


@dataclasses.dataclass(frozen=True)
class Member:
    """A member of objects, called as TTree::Draw does."""

    name: str
    stored_type: str

    def read(self, tree: Any) -> Any:
        name = re.sub(r"\[\d+\]", "", self.name).replace("..", ".")
        return _root().sapwood_tests.read_member(
            tree, name + (".fArray" if self.stored_type.startswith("TArray") else "")
        )


def read(path: str, table: str, reads: Mapping[str, Leaf | Member]) -> Found:
    """Values and counts of each entry; of what ROOT can't read nothing."""
    found: Found = {}
    left = dict(reads)
    for _ in range(MOST_CRASHES):
        came = _read_apart(path, table, left)
        found |= {name: values for name, values in came.items() if values is not None}
        names = list(left)
        if len(came) >= len(names):
            break
        left = {name: left[name] for name in names[len(came) + 1 :]}  # without that which ended ROOT
    return found


def _read_apart(path: str, table: str, reads: Mapping[str, Leaf | Member]) -> dict[str, Any]:
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            _root().gSystem.ResetSignals()  # no debugger where it crashes
            signal.alarm(SECONDS)
            file = _root().TFile.Open(path)
            with os.fdopen(sender, "wb") as pipe:
                tree = file.Get(table)
                for name, wanted in reads.items():
                    values = wanted.read(tree)
                    arrays = (np.array(values.values), np.array(values.counts)) if len(values.counts) else None
                    pickle.dump((name, arrays), pipe)
                    pipe.flush()
        finally:
            os._exit(0)
    os.close(sender)
    came: dict[str, Any] = {}
    with os.fdopen(receiver, "rb") as pipe:
        while True:
            try:
                name, arrays = pickle.load(pipe)  # noqa: S301 - of our own child
            except (EOFError, pickle.UnpicklingError):
                break
            came[name] = arrays
    os.waitpid(child, 0)
    return came


@functools.cache
def _root() -> Any:
    """The module ROOT with our readers in it; None where it is not installed."""
    if os.environ.get("SAPWOOD_TEST_WITHOUT_ROOT"):
        return None
    try:
        import ROOT
    except ImportError:
        return None
    ROOT.gErrorIgnoreLevel = ROOT.kFatal
    ROOT.gInterpreter.Declare(READ_LEAF)
    return ROOT
