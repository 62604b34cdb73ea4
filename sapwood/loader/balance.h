#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sapwood {

/// Bins of a value of each row.
struct BalanceBins {
  std::string value;          ///< a column or formula, one number for each entry
  std::vector<double> edges;  ///< ascending, two at least; infinite ones too. A bin holds its lower edge, the
                              ///< last bin its upper one as well
};

/// How often the rows of each class, and of each bin of a class, come in an epoch.
struct Balance {
  /// A column or formula of whole numbers, one for each entry, that are the classes; empty: the samples are.
  std::string by{};
  /// The share of each class, by its label or number, in the rows of an epoch; equal when empty.
  std::vector<std::pair<std::string, double>> fractions{};
  /// Inside a class all bins of this histogram, of one axis or more, come equally often. Rows outside of it,
  /// and such with NaN, are left out.
  std::vector<BalanceBins> bins{};
  /// Of an epoch. When not given, the most for which no row of any class comes more than `most_copies` times
  /// on average. With bins the level of a class is that of the 10 % quantile of its filled bins; a bin that
  /// holds less gives all it has, `most_copies` times.
  std::optional<int64_t> rows{};
  double most_copies = 1;  ///< of a row in an epoch, on average over a class or bin: 1 to 1,000
};

/// What there is of a class, and what comes of it.
struct BalancedClass {
  std::string name;
  int64_t stored = 0;      ///< rows, those outside the bins left out
  int64_t rows = 0;        ///< of an epoch
  int64_t bins = 0;        ///< that hold rows
  int64_t short_bins = 0;  ///< of those, the ones that come less often than the others, `most_copies` times
};

/// The rows of an epoch, by cell: bin b of class c is cell c * bins + b.
struct Quotas {
  std::vector<int64_t> of_cells;
  std::vector<BalancedClass> classes;
  int64_t rows = 0;
};

/// Throws ConfigError where options are wrong whatever the data.
void check_balance(const Balance& balance);

/// What comes of each cell, of which `stored` rows are there. Exact, so that all epochs are equally long.
/// Throws ConfigError: fractions of other classes, a class without rows, or with too few for its share.
Quotas plan_quotas(const Balance& balance, const std::vector<std::string>& classes,
                   const std::vector<int64_t>& stored);

}  // namespace sapwood
