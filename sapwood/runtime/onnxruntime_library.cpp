#include "sapwood/runtime/onnxruntime_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <vector>

#include "sapwood/base/error.h"

namespace sapwood {
namespace {

// The function OrtGetApiBase, or null with the loader's reason in `why`.
void* load(const std::string& path, std::string& why) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* function = library != nullptr ? dlsym(library, "OrtGetApiBase") : nullptr;
  if (function == nullptr) {
    const char* reason = dlerror();
    why += concat(why.empty() ? "" : "; ", reason != nullptr ? reason : path);
  }
  return function;
}

}  // namespace

OnnxRuntimeLibrary open_onnxruntime_library(const std::string& path) {
  std::vector<std::string> candidates{"libonnxruntime.so.1"};
  if (!path.empty()) candidates.insert(candidates.begin(), path);
  const char* named = std::getenv("SAPWOOD_ONNXRUNTIME");
  if (named != nullptr && *named != '\0') candidates = {named};

  std::string why;
  for (const std::string& candidate : candidates) {
    if (void* function = load(candidate, why)) return {candidate, function};
  }
  throw UnsupportedError(
      concat("no ONNX Runtime library: pip install onnxruntime, or let SAPWOOD_ONNXRUNTIME name a "
             "libonnxruntime.so (",
             why, ")"));
}

}  // namespace sapwood
