#!/usr/bin/env python3
"""Cuts the sample files of examples/data from larger files of simulated jets. Needs ROOT 6.40.

    scripts/make_example_data.py --jets FOLDER --output examples/data

FOLDER holds {QCD,Tbqq}_{ttree,rntuple}.root, each with a tree or n-tuple named "tree" of JetClass-like
columns.
"""

import argparse
import sys
import warnings
from pathlib import Path

# Real numbers of particles keep this many bits of their mantissa (a relative precision of 1e-4), as slimmed
# data of experiments do, so that more jets fit.
MANTISSA_BITS = 12

REAL_PARTICLE_COLUMNS = [f"part_{name}" for name in ("px", "py", "pz", "energy", "deta", "dphi", "d0val", "dzval")]
PARTICLE_COLUMNS = REAL_PARTICLE_COLUMNS + [
    f"part_{name}" for name in ("charge", "isChargedHadron", "isNeutralHadron", "isPhoton", "isElectron", "isMuon")
]
JET_COLUMNS = [f"jet_{name}" for name in ("pt", "eta", "sdmass", "nparticles", "tau1", "tau2", "tau3", "tau4")]
LABEL_COLUMNS = ["label_QCD", "label_Tbqq"]

ROUNDING = """
std::vector<float> sapwood_round_mantissa(const ROOT::RVecF& values) {
  constexpr std::uint32_t kDropped = 23 - %d;
  std::vector<float> rounded(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, &values[i], sizeof bits);
    bits = (bits + (1u << (kDropped - 1))) >> kDropped << kDropped;
    std::memcpy(&rounded[i], &bits, sizeof bits);
  }
  return rounded;
}
"""


def cut(source: Path, target: Path, jets: int, cluster_jets: int) -> None:
    """Writes the first `jets` entries of `source`, in the format of its name."""
    import ROOT

    options = ROOT.RDF.RSnapshotOptions()
    options.fCompressionAlgorithm = ROOT.RCompressionSetting.EAlgorithm.kZSTD
    options.fCompressionLevel = 9
    options.fVector2RVec = False
    if source.stem.endswith("_rntuple"):
        options.fOutputFormat = ROOT.RDF.ESnapshotOutputFormat.kRNTuple
        # RNTuple counts clusters in bytes; a jet takes about 1 kB compressed.
        options.fApproxZippedClusterSize = cluster_jets * 1000
    else:
        options.fOutputFormat = ROOT.RDF.ESnapshotOutputFormat.kTTree
        options.fAutoFlush = cluster_jets
    frame = ROOT.RDataFrame("tree", str(source)).Range(0, jets)
    for column in REAL_PARTICLE_COLUMNS:
        frame = frame.Redefine(column, f"sapwood_round_mantissa({column})")
    frame.Snapshot("tree", str(target), PARTICLE_COLUMNS + JET_COLUMNS + LABEL_COLUMNS, options)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jets", type=Path, required=True, help="folder with the full files")
    parser.add_argument("--output", type=Path, default=Path("examples/data"))
    parser.add_argument("--ttree-jets", type=int, default=2800, help="jets of each class as TTree")
    parser.add_argument("--rntuple-jets", type=int, default=2000, help="jets of each class as RNTuple")
    arguments = parser.parse_args()

    warnings.simplefilter("ignore")  # ROOT's package announces its alpha state on import
    import ROOT

    ROOT.gInterpreter.Declare("#include <cstring>\n#include <cstdint>\n" + ROUNDING % MANTISSA_BITS)
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name in ("QCD", "Tbqq"):
        for form, jets in (("ttree", arguments.ttree_jets), ("rntuple", arguments.rntuple_jets)):
            target = arguments.output / f"{name}_{form}.root"
            cut(arguments.jets / f"{name}_{form}.root", target, jets, cluster_jets=400)
            print(f"{target}: {jets} jets, {target.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
