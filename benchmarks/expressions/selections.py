"""Five selections and definitions of everyday analyses, in the words of each implementation.

Each gives some numbers of each event or object, whose sums are compared. Awkward's functions are written as one would
write them in an analysis of columns.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(frozen=True)
class Selection:
    name: str
    kind: str  # of data: physics, jets
    columns: tuple[str, ...]
    #: sapwood: (filters, definitions by name, what is summed).
    ours: tuple[tuple[str, ...], dict[str, str], tuple[str, ...]]
    #: RDataFrame: the same.
    root: tuple[tuple[str, ...], dict[str, str], tuple[str, ...]]
    #: Columns of Awkward to columns, flat or jagged.
    awkward: Callable[[Any], dict[str, Any]]


def _dimuon(events):
    import awkward as ak
    import numpy as np

    chosen = events[events.nMuon == 2]
    chosen = chosen[chosen.Muon_charge[:, 0] != chosen.Muon_charge[:, 1]]
    px, py = chosen.Muon_pt * np.cos(chosen.Muon_phi), chosen.Muon_pt * np.sin(chosen.Muon_phi)
    pz = chosen.Muon_pt * np.sinh(chosen.Muon_eta)
    energy = np.sqrt(px**2 + py**2 + pz**2 + chosen.Muon_mass**2)
    squared = ak.sum(energy, axis=1) ** 2 - sum(ak.sum(p, axis=1) ** 2 for p in (px, py, pz))
    return {"mass": np.sqrt(np.maximum(squared, 0))}


def _ht(events):
    import awkward as ak

    return {"ht": ak.sum(events.Jet_pt[(events.Jet_pt > 30) & (abs(events.Jet_eta) < 2.4)], axis=1)}


def _leading(events):
    import numpy as np

    chosen = events[events.nJet >= 2]
    dphi = (chosen.Jet_phi[:, 0] - chosen.Jet_phi[:, 1] + np.pi) % (2 * np.pi) - np.pi
    return {
        "lead_pt": chosen.Jet_pt[:, 0],
        "lead_eta": abs(chosen.Jet_eta[:, 0]),
        "ratio": chosen.Jet_pt[:, 1] / chosen.Jet_pt[:, 0],
        "dphi": abs(dphi),
    }


def _matching(events):
    import awkward as ak
    import numpy as np

    chosen = events[(events.nJet >= 1) & (events.nMuon >= 1)]
    deta = chosen.Muon_eta - chosen.Jet_eta[:, 0]
    dphi = (chosen.Muon_phi - chosen.Jet_phi[:, 0] + np.pi) % (2 * np.pi) - np.pi
    distance = np.sqrt(deta**2 + dphi**2)
    return {"nearest": ak.min(distance, axis=1), "matched": ak.sum(distance < 0.4, axis=1)}


def _top_jets(jets):
    import awkward as ak
    import numpy as np

    pt = np.sqrt(jets.part_px**2 + jets.part_py**2)
    distance = np.sqrt(jets.part_deta**2 + jets.part_dphi**2)
    return {
        "log_pt": np.log(pt),
        "log_share": np.log(jets.part_energy / ak.sum(jets.part_energy, axis=1)),
        "width": ak.sum(pt * distance, axis=1) / ak.sum(pt, axis=1),
        "ptd": np.sqrt(ak.sum(pt**2, axis=1)) / ak.sum(pt, axis=1),
    }


_MUON = ("Muon_pt", "Muon_eta", "Muon_phi", "Muon_mass")

SELECTIONS = [
    Selection(
        "dimuon mass",
        "physics",
        ("nMuon", *_MUON, "Muon_charge"),
        (
            ("nMuon == 2", "Muon_charge[0] != Muon_charge[1]"),
            {"mass": f"invariant_mass({', '.join(_MUON)})"},
            ("mass",),
        ),
        (
            ("nMuon == 2", "Muon_charge[0] != Muon_charge[1]"),
            {"mass": f"InvariantMass({', '.join(_MUON)})"},
            ("mass",),
        ),
        _dimuon,
    ),
    Selection(
        "HT of selected jets",
        "physics",
        ("Jet_pt", "Jet_eta"),
        ((), {"ht": "sum(Jet_pt[Jet_pt > 30 && abs(Jet_eta) < 2.4])"}, ("ht",)),
        ((), {"ht": "Sum(Jet_pt[Jet_pt > 30 && abs(Jet_eta) < 2.4])"}, ("ht",)),
        _ht,
    ),
    Selection(
        "leading jets",
        "physics",
        ("nJet", "Jet_pt", "Jet_eta", "Jet_phi"),
        (
            ("nJet >= 2",),
            {
                "lead_pt": "Jet_pt[0]",
                "lead_eta": "abs(Jet_eta[0])",
                "ratio": "Jet_pt[1] / Jet_pt[0]",
                "dphi": "abs(delta_phi(Jet_phi[0], Jet_phi[1]))",
            },
            ("lead_pt", "lead_eta", "ratio", "dphi"),
        ),
        (
            ("nJet >= 2",),
            {
                "lead_pt": "Jet_pt[0]",
                "lead_eta": "std::abs(Jet_eta[0])",
                "ratio": "Jet_pt[1] / Jet_pt[0]",
                "dphi": "std::abs(ROOT::VecOps::DeltaPhi(Jet_phi[0], Jet_phi[1]))",
            },
            ("lead_pt", "lead_eta", "ratio", "dphi"),
        ),
        _leading,
    ),
    Selection(
        "matching in delta R",
        "physics",
        ("nJet", "nMuon", "Jet_eta", "Jet_phi", "Muon_eta", "Muon_phi"),
        (
            ("nJet >= 1 && nMuon >= 1",),
            {
                "distance": "delta_r(Jet_eta[0], Jet_phi[0], Muon_eta, Muon_phi)",
                "nearest": "min(distance)",
                "matched": "sum(distance < 0.4)",
            },
            ("nearest", "matched"),
        ),
        (
            ("nJet >= 1 && nMuon >= 1",),
            {
                "lead_eta": "ROOT::RVecF(nMuon, Jet_eta[0])",
                "lead_phi": "ROOT::RVecF(nMuon, Jet_phi[0])",
                "distance": "DeltaR(lead_eta, Muon_eta, lead_phi, Muon_phi)",
                "nearest": "Min(distance)",
                "matched": "Sum(distance < 0.4)",
            },
            ("nearest", "matched"),
        ),
        _matching,
    ),
    Selection(
        "features of top jets",
        "jets",
        ("part_px", "part_py", "part_deta", "part_dphi", "part_energy"),
        (
            (),
            {
                "pt": "sqrt(part_px ** 2 + part_py ** 2)",
                "distance": "sqrt(part_deta ** 2 + part_dphi ** 2)",
                "log_pt": "log(pt)",
                "log_share": "log(part_energy / sum(part_energy))",
                "width": "sum(pt * distance) / sum(pt)",
                "ptd": "sqrt(sum(pt ** 2)) / sum(pt)",
            },
            ("log_pt", "log_share", "width", "ptd"),
        ),
        (
            (),
            {
                "pt": "sqrt(part_px * part_px + part_py * part_py)",
                "distance": "sqrt(part_deta * part_deta + part_dphi * part_dphi)",
                "log_pt": "log(pt)",
                "log_share": "log(part_energy / Sum(part_energy))",
                "width": "Sum(pt * distance) / Sum(pt)",
                "ptd": "std::sqrt(Sum(pt * pt)) / Sum(pt)",
            },
            ("log_pt", "log_share", "width", "ptd"),
        ),
        _top_jets,
    ),
]
