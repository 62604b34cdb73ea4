"""Writes uneven_counter.root with ROOT: branches of one counter that were filled while it was another number.

Both branches hold as many items in all, so that only the offsets of the entries tell their lists apart.
"""

from array import array

import ROOT

counts = [3, 0, 1, 2, 5, 0, 4]

file = ROOT.TFile("uneven_counter.root", "recreate")
tree = ROOT.TTree("tree", "")
n = array("i", [0])
items = array("f", [0.0] * 8)
branches = {
    "n": tree.Branch("n", n, "n/I"),
    "a": tree.Branch("a", items, "a[n]/F"),
    "b": tree.Branch("b", items, "b[n]/F"),
}
tree.GetLeaf("n").SetMaximum(max(counts))
for entry, count in enumerate(counts):
    for name, filled in (("a", count), ("b", counts[-1 - entry]), ("n", count)):
        n[0] = filled
        for i in range(filled):
            items[i] = 10 * entry + i
        branches[name].Fill()
tree.SetEntries(len(counts))
tree.Write()
file.Close()
