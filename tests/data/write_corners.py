"""Writes corners.root and kept.root with ROOT: `python tests/data/write_corners.py`.

corners.root, tree t, a MyTree, which derives from TTree, of 6 entries i: `text`, a TLeafC of i % 3 times "s", of which
nothing is stored when it is empty; `record`, leaves `x` = i and `c`, the same text; `grid`, Double32_t [2][3] of 0.25 i
+ 0.25, + 0.5, ... within the range [0, 10] of 20 bits; `short`, Float16_t [2][2] of i + 0, 1, 2, 3 with 8 bits;
`list`, a vector<float> of i % 4 times i, in baskets that store the sizes of entries in place of offsets.

kept.root, tree t in two cycles of 3 entries, of which the second is to be kept: x = 10, 11, 12 and 20, 21, 22; a tree
`deleted` that was deleted when the file was updated, so that it lies behind the end that the header tells.
"""

import ctypes
import os
import tempfile
from array import array
from pathlib import Path

import ROOT

HERE = Path(__file__).resolve().parent
CODE = """
#include <TTree.h>

struct Record { int x; char c[8]; };
class MyTree : public TTree {
 public:
  MyTree() {}
  MyTree(const char* name) : TTree(name, name) {}
  int extra = 7;
  ClassDefOverride(MyTree, 1)
};
#ifdef __CLING__
#pragma link C++ class MyTree+;
#endif
"""


def write_corners(path: str) -> None:
    file = ROOT.TFile(path, "RECREATE", "", 505)
    tree = ROOT.MyTree("t")
    ROOT.SetOwnership(tree, False)  # the file deletes it
    text = array("b", [0] * 8)
    record = ROOT.Record()
    grid, short = array("d", [0] * 6), array("f", [0] * 4)
    values = ROOT.std.vector("float")()
    features = ROOT.ROOT.TIOFeatures()
    features.Set(ROOT.ROOT.Experimental.EIOFeatures.kGenerateOffsetMap)
    tree.Branch("text", text, "text/C")
    tree.Branch("record", record, "x/I:c/C")
    tree.Branch("grid", grid, "grid[2][3]/d[0,10,20]")
    tree.Branch("short", short, "short[2][2]/f[0,0,8]")
    tree.Branch("list", values).SetIOFeatures(features)
    for i in range(6):
        letters = b"s" * (i % 3) + b"\0"
        for k, letter in enumerate(letters):
            text[k] = letter
        record.x = i
        ctypes.memmove(ROOT.addressof(record, "c"), letters, len(letters))
        for k in range(6):
            grid[k] = 0.25 * (i + k + 1)
        for k in range(4):
            short[k] = i + k
        values.assign(i % 4, i)
        tree.Fill()
    tree.Write()
    file.Close()


def write_kept(path: str) -> None:
    x = array("i", [0])
    file = ROOT.TFile(path, "RECREATE", "", 505)
    for name, start in (("t", 10), ("t", 20), ("deleted", 0)):
        tree = ROOT.TTree(name, "")
        tree.Branch("x", x, "x/I")
        for i in range(3):
            x[0] = start + i
            tree.Fill()
        tree.Write()
        tree.SetDirectory(0)
    file.Close()
    file = ROOT.TFile(path, "UPDATE")
    next(key for key in file.GetListOfKeys() if key.GetName() == "t" and key.GetCycle() == 2).Keep()
    file.Delete("deleted;*")
    file.SaveSelf(True)
    file.Close()


def main() -> None:
    os.chdir(tempfile.mkdtemp())
    Path("corners.C").write_text(CODE)
    assert ROOT.gSystem.CompileMacro("corners.C", "kO")
    write_corners(str(HERE / "corners.root"))
    write_kept(str(HERE / "kept.root"))


if __name__ == "__main__":
    main()
