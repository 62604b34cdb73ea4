"""Writes the files of a layout with ROOT: TTrees `Events` of class, cluster and row number and four floats,
and of the layout's padding."""

from __future__ import annotations

from pathlib import Path

from layout import Layout

WRITER = r"""
#include <TFile.h>
#include <TRandom3.h>
#include <TTree.h>

namespace shuffle {
// A file of so many clusters of so many rows, all of one class. `first_row` counts through all files.
void write(const char* path, int label, int clusters, int rows_per_cluster, int first_row, int padding) {
  TFile file(path, "RECREATE", "", 501);
  auto* tree = new TTree("Events", "");
  tree->SetAutoFlush(rows_per_cluster);
  int cluster = 0, row = first_row;
  float x[4];
  tree->Branch("class", &label);
  tree->Branch("cluster", &cluster);
  tree->Branch("row", &row);
  for (int k = 0; k < 4; ++k) tree->Branch(("x" + std::to_string(k)).c_str(), &x[k]);
  const std::vector<float> zeros(padding + 1);
  if (padding > 0) {
    const int basket = 4 * padding * rows_per_cluster + 10'000;
    const std::string leaf = "padding[" + std::to_string(padding) + "]/F";
    tree->Branch("padding", const_cast<float*>(zeros.data()), leaf.c_str(), basket);
  }
  TRandom3 random(first_row + 1);
  for (int i = 0; i < clusters * rows_per_cluster; ++i, ++row) {
    cluster = row / rows_per_cluster;
    for (float& value : x) value = random.Gaus();
    tree->Fill();
  }
  file.Write();
}
}  // namespace shuffle
"""


def make_files(directory: Path, layout: Layout) -> list[Path]:
    """The files in their order, in a folder of `directory`; those that are there already are not made again."""
    numbers = (layout.classes, layout.files, layout.clusters_per_file, layout.rows_per_cluster, layout.padding)
    directory /= "_".join(map(str, numbers))
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for file in range(layout.files):
        paths.append(directory / f"part_{file:04d}.root")
        if not paths[-1].exists():
            _write(paths[-1], file, layout)
    return paths


def _write(path: Path, file: int, layout: Layout) -> None:
    import ROOT

    if not hasattr(ROOT, "shuffle"):
        ROOT.gInterpreter.Declare(WRITER)
    partial = path.with_suffix(".partial")  # what carries its name is complete
    label = file * layout.classes // layout.files
    shape = layout.clusters_per_file, layout.rows_per_cluster, file * layout.rows_per_file, layout.padding
    ROOT.shuffle.write(str(partial), label, *shape)
    partial.rename(path)
