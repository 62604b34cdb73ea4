#pragma once

#include <algorithm>
#include <cmath>
#include <tuple>
#include <type_traits>
#include <utility>

#include "sapwood/expr/constant.h"
#include "sapwood/expr/function.h"
#include "sapwood/kernels/elementary.h"

// Makes rows of the table of functions from what they do to one element: a lambda without captures, whose
// result has the operands' type, or is bool. Or a class whose static members `usual` and `is_usual` are a
// faster way, with the same result, and when it can be gone.
namespace sapwood::expr {

template <class Formula, class T, size_t Conditions, class Places>
class ElementwiseLoop;

template <class Formula, class T, size_t Conditions, size_t... Place>
class ElementwiseLoop<Formula, T, Conditions, std::index_sequence<Place...>> {
  template <size_t I>
  using Argument = std::conditional_t<(I < Conditions), uint8_t, T>;
  using FormulaResult = decltype(Formula{}(std::declval<Argument<Place>>()...));
  using Result = std::conditional_t<std::is_same_v<FormulaResult, bool>, uint8_t, FormulaResult>;
  using Arguments = std::tuple<Argument<Place>...>;
  using Pointers = std::tuple<const Argument<Place>*...>;

 public:
  static constexpr TypeKind kResult = kind_of<Result>();

  static void run(std::span<const Operand> operands, void* out, size_t count) {
    const Pointers pointers{static_cast<const Argument<Place>*>(operands[Place].data)...};
    const size_t constants = ((operands[Place].is_constant ? size_t{1} << Place : 0) | ...);
    choose(constants, pointers, static_cast<Result*>(out), count,
           std::make_index_sequence<(size_t{1} << sizeof...(Place)) - 1>());
  }

 private:
  // A loop for every choice of operands that are constant, not all of them: with the constants in registers
  // the loops become vector instructions.
  template <size_t... Constants>
  static void choose(size_t constants, const Pointers& pointers, Result* results, size_t count,
                     std::index_sequence<Constants...>) {
    (void)((constants == Constants && (loop<Constants>(pointers, results, count), true)) || ...);
  }

  template <size_t Constants>
  static void loop(const Pointers& pointers, Result* results, size_t count) {
    if (count == 0) return;
    const Arguments first{*std::get<Place>(pointers)...};
    if constexpr (requires { Formula::is_usual(std::declval<Argument<Place>>()...); }) {
      constexpr size_t kTile = 256;
      for (size_t start = 0; start < count; start += kTile) {
        const size_t stop = std::min(start + kTile, count);
        bool all = true;
        for (size_t i = start; i < stop; ++i)
          all &= Formula::is_usual(argument<Constants, Place>(pointers, first, i)...);
        for (size_t i = start; all && i < stop; ++i)
          results[i] = Formula::usual(argument<Constants, Place>(pointers, first, i)...);
        for (size_t i = start; !all && i < stop; ++i)
          results[i] = Formula{}(argument<Constants, Place>(pointers, first, i)...);
      }
    } else {
      for (size_t i = 0; i < count; ++i)
        results[i] = static_cast<Result>(Formula{}(argument<Constants, Place>(pointers, first, i)...));
    }
  }

  template <size_t Constants, size_t I>
  static Argument<I> argument(const Pointers& pointers, const Arguments& first, size_t i) {
    if constexpr ((Constants >> I & 1) != 0) {
      return std::get<I>(first);
    } else {
      return std::get<I>(pointers)[i];
    }
  }
};

template <size_t NumArguments, class T, size_t Conditions = 0, class Formula>
constexpr Overload<ElementwiseKernel> overload(Formula) {
  using Loop = ElementwiseLoop<Formula, T, Conditions, std::make_index_sequence<NumArguments>>;
  return {&Loop::run, Loop::kResult};
}

/// A loop of one of SLEEF's functions.
template <kernels::ElementaryOfTwo function, class T>
void elementary_loop(std::span<const Operand> operands, void* out, size_t count) {
  const auto operand = [&](size_t i) {
    return kernels::ElementaryOperand<T>{static_cast<const T*>(operands[i].data), operands[i].is_constant};
  };
  kernels::elementary(function, operand(0), operand(1), static_cast<T*>(out), count);
}

/// Of two loops, for float32 and float64; the others become float64 first.
inline Function floating_loops(std::vector<std::string_view> names, size_t num_arguments,
                               ElementwiseKernel of_float32, ElementwiseKernel of_float64) {
  return {std::move(names), num_arguments, num_arguments,
          Elementwise{
              .overloads = {{{}, {}, {of_float32, TypeKind::kFloat32}, {of_float64, TypeKind::kFloat64}}}}};
}

/// For float32 and float64; the others become float64 first.
template <size_t NumArguments, class Formula>
Function floating(std::vector<std::string_view> names, Formula formula) {
  return {
      std::move(names), NumArguments, NumArguments,
      Elementwise{
          .overloads = {
              {{}, {}, overload<NumArguments, float>(formula), overload<NumArguments, double>(formula)}}}};
}

/// For int64, float32 and float64; bool becomes int64 first.
template <size_t NumArguments, class Formula>
Function numeric(std::vector<std::string_view> names, Formula formula) {
  return {std::move(names), NumArguments, NumArguments,
          Elementwise{.overloads = {{{},
                                     overload<NumArguments, int64_t>(formula),
                                     overload<NumArguments, float>(formula),
                                     overload<NumArguments, double>(formula)}}}};
}

/// The same function, whose second operand divides the first.
inline Function dividing(Function function) {
  std::get<Elementwise>(function.body).divides = true;
  return function;
}

/// For all kinds; the first `Conditions` arguments are conditions.
template <size_t NumArguments, size_t Conditions = 0, class Formula>
Function any_kind(std::vector<std::string_view> names, Formula formula) {
  return {std::move(names), NumArguments, NumArguments,
          Elementwise{.overloads = {{overload<NumArguments, uint8_t, Conditions>(formula),
                                     overload<NumArguments, int64_t, Conditions>(formula),
                                     overload<NumArguments, float, Conditions>(formula),
                                     overload<NumArguments, double, Conditions>(formula)}},
                      .num_conditions = Conditions}};
}

/// For bool and int64.
template <size_t NumArguments, class Formula>
Function bitwise(std::vector<std::string_view> names, Formula formula) {
  return {
      std::move(names), NumArguments, NumArguments,
      Elementwise{
          .overloads = {
              {overload<NumArguments, uint8_t>(formula), overload<NumArguments, int64_t>(formula), {}, {}}}}};
}

/// All arguments are conditions.
template <size_t NumArguments, class Formula>
Function logical(std::vector<std::string_view> names, Formula formula) {
  return {std::move(names), NumArguments, NumArguments,
          Elementwise{.overloads = {{overload<NumArguments, uint8_t>(formula), {}, {}, {}}},
                      .num_conditions = NumArguments}};
}

/// Of any kind; only floating values can be.
template <class T>
bool is_nan(T x) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::isnan(x);
  } else {
    return false;
  }
}

/// Integer arithmetic that wraps around.
template <class Formula>
int64_t wrapping(int64_t a, int64_t b, Formula formula) {
  return static_cast<int64_t>(formula(static_cast<uint64_t>(a), static_cast<uint64_t>(b)));
}

}  // namespace sapwood::expr
