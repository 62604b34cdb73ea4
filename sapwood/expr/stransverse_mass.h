#pragma once

namespace sapwood::expr {

/// A particle that is seen, in the transverse plane, and the mass of the unseen one that comes with it.
struct VisibleSide {
  double mass = 0;
  double px = 0;
  double py = 0;
  double unseen_mass = 0;
};

/// The least mass of a pair of like particles that each decay into one that is seen and one that is not, m_T2
/// (Lester and Summers, arXiv:hep-ph/9906349): of all ways to share the missing momentum between the two
/// sides the one with the smallest larger transverse mass. NaN when an argument is.
double stransverse_mass(const VisibleSide& first, const VisibleSide& second, double px_missing,
                        double py_missing);

}  // namespace sapwood::expr
