#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>
#include <vector>

#include "sapwood/runtime/model.h"

// What tests need to run models.
namespace sapwood {

inline std::vector<std::byte> load_test_file(const std::string& name) {
  std::ifstream in(std::string(SAPWOOD_TEST_DATA "/") + name, std::ios::binary);
  const std::vector<char> chars{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto bytes = std::as_bytes(std::span(chars));
  return {bytes.begin(), bytes.end()};
}

/// With the library of the Python environment that ./dev makes, where that has it.
inline RuntimeOptions runtime_options_for_tests(int threads = 1) {
  namespace fs = std::filesystem;
  RuntimeOptions options{.threads = threads};
  std::error_code missing;
  for (const fs::path& python : fs::directory_iterator(SAPWOOD_TEST_DATA "/../../.venv/lib", missing)) {
    const fs::path folder = python / "site-packages/onnxruntime/capi";
    for (const fs::path& file : fs::directory_iterator(folder, missing)) {
      if (file.filename().string().starts_with("libonnxruntime.so")) options.library = file.string();
    }
  }
  return options;
}

/// Whether models can be run; else tests that run one are skipped.
inline bool has_onnxruntime() { return !onnxruntime_version(runtime_options_for_tests()).starts_with("no "); }

template <class T>
Tensor tensor_of(DType dtype, std::vector<int64_t> shape, const std::vector<T>& values) {
  Tensor tensor{"", dtype, std::move(shape), {values.size() * sizeof(T), heap_pool()}};
  std::copy(values.begin(), values.end(), tensor.data.as<T>().begin());
  return tensor;
}

inline Tensor floats(std::vector<int64_t> shape, const std::vector<float>& values) {
  return tensor_of(DType::kFloat32, std::move(shape), values);
}

template <class T>
std::vector<T> values_of(const Tensor& tensor) {
  const auto values = tensor.data.as<const T>();
  return {values.begin(), values.end()};
}

}  // namespace sapwood
