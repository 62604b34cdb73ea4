"""Makes the benchmarks' data: python benchmarks/make_data.py DIRECTORY {flat,jets,events,memory}...

Needs ROOT, which writes the flat and memory files; jets and events are copies of files that are there already. What is
complete in the directory is not made again. All files of a kind and part hold the same rows in every format.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
#: Where jets and events are looked for, in this order.
SOURCES = [REPOSITORY.parent / "shared" / "data", REPOSITORY / "examples" / "data"]

#: 28 float columns (normal and exponential by turns), a label and a weight; written entry by entry.
WRITERS = r"""
#include <ROOT/RNTupleModel.hxx>
#include <ROOT/RNTupleWriter.hxx>
#include <TFile.h>
#include <TTree.h>
#include <random>

namespace flat {
struct Row {
  float features[28];
  int label;
  float weight;
};

class Generator {
 public:
  explicit Generator(unsigned seed) : engine_(seed) {}
  void fill(Row& row) {
    for (int i = 0; i < 28; ++i) row.features[i] = i % 2 ? normal_(engine_) : 50 * exponential_(engine_);
    row.label = engine_() & 1;
    row.weight = uniform_(engine_);
  }

 private:
  std::mt19937_64 engine_;
  std::normal_distribution<float> normal_;
  std::exponential_distribution<float> exponential_;
  std::uniform_real_distribution<float> uniform_;
};

std::string feature_name(int i) { return (i < 10 ? "f0" : "f") + std::to_string(i); }

void write_ttree(const std::string& path, long long rows, unsigned seed, int compression, long long auto_flush) {
  TFile file(path.c_str(), "RECREATE", "", compression);
  auto* tree = new TTree("Events", "");
  tree->SetAutoFlush(auto_flush);
  Row row;
  for (int i = 0; i < 28; ++i) tree->Branch(feature_name(i).c_str(), &row.features[i]);
  tree->Branch("label", &row.label);
  tree->Branch("weight", &row.weight);
  Generator generator(seed);
  for (long long i = 0; i < rows; ++i) {
    generator.fill(row);
    tree->Fill();
  }
  file.Write();
}

void write_rntuple(const std::string& path, long long rows, unsigned seed, int compression, size_t cluster_bytes) {
  auto model = ROOT::RNTupleModel::Create();
  std::vector<std::shared_ptr<float>> features;
  for (int i = 0; i < 28; ++i) features.push_back(model->MakeField<float>(feature_name(i)));
  auto label = model->MakeField<int>("label");
  auto weight = model->MakeField<float>("weight");
  ROOT::RNTupleWriteOptions options;
  options.SetCompression(compression);
  if (cluster_bytes) {
    options.SetMaxUnzippedClusterSize(cluster_bytes);
    options.SetApproxZippedClusterSize(cluster_bytes);
  }
  auto writer = ROOT::RNTupleWriter::Recreate(std::move(model), "Events", path, options);
  Generator generator(seed);
  Row row;
  for (long long i = 0; i < rows; ++i) {
    generator.fill(row);
    for (int k = 0; k < 28; ++k) *features[k] = row.features[k];
    *label = row.label;
    *weight = row.weight;
    writer->Fill();
  }
}
}  // namespace flat
"""

ZSTD_5, ZSTD_1, LZ4_4 = 505, 501, 404  # as ROOT writes an algorithm and its level
ROOTS_AUTO_FLUSH = -30_000_000  # bytes
ROOTS_CLUSTERS = 0
LARGE_CLUSTER = 2_000_000_000  # bytes, more than one file holds
#: For 10 million rows: 1.2 GB before compression.
MEMORY_ROWS = 10_000_000


@dataclasses.dataclass
class Sizes:
    """How much of each kind."""

    flat_rows: int = 500_000  # of each file
    flat_files: int = 4
    copies: int = 2  # of the TTree files of jets; three times as many of the RNTuple files, a third as long
    event_copies: int = 10  # the same of events


def _write(path: Path, writer: str, *arguments: int) -> None:
    """Writes under another name first, so that what carries its name is complete."""
    if path.exists():
        return
    import ROOT

    if not hasattr(ROOT, "flat"):
        ROOT.gInterpreter.Declare(WRITERS)
    start = time.monotonic()
    partial = path.with_suffix(".partial")
    getattr(ROOT.flat, writer)(str(partial), *arguments)
    partial.rename(path)
    print(f"made {path} ({path.stat().st_size / 1e6:.0f} MB) in {time.monotonic() - start:.0f} s", flush=True)


def make_flat(directory: Path, sizes: Sizes) -> None:
    """`flat/{ttree_zstd,ttree_lz4,rntuple_zstd}_<part>.root`, n-tuple `Events`."""
    directory.mkdir(parents=True, exist_ok=True)
    for part in range(sizes.flat_files):
        rows, seed = sizes.flat_rows, part + 1
        _write(directory / f"ttree_zstd_{part}.root", "write_ttree", rows, seed, ZSTD_5, ROOTS_AUTO_FLUSH)
        _write(directory / f"ttree_lz4_{part}.root", "write_ttree", rows, seed, LZ4_4, ROOTS_AUTO_FLUSH)
        _write(directory / f"rntuple_zstd_{part}.root", "write_rntuple", rows, seed, ZSTD_5, ROOTS_CLUSTERS)


def make_copies(directory: Path, kind: str, ttree_copies: int) -> None:
    """`{jets,events}/{ttree,rntuple}_<name>_<copy>.root` from the project's samples, each as often as asked."""
    directory.mkdir(parents=True, exist_ok=True)
    source = next((folder for folder in SOURCES if list(folder.glob(f"{kind}/*.root"))), None)
    if source is None:
        raise SystemExit(f"no {kind} in {', '.join(str(folder / kind) for folder in SOURCES)}")
    for file_format, copies in (("ttree", ttree_copies), ("rntuple", 3 * ttree_copies)):
        for path in sorted(source.glob(f"{kind}/*_{file_format}.root")):
            name = path.stem.removesuffix(f"_{file_format}")
            if "_" in name:  # the same jets under another codec
                continue
            for copy in range(copies):
                to = directory / f"{file_format}_{name}_{copy}.root"
                if not to.exists():
                    shutil.copyfile(path, to)


