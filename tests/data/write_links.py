"""Writes links.root with ROOT: `python tests/data/write_links.py`.

Tree t, 10 entries with x = entry and y = 2 x, names the aliases `sum` (x + y) and `far` (sqrt(x*x + y*y) > 10), and the
friends `other` (tree f of the same file, v = -x) and `more` (tree g of elsewhere.root, which is not kept).
"""

import os
import tempfile
from array import array
from pathlib import Path

import ROOT

here = Path(__file__).resolve().parent
os.chdir(tempfile.mkdtemp())
elsewhere = ROOT.TFile("elsewhere.root", "RECREATE")
ROOT.TTree("g", "").Write()
elsewhere.Close()
file = ROOT.TFile(str(here / "links.root"), "RECREATE", "", 505)
x, y, v = (array("d", [0]) for _ in range(3))
tree, other = ROOT.TTree("t", ""), ROOT.TTree("f", "")
tree.Branch("x", x, "x/D")
tree.Branch("y", y, "y/D")
other.Branch("v", v, "v/D")
for entry in range(10):
    x[0], y[0], v[0] = entry, 2 * entry, -entry
    tree.Fill()
    other.Fill()
tree.SetAlias("sum", "x + y")
tree.SetAlias("far", "sqrt(x*x + y*y) > 10")
other.Write()
tree.AddFriend("other = f", file)
tree.AddFriend("more = g", "elsewhere.root")
tree.Write()
file.Close()
