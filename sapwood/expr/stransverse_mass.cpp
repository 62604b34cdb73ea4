#include "sapwood/expr/stransverse_mass.h"

#include <algorithm>
#include <cmath>

// The bisection of Lester and Nachman (arXiv:1411.4312): unseen momenta q for which a side's transverse mass
// is at most m fill an ellipse, so that m_T2 is where those of both sides begin to touch.
namespace sapwood::expr {
namespace {

// xx x^2 + 2 xy x y + yy y^2 + 2 x0 x + 2 y0 y + constant, which is negative inside.
struct Conic {
  double xx = 0;
  double xy = 0;
  double yy = 0;
  double x0 = 0;
  double y0 = 0;
  double constant = 0;
};

// Transverse mass m or less is E_p E_q <= k + p q with k = (m^2 - mass^2 - unseen_mass^2) / 2; squared.
Conic conic(const VisibleSide& side, double m) {
  const double k = (m * m - side.mass * side.mass - side.unseen_mass * side.unseen_mass) / 2;
  const double mass2 = side.mass * side.mass;
  return {.xx = mass2 + side.py * side.py,
          .xy = -side.px * side.py,
          .yy = mass2 + side.px * side.px,
          .x0 = -k * side.px,
          .y0 = -k * side.py,
          .constant =
              (mass2 + side.px * side.px + side.py * side.py) * side.unseen_mass * side.unseen_mass - k * k};
}

// Of (x, y) where the given one is of (px - x, py - y).
Conic reflected(const Conic& c, double px, double py) {
  const double to_x = c.xx * px + c.xy * py + c.x0;
  const double to_y = c.xy * px + c.yy * py + c.y0;
  return {.xx = c.xx,
          .xy = c.xy,
          .yy = c.yy,
          .x0 = -to_x,
          .y0 = -to_y,
          .constant = to_x * px + to_y * py + c.x0 * px + c.y0 * py + c.constant};
}

// The matrix of cofactors, in the order of a conic's members.
Conic cofactors(const Conic& c) {
  return {.xx = c.yy * c.constant - c.y0 * c.y0,
          .xy = c.x0 * c.y0 - c.xy * c.constant,
          .yy = c.xx * c.constant - c.x0 * c.x0,
          .x0 = c.xy * c.y0 - c.yy * c.x0,
          .y0 = c.xy * c.x0 - c.xx * c.y0,
          .constant = c.xx * c.yy - c.xy * c.xy};
}

double trace_of_product(const Conic& a, const Conic& b) {
  return a.xx * b.xx + a.yy * b.yy + a.constant * b.constant + 2 * (a.xy * b.xy + a.x0 * b.x0 + a.y0 * b.y0);
}

// They are when t a + b is positive everywhere for some t > 0. Then the determinant of its matrix, a cubic
// polynomial that is negative at 0 and far out, is positive in between: it has three different roots, not
// all of them negative.
bool are_disjoint(const Conic& a, const Conic& b) {
  const Conic of_a = cofactors(a);
  const Conic of_b = cofactors(b);
  const double c3 = trace_of_product(a, of_a) / 3;
  const double c2 = trace_of_product(of_a, b);
  const double c1 = trace_of_product(a, of_b);
  const double c0 = trace_of_product(b, of_b) / 3;
  const double discriminant = 18 * c3 * c2 * c1 * c0 - 4 * c2 * c2 * c2 * c0 + c2 * c2 * c1 * c1 -
                              4 * c3 * c1 * c1 * c1 - 27 * c3 * c3 * c0 * c0;
  return discriminant > 0 && (c2 > 0 || c1 > 0);
}

double transverse_mass(const VisibleSide& side, double qx, double qy) {
  const double energy = std::sqrt(side.mass * side.mass + side.px * side.px + side.py * side.py);
  const double unseen = std::sqrt(side.unseen_mass * side.unseen_mass + qx * qx + qy * qy);
  const double square = side.mass * side.mass + side.unseen_mass * side.unseen_mass +
                        2 * (energy * unseen - side.px * qx - side.py * qy);
  return std::sqrt(std::max(square, 0.0));
}

// Of two parallel particles without mass the ellipses are parabolas of one direction, whose determinant is 0
// wherever they are. The result changes by less than a millionth of the momenta, most often.
bool are_parallel(const VisibleSide& a, const VisibleSide& b) {
  const double sine = a.px * b.py - a.py * b.px;
  const double size2 = (a.px * a.px + a.py * a.py) * (b.px * b.px + b.py * b.py);
  return sine * sine < 1e-10 * size2;
}

VisibleSide with_some_mass(VisibleSide side) {
  side.mass = std::max(side.mass, 1e-5 * std::hypot(side.px, side.py));
  return side;
}

VisibleSide scaled(const VisibleSide& side, double scale) {
  return {side.mass / scale, side.px / scale, side.py / scale, side.unseen_mass / scale};
}

}  // namespace

double stransverse_mass(const VisibleSide& first, const VisibleSide& second, double px_missing,
                        double py_missing) {
  const double scale = std::abs(first.mass) + std::hypot(first.px, first.py) + std::abs(first.unseen_mass) +
                       std::abs(second.mass) + std::hypot(second.px, second.py) +
                       std::abs(second.unseen_mass) + std::hypot(px_missing, py_missing);
  if (!(scale > 0)) return scale;  // NaN too
  VisibleSide a = scaled(first, scale);
  VisibleSide b = scaled(second, scale);
  const double px = px_missing / scale;
  const double py = py_missing / scale;
  double low = std::max(a.mass + a.unseen_mass, b.mass + b.unseen_mass);
  double high = std::max(transverse_mass(a, px / 2, py / 2), transverse_mass(b, px / 2, py / 2));
  if (are_parallel(a, b)) {
    a = with_some_mass(a);
    b = with_some_mass(b);
  }
  for (double middle = (low + high) / 2; low < middle && middle < high; middle = (low + high) / 2) {
    (are_disjoint(conic(a, middle), reflected(conic(b, middle), px, py)) ? low : high) = middle;
  }
  return high * scale;
}

}  // namespace sapwood::expr
