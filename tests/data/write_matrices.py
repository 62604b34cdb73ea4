"""Writes matrices.root with ROOT: `python tests/data/write_matrices.py`.

Tree t, 5 entries, of symmetric matrices M with M(i, j) = 100 entry + 10 i + j for j >= i: `covariance`, of double and
3 + entry % 2 rows; `several`, a vector of entry such; and `fit`, an object of a class with an int `id` = entry, such a
matrix of float and 2 rows, and a `weight` = entry / 2 behind it.
"""

import os
import tempfile
from pathlib import Path

import ROOT

here = Path(__file__).resolve().parent
os.chdir(tempfile.mkdtemp())
code = Path("matrices.C")
code.write_text("""
#include <TFile.h>
#include <TMatrixDSym.h>
#include <TMatrixFSym.h>
#include <TTree.h>

#include <vector>

struct Fit {
  int id = 0;
  TMatrixFSym matrix{2};
  float weight = 0;
};

template <class Matrix>
void fill(Matrix& matrix, int rows, int entry) {
  matrix.ResizeTo(rows, rows);
  for (int i = 0; i < rows; ++i) {
    for (int j = i; j < rows; ++j) matrix(i, j) = matrix(j, i) = 100 * entry + 10 * i + j;
  }
}

void write_matrices(const char* path) {
  TFile file(path, "RECREATE", "", 505);
  TTree* tree = new TTree("t", "");
  TMatrixDSym covariance;
  std::vector<TMatrixDSym> several;
  Fit fit;
  tree->Branch("covariance", &covariance);
  tree->Branch("several", &several);
  tree->Branch("fit", &fit, 32000, 0);
  tree->Branch("split.", &fit, 32000, 99);
  for (int entry = 0; entry < 5; ++entry) {
    fill(covariance, 3 + entry % 2, entry);
    several.assign(entry, covariance);
    fit.id = entry;
    fill(fit.matrix, 2, entry);
    fit.weight = entry / 2.f;
    tree->Fill();
  }
  tree->Write();
}

#ifdef __CLING__
#pragma link C++ class Fit+;
#pragma link C++ class std::vector<TMatrixTSym<double>>+;
#endif
""")
assert ROOT.gSystem.CompileMacro(str(code), "kO")
ROOT.gInterpreter.Declare("void write_matrices(const char* path);")
ROOT.write_matrices(str(here / "matrices.root"))
