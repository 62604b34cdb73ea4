#include "sapwood/expr/names.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numbers>
#include <set>
#include <utility>
#include <vector>

#include "sapwood/base/error.h"
#include "sapwood/base/names.h"

namespace sapwood::expr {
namespace {

constexpr std::array<std::string_view, 6> kLibraries = {"np.",   "numpy.",  "ak.",
                                                        "std::", "TMath::", "ROOT::VecOps::"};

bool is_called(const Function& function, std::string_view name) {
  return std::find(function.names.begin(), function.names.end(), name) != function.names.end();
}

std::string counts(const std::set<size_t>& numbers) {
  std::string text;
  for (const size_t number : numbers) {
    text += text.empty() ? "" : " or ";
    text += number == kAnyNumber ? "more" : std::to_string(number);
  }
  return text + (text == "1" ? " argument" : " arguments");
}

std::vector<std::string> function_names(std::vector<std::string> names) {
  for (const Function& function : functions()) {
    for (const std::string_view name : function.names) {
      const bool is_operator = !((name.front() | 0x20) >= 'a' && (name.front() | 0x20) <= 'z');
      if (!is_operator && std::find(names.begin(), names.end(), name) == names.end()) {
        names.emplace_back(name);
      }
    }
  }
  return names;
}

}  // namespace

std::string_view without_library(std::string_view name) {
  for (const std::string_view library : kLibraries) {
    if (name.starts_with(library)) return name.substr(library.size());
  }
  return name;
}

std::optional<double> find_constant(std::string_view name) {
  const std::string_view plain = without_library(name);
  if (plain == "pi") return std::numbers::pi;
  if (plain == "inf") return std::numeric_limits<double>::infinity();
  if (plain == "nan") return std::numeric_limits<double>::quiet_NaN();
  return std::nullopt;
}

size_t find_function(std::string_view name, size_t num_arguments, std::vector<std::string> others) {
  const std::string_view plain = without_library(name);
  const std::vector<Function>& all = functions();
  std::set<size_t> accepted;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!is_called(all[i], plain)) continue;
    if (num_arguments >= all[i].min_arguments && num_arguments <= all[i].max_arguments) return i;
    accepted.insert({all[i].min_arguments, all[i].max_arguments});
  }
  if (accepted.empty()) {
    throw SchemaError(
        concat("no function '", name, "'", nearest_names_hint(plain, function_names(std::move(others)))));
  }
  throw ConfigError(concat("'", name, "' takes ", counts(accepted), ", not ", num_arguments));
}

bool is_function(std::string_view name) {
  const std::string_view plain = without_library(name);
  return std::any_of(functions().begin(), functions().end(),
                     [&](const Function& function) { return is_called(function, plain); });
}

}  // namespace sapwood::expr
