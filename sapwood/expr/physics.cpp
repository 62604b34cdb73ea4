#include <cmath>
#include <numbers>

#include "sapwood/expr/elementwise.h"
#include "sapwood/expr/stransverse_mass.h"

namespace sapwood::expr {
namespace {

template <class T>
constexpr T kTurn = 2 * std::numbers::pi_v<T>;

// An angle of less than a turn brought into [-pi, pi).
template <class T>
T wrapped_once(T angle) {
  constexpr T kPi = std::numbers::pi_v<T>;
  return angle + (angle < -kPi ? kTurn<T> : T{0}) - (angle >= kPi ? kTurn<T> : T{0});
}

template <class T>
T wrapped_angle(T angle) {
  return wrapped_once(std::fabs(angle) >= kTurn<T> ? std::fmod(angle, kTurn<T>) : angle);
}

struct DeltaPhi {
  template <class T>
  T operator()(T phi1, T phi2) const {
    return wrapped_angle(phi1 - phi2);
  }
  template <class T>
  static bool is_usual(T phi1, T phi2) {
    return std::fabs(phi1 - phi2) < kTurn<T>;
  }
  template <class T>
  static T usual(T phi1, T phi2) {
    return wrapped_once(phi1 - phi2);
  }
};

struct DeltaR {
  template <class T>
  T operator()(T eta1, T phi1, T eta2, T phi2) const {
    return length(eta1 - eta2, wrapped_angle(phi1 - phi2));
  }
  template <class T>
  static bool is_usual(T, T phi1, T, T phi2) {
    return DeltaPhi::is_usual(phi1, phi2);
  }
  template <class T>
  static T usual(T eta1, T phi1, T eta2, T phi2) {
    return length(eta1 - eta2, wrapped_once(phi1 - phi2));
  }

 private:
  template <class T>
  static T length(T x, T y) {
    return std::sqrt(x * x + y * y);
  }
};

// With so many arguments that loops for each choice of constants among them would be thousands.
template <class T>
void stransverse_masses(std::span<const Operand> operands, void* out, size_t count) {
  auto* results = static_cast<T*>(out);
  for (size_t i = 0; i < count; ++i) {
    const auto argument = [&](size_t place) {
      const Operand& operand = operands[place];
      return static_cast<double>(static_cast<const T*>(operand.data)[operand.is_constant ? 0 : i]);
    };
    const VisibleSide first{argument(0), argument(1), argument(2), argument(8)};
    const VisibleSide second{argument(3), argument(4), argument(5), argument(9)};
    results[i] = static_cast<T>(stransverse_mass(first, second, argument(6), argument(7)));
  }
}

Function stransverse_mass_function() {
  return floating_loops({"m_t2"}, 10, &stransverse_masses<float>, &stransverse_masses<double>);
}

}  // namespace

std::vector<Function> physical_functions() {
  return {
      floating<2>({"delta_phi", "deltaphi"}, DeltaPhi{}),
      // ROOT's takes the difference the other way round.
      composed({"DeltaPhi"}, {"phi1", "phi2"}, {"delta_phi(phi2, phi1)"}),
      floating<4>({"delta_r"}, DeltaR{}),
      // And has the arguments in another order.
      composed({"DeltaR"}, {"eta1", "eta2", "phi1", "phi2"}, {"delta_r(eta1, phi1, eta2, phi2)"}),
      composed({"delta_r2"}, {"eta1", "phi1", "eta2", "phi2"},
               {"square(eta1 - eta2) + square(delta_phi(phi1, phi2))"}),
      composed({"DeltaR2"}, {"eta1", "eta2", "phi1", "phi2"}, {"delta_r2(eta1, phi1, eta2, phi2)"}),

      composed({"px"}, {"pt", "phi"}, {"pt * cos(phi)"}),
      composed({"py"}, {"pt", "phi"}, {"pt * sin(phi)"}),
      composed({"pz"}, {"pt", "eta"}, {"pt * sinh(eta)"}),
      composed({"energy"}, {"pt", "eta", "phi", "mass"},
               {"sqrt(square(pt) + square(pz(pt, eta)) + square(mass))"}),
      composed({"pt"}, {"px", "py"}, {"sqrt(square(px) + square(py))"}),
      composed({"eta"}, {"px", "py", "pz"}, {"asinh(pz / pt(px, py))"}),
      composed({"phi"}, {"px", "py"}, {"atan2(py, px)"}),
      composed(
          {"angle", "Angle"}, {"x1", "y1", "z1", "x2", "y2", "z2"},
          {"atan2(sqrt(square(y1 * z2 - z1 * y2) + square(z1 * x2 - x1 * z2) + square(x1 * y2 - y1 * x2)), "
           "x1 * x2 + y1 * y2 + z1 * z2)"}),

      // By a velocity: x, y, z and energy.
      composed({"boost"}, {"px", "py", "pz", "energy", "bx", "by", "bz", "k"},
               {"px + bx * (energy + boost(px, py, pz, energy, bx, by, bz, 3)) / "
                "(1 + sqrt(1 - square(bx) - square(by) - square(bz)))",
                "py + by * (energy + boost(px, py, pz, energy, bx, by, bz, 3)) / "
                "(1 + sqrt(1 - square(bx) - square(by) - square(bz)))",
                "pz + bz * (energy + boost(px, py, pz, energy, bx, by, bz, 3)) / "
                "(1 + sqrt(1 - square(bx) - square(by) - square(bz)))",
                "(energy + px * bx + py * by + pz * bz) / sqrt(1 - square(bx) - square(by) - square(bz))"}),

      // Masses are differences of large numbers, which float32 does not resolve.
      composed({"mass"}, {"energy", "px", "py", "pz"},
               {"sqrt(max(square(float64(energy)) - square(float64(px)) - square(float64(py)) - "
                "square(float64(pz)), 0))"}),
      composed({"invariant_mass", "InvariantMass"}, {"pt", "eta", "phi", "mass"},
               {"mass(sum(energy(float64(pt), float64(eta), phi, float64(mass))), "
                "sum(px(float64(pt), float64(phi))), sum(py(float64(pt), float64(phi))), "
                "sum(pz(float64(pt), float64(eta))))"}),
      composed({"invariant_masses", "InvariantMasses"},
               {"pt1", "eta1", "phi1", "mass1", "pt2", "eta2", "phi2", "mass2"},
               {"mass(energy(float64(pt1), float64(eta1), phi1, float64(mass1)) + "
                "energy(float64(pt2), float64(eta2), phi2, float64(mass2)), "
                "px(float64(pt1), float64(phi1)) + px(float64(pt2), float64(phi2)), "
                "py(float64(pt1), float64(phi1)) + py(float64(pt2), float64(phi2)), "
                "pz(float64(pt1), float64(eta1)) + pz(float64(pt2), float64(eta2)))"}),
      // Of particles without mass; 1 - cos(x) is 2 sin(x / 2)^2, without its loss of digits.
      composed({"m_t"}, {"pt1", "phi1", "pt2", "phi2"},
               {"2 * sqrt(pt1 * pt2) * abs(sin((phi1 - phi2) / 2))"}),
      stransverse_mass_function(),
  };
}

}  // namespace sapwood::expr
