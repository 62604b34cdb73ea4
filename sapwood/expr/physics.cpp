#include <cmath>
#include <numbers>

#include "sapwood/expr/elementwise.h"

namespace sapwood::expr {
namespace {

// An angle brought into [-pi, pi).
template <class T>
T wrapped_angle(T angle) {
  constexpr T kPi = std::numbers::pi_v<T>;
  if (std::fabs(angle) >= 2 * kPi) angle = std::fmod(angle, 2 * kPi);
  if (angle < -kPi) return angle + 2 * kPi;
  return angle >= kPi ? angle - 2 * kPi : angle;
}

template <class T>
T delta_r(T eta1, T phi1, T eta2, T phi2) {
  const T delta_eta = eta1 - eta2;
  const T delta_phi = wrapped_angle(phi1 - phi2);
  return std::sqrt(delta_eta * delta_eta + delta_phi * delta_phi);
}

}  // namespace

std::vector<Function> physical_functions() {
  return {
      floating<2>({"delta_phi", "deltaphi"}, [](auto phi1, auto phi2) { return wrapped_angle(phi1 - phi2); }),
      // ROOT's takes the difference the other way round.
      floating<2>({"DeltaPhi"}, [](auto phi1, auto phi2) { return wrapped_angle(phi2 - phi1); }),
      floating<4>({"delta_r"},
                  [](auto eta1, auto phi1, auto eta2, auto phi2) { return delta_r(eta1, phi1, eta2, phi2); }),
      // And has the arguments in another order.
      floating<4>({"DeltaR"},
                  [](auto eta1, auto eta2, auto phi1, auto phi2) { return delta_r(eta1, phi1, eta2, phi2); }),
  };
}

}  // namespace sapwood::expr
