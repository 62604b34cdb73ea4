#include "sapwood/loader/balance.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <numeric>
#include <span>

#include "sapwood/base/error.h"

namespace sapwood {
namespace {

constexpr double kMostCopies = 1000;
constexpr double kLevelQuantile = 0.1;  // of the contents of a class's filled bins
constexpr double kOfSums = 1e-6;        // that fractions may be off 1
constexpr size_t kNamesInErrors = 10;

std::string names_text(const std::vector<std::string>& names) {
  std::string text;
  for (size_t n = 0; n < std::min(names.size(), kNamesInErrors); ++n)
    text += concat(n == 0 ? "'" : ", '", names[n], '\'');
  return text +
         (names.size() > kNamesInErrors ? concat(" and ", names.size() - kNamesInErrors, " more") : "");
}

// Of each class, of a sum of 1.
std::vector<double> fractions_of(const Balance& balance, const std::vector<std::string>& classes) {
  if (balance.fractions.empty())
    return std::vector<double>(classes.size(), 1 / static_cast<double>(classes.size()));
  std::vector<double> fractions(classes.size());
  double sum = 0;
  for (const auto& [name, fraction] : balance.fractions) {
    const auto found = std::ranges::find(classes, name);
    if (found == classes.end())
      throw ConfigError(concat("fractions: '", name, "' is no class; there are ", names_text(classes)));
    fractions[static_cast<size_t>(found - classes.begin())] = fraction;
    sum += fraction;
  }
  std::vector<std::string> missing;
  for (size_t c = 0; c < classes.size(); ++c) {
    if (fractions[c] == 0) missing.push_back(classes[c]);
  }
  if (!missing.empty()) throw ConfigError(concat("fractions: ", names_text(missing), " missing"));
  for (double& fraction : fractions) fraction /= sum;
  return fractions;
}

// The quantile of the filled bins' contents, between two of them in proportion.
double quantile(std::span<const int64_t> stored, double share) {
  std::vector<int64_t> filled;
  std::ranges::copy_if(stored, std::back_inserter(filled), [](int64_t rows) { return rows > 0; });
  std::ranges::sort(filled);
  const double place = share * static_cast<double>(filled.size() - 1);
  const auto below = static_cast<size_t>(place);
  const auto low = static_cast<double>(filled[below]);
  const auto high = static_cast<double>(filled[std::min(below + 1, filled.size() - 1)]);
  return low + (place - static_cast<double>(below)) * (high - low);
}

int64_t filled_to(std::span<const int64_t> most, int64_t level) {
  return std::accumulate(most.begin(), most.end(), int64_t{0},
                         [level](int64_t sum, int64_t rows) { return sum + std::min(rows, level); });
}

// Whole rows of each class, of that sum; rounded up where the remainder is largest.
std::vector<int64_t> rows_of_classes(int64_t rows, std::span<const double> fractions) {
  std::vector<int64_t> of_classes;
  std::vector<std::pair<double, size_t>> remainders;
  int64_t left = rows;
  for (size_t c = 0; c < fractions.size(); ++c) {
    const double exact = static_cast<double>(rows) * fractions[c];
    of_classes.push_back(static_cast<int64_t>(exact + kOfSums));
    remainders.emplace_back(static_cast<double>(of_classes[c]) - exact, c);
    left -= of_classes[c];
  }
  std::ranges::sort(remainders);
  for (size_t r = 0; left > 0; r = (r + 1) % remainders.size(), --left) ++of_classes[remainders[r].second];
  return of_classes;
}

// Shares `rows` out among bins so that they are as level as `most` of each allows, and gives the level.
int64_t share_out(int64_t rows, std::span<const int64_t> most, std::span<int64_t> shares) {
  int64_t low = 0;
  int64_t high = *std::ranges::max_element(most);
  while (low < high) {  // the highest level that does not take too many
    const int64_t middle = low + (high - low + 1) / 2;
    if (filled_to(most, middle) <= rows) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  int64_t left = rows - filled_to(most, low);
  for (size_t b = 0; b < most.size(); ++b) {
    shares[b] = std::min(most[b], low);
    if (left > 0 && most[b] > low) {
      ++shares[b];
      --left;
    }
  }
  return low;
}

}  // namespace

void check_balance(const Balance& balance) {
  if (!(balance.most_copies >= 1 && balance.most_copies <= kMostCopies))
    throw ConfigError(concat("most_copies is ", balance.most_copies, ", must be 1 to ", kMostCopies));
  if (balance.rows && *balance.rows < 1)
    throw ConfigError(concat("rows is ", *balance.rows, ", must be at least 1"));
  double sum = 0;
  for (const auto& [name, fraction] : balance.fractions) {
    if (!(fraction > 0))
      throw ConfigError(concat("fractions: that of '", name, "' is ", fraction, ", must be positive"));
    sum += fraction;
  }
  if (!balance.fractions.empty() && !(std::abs(sum - 1) <= kOfSums))
    throw ConfigError(concat("fractions sum to ", sum, ", must be 1"));
  for (const auto& [value, edges] : balance.bins) {
    const bool ascending = std::ranges::adjacent_find(edges, std::greater_equal()) == edges.end();
    if (edges.size() < 2 || !ascending || std::ranges::any_of(edges, [](double e) { return std::isnan(e); }))
      throw ConfigError(concat("the edges of '", value, "' must be two numbers or more, ascending"));
  }
}

Quotas plan_quotas(const Balance& balance, const std::vector<std::string>& classes,
                   const std::vector<int64_t>& stored) {
  Quotas quotas;
  if (classes.empty()) throw ConfigError("there are no rows to balance");
  const std::vector<double> fractions = fractions_of(balance, classes);
  const size_t bins = stored.size() / classes.size();
  std::vector<int64_t> most(stored.size());
  for (size_t c = 0; c < stored.size(); ++c)
    most[c] = static_cast<int64_t>(static_cast<double>(stored[c]) * balance.most_copies);
  const auto of_class = [&](auto& cells, size_t c) { return std::span(cells).subspan(c * bins, bins); };

  double fitting = INFINITY;  // rows of all
  for (size_t c = 0; c < classes.size(); ++c) {
    const auto cells = of_class(stored, c);
    BalancedClass described{.name = classes[c]};
    for (const int64_t rows : cells) {
      described.stored += rows;
      described.bins += rows > 0 ? 1 : 0;
    }
    if (described.stored == 0) throw ConfigError(concat("class '", classes[c], "' has no rows to balance"));
    const auto level = static_cast<int64_t>(quantile(cells, kLevelQuantile) * balance.most_copies);
    const auto reached = static_cast<double>(filled_to(of_class(most, c), level));
    fitting = std::min(fitting, reached / fractions[c]);
    quotas.classes.push_back(std::move(described));
  }
  quotas.rows = balance.rows.value_or(static_cast<int64_t>(fitting * (1 + 1e-12)));
  const std::vector<int64_t> of_classes = rows_of_classes(quotas.rows, fractions);

  quotas.of_cells.resize(stored.size());
  for (size_t c = 0; c < classes.size(); ++c) {
    BalancedClass& described = quotas.classes[c];
    described.rows = of_classes[c];
    const auto reached = filled_to(of_class(most, c), INT64_MAX);
    if (described.rows > reached) {
      throw ConfigError(concat("class '", classes[c], "' has ", described.stored,
                               " rows, which give at most ", reached,
                               " with most_copies=", balance.most_copies, ", but its share of ", quotas.rows,
                               " rows is ", described.rows, ": take fewer rows, or more copies"));
    }
    const int64_t level = share_out(described.rows, of_class(most, c), of_class(quotas.of_cells, c));
    for (const int64_t rows : of_class(most, c)) described.short_bins += rows > 0 && rows < level ? 1 : 0;
  }
  return quotas;
}

}  // namespace sapwood
