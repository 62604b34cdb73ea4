#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sapwood/expr/function.h"

namespace sapwood::expr {

/// The name without a prefix that says which library it comes from, such as "np." or "ROOT::VecOps::".
std::string_view without_library(std::string_view name);

/// The number that a name stands for where no column is called that: pi, inf or nan.
std::optional<double> find_constant(std::string_view name);

/// The place in functions() of the function that is called `name` and takes so many arguments. Throws
/// SchemaError for an unknown name, with the nearest ones, of `others` too, and ConfigError for another
/// number of arguments; neither says where.
size_t find_function(std::string_view name, size_t num_arguments, std::vector<std::string> others = {});

/// Whether any function is called `name`.
bool is_function(std::string_view name);

}  // namespace sapwood::expr
