"""Writes unclosed.root and autosaved.root with ROOT: `python tests/data/write_unclosed.py`.

unclosed.root: its process ended after 250 entries of dir/tree, the last `AutoSave` was after 200; and an object.
autosaved.root: tree with 1,000 entries, saved after each 200, closed.
Entry i has x = i, n = i % 4 and v = [i, i + 1, ...] (n values, float).
"""

import os
from array import array
from pathlib import Path

import ROOT

HERE = Path(__file__).parent


def fill(tree, start, stop, x, n, v):
    for i in range(start, stop):
        x[0], n[0] = i, i % 4
        for j in range(n[0]):
            v[j] = i + j
        tree.Fill()


def make_tree():
    x, n, v = array("i", [0]), array("i", [0]), array("f", [0] * 4)
    tree = ROOT.TTree("tree", "numbers")
    tree.Branch("x", x, "x/I")
    tree.Branch("n", n, "n/I")
    tree.Branch("v", v, "v[n]/F")
    tree.SetAutoFlush(0)
    tree.SetAutoSave(0)
    return tree, x, n, v


def write_unclosed():
    file = ROOT.TFile(str(HERE / "unclosed.root"), "RECREATE")
    directory = file.mkdir("dir")
    note = ROOT.TNamed("note", "kept")
    file.WriteObject(note, "note")
    directory.cd()
    tree, *buffers = make_tree()
    for start in (0, 100, 200):
        fill(tree, start, min(start + 100, 250), *buffers)
        if start < 200:
            tree.AutoSave("FlushBaskets")
    os._exit(0)


def write_autosaved():
    file = ROOT.TFile(str(HERE / "autosaved.root"), "RECREATE", "", 505)
    tree, *buffers = make_tree()
    for start in range(0, 1000, 200):
        fill(tree, start, start + 200, *buffers)
        tree.AutoSave("FlushBaskets SaveSelf")
    tree.Write("", ROOT.TObject.kOverwrite)
    file.Close()


if __name__ == "__main__":
    write_autosaved()
    if os.fork() == 0:
        write_unclosed()
    os.wait()
