#include "sapwood/base/error.h"
#include "sapwood/runtime/model.h"

// What stands for onnxruntime.cpp where the headers of ONNX Runtime were not found.
namespace sapwood {

std::unique_ptr<Model> load_onnx(std::span<const std::byte>, const RuntimeOptions&) {
  throw UnsupportedError(
      "sapwood was built without ONNX Runtime: run scripts/fetch_onnxruntime_headers and build again");
}

std::string onnxruntime_version(const RuntimeOptions&) { return "no ONNX Runtime built in"; }

}  // namespace sapwood
