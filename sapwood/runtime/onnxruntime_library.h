#pragma once

#include <string>

namespace sapwood {

/// The shared library of ONNX Runtime, found when the program runs.
struct OnnxRuntimeLibrary {
  std::string path;
  void* get_api_base = nullptr;  ///< its function OrtGetApiBase
};

/// Loads the library that the variable SAPWOOD_ONNXRUNTIME names; else `path`; else libonnxruntime.so.1 where
/// the system's loader finds it. It stays loaded until the process ends. Throws UnsupportedError that says
/// what to install when there is none.
OnnxRuntimeLibrary open_onnxruntime_library(const std::string& path);

}  // namespace sapwood