def make_memory(directory: Path, _sizes: Sizes) -> None:
    """Four files of 10 million rows: what a bound on memory finds hard, and what is usual. More than 4 GB in all."""
    directory.mkdir(parents=True, exist_ok=True)
    _write(directory / "rntuple_one_cluster.root", "write_rntuple", MEMORY_ROWS, 11, ZSTD_1, LARGE_CLUSTER)
    _write(directory / "ttree_no_flush.root", "write_ttree", MEMORY_ROWS, 12, ZSTD_1, 0)
    _write(directory / "rntuple_usual.root", "write_rntuple", MEMORY_ROWS, 13, ZSTD_1, ROOTS_CLUSTERS)
    _write(directory / "ttree_usual.root", "write_ttree", MEMORY_ROWS, 14, ZSTD_1, ROOTS_AUTO_FLUSH)


def make(directory: Path, kinds: list[str], sizes: Sizes) -> None:
    """Makes what is missing of these kinds of data, in a folder each."""
    for kind in kinds:
        if kind == "flat":
            make_flat(directory / "flat", sizes)
        elif kind == "memory":
            make_memory(directory / "memory", sizes)
        elif kind == "jets":
            make_copies(directory / kind, kind, sizes.copies)
        else:
            make_copies(directory / kind, kind, sizes.event_copies)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("kinds", nargs="+", choices=["flat", "jets", "events", "memory"])
    parser.add_argument("--flat-rows", type=int, default=Sizes.flat_rows, help="rows of each flat file (%(default)s)")
    parser.add_argument("--flat-files", type=int, default=Sizes.flat_files, help="flat files per format (%(default)s)")
    parser.add_argument("--copies", type=int, default=Sizes.copies, help="of each jets file (%(default)s)")
    parser.add_argument("--event-copies", type=int, default=Sizes.event_copies, help="of each events file")
    options = parser.parse_args()
    sizes = Sizes(options.flat_rows, options.flat_files, options.copies, options.event_copies)
    make(options.directory, options.kinds, sizes)


if __name__ == "__main__":
    main()
