#include <onnxruntime_c_api.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/runtime/model.h"
#include "sapwood/runtime/onnxruntime_library.h"

namespace sapwood {
namespace {

std::optional<DType> dtype_of(ONNXTensorElementDataType type) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
      return DType::kBool;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return DType::kInt32;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return DType::kInt64;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return DType::kFloat32;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return DType::kFloat64;
    default:
      return std::nullopt;
  }
}

ONNXTensorElementDataType element_type(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL;
    case DType::kInt32:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32;
    case DType::kInt64:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
    case DType::kFloat32:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    case DType::kFloat64:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
    case DType::kFloat16:
    case DType::kBFloat16:
      break;  // `describe` refuses models that have them
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

// Of a run whose memory is not kept for the next one.
bool is_large(std::span<const Tensor> inputs) {
  constexpr size_t kLarge = 4u << 20;
  size_t bytes = 0;
  for (const Tensor& input : inputs) bytes += input.data.size();
  return bytes > kLarge;
}

// Messages have one line.
std::string first_line(const char* text) {
  const std::string whole = text;
  return whole.substr(0, whole.find('\n'));
}

/// The functions of a loaded library.
class Api {
 public:
  explicit Api(const OnnxRuntimeLibrary& library) {
    // dlsym gives functions as pointers to objects.
    const OrtApiBase* (*get_base)() = nullptr;
    static_assert(sizeof(get_base) == sizeof(library.get_api_base));
    std::memcpy(&get_base, &library.get_api_base, sizeof(get_base));
    const OrtApiBase* base = get_base();
    version_ = base->GetVersionString();
    functions_ = base->GetApi(ORT_API_VERSION);
    if (functions_ == nullptr) {
      throw UnsupportedError(concat("no ONNX Runtime of version 1.", ORT_API_VERSION, " or newer: ",
                                    library.path, " is ", version_, "; pip install --upgrade onnxruntime"));
    }
  }

  const OrtApi* operator->() const { return functions_; }
  const OrtApi& operator*() const { return *functions_; }
  const std::string& version() const { return version_; }

  void check(OrtStatus* status, const char* doing) const {
    if (status == nullptr) return;
    const std::string message = first_line(functions_->GetErrorMessage(status));
    functions_->ReleaseStatus(status);
    throw ModelError(concat("ONNX Runtime, ", doing, ": ", message));
  }

 private:
  const OrtApi* functions_ = nullptr;
  std::string version_;
};

/// An object of the library: made by the function that is given its address, released by `Release`.
template <class T, void (*OrtApi::*Release)(T*)>
class Handle {
 public:
  explicit Handle(const Api& api) : functions_(&*api) {}
  ~Handle() {
    if (object_ != nullptr) (functions_->*Release)(object_);
  }
  Handle(Handle&& other) noexcept
      : functions_(other.functions_), object_(std::exchange(other.object_, nullptr)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Handle& operator=(Handle&&) = delete;

  T** address() { return &object_; }
  T* get() const { return object_; }

 private:
  const OrtApi* functions_;
  T* object_ = nullptr;
};

using Environment = Handle<OrtEnv, &OrtApi::ReleaseEnv>;
using SessionOptions = Handle<OrtSessionOptions, &OrtApi::ReleaseSessionOptions>;
using Session = Handle<OrtSession, &OrtApi::ReleaseSession>;
using MemoryInfo = Handle<OrtMemoryInfo, &OrtApi::ReleaseMemoryInfo>;
using TypeInfo = Handle<OrtTypeInfo, &OrtApi::ReleaseTypeInfo>;
using ShapeInfo = Handle<OrtTensorTypeAndShapeInfo, &OrtApi::ReleaseTensorTypeAndShapeInfo>;
using RunOptions = Handle<OrtRunOptions, &OrtApi::ReleaseRunOptions>;
using Value = Handle<OrtValue, &OrtApi::ReleaseValue>;

class OnnxModel final : public Model {
 public:
  OnnxModel(std::span<const std::byte> model, const RuntimeOptions& options)
      : api_(open_onnxruntime_library(options.library)),
        environment_(api_),
        memory_(api_),
        session_(api_),
        shrinking_(api_) {
    // The library has one environment in a process and counts its users. It is to print nothing.
    api_.check(api_->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "sapwood", environment_.address()), "starting");
    api_.check(api_->DisableTelemetryEvents(environment_.get()), "starting");
    api_.check(api_->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, memory_.address()),
               "starting");
    open_session(model, options);
    api_.check(api_->CreateRunOptions(shrinking_.address()), "starting");
    api_.check(api_->AddRunConfigEntry(shrinking_.get(), "memory.enable_memory_arena_shrinkage", "cpu:0"),
               "starting");
    size_t count = 0;
    api_.check(api_->SessionGetInputCount(session_.get(), &count), "reading the inputs");
    for (size_t i = 0; i < count; ++i) inputs_.push_back(input(i));
    api_.check(api_->SessionGetOutputCount(session_.get(), &count), "reading the outputs");
    for (size_t i = 0; i < count; ++i) outputs_.push_back(output(i));
    for (const TensorSpec& spec : inputs_) input_names_.push_back(spec.name.c_str());
    for (const TensorSpec& spec : outputs_) output_names_.push_back(spec.name.c_str());
  }

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }

  std::vector<Tensor> run(std::span<const Tensor> inputs) const override {
    check_inputs(inputs_, inputs);
    if (std::optional<std::vector<Tensor>> empty = run_without_rows(inputs)) return std::move(*empty);

    std::vector<Value> values;
    std::vector<const OrtValue*> arguments;
    values.reserve(inputs.size() + outputs_.size());
    for (const Tensor& input : inputs) {
      Value& value = values.emplace_back(api_);
      api_.check(api_->CreateTensorWithDataAsOrtValue(memory_.get(), input.data.data(), input.data.size(),
                                                      input.shape.data(), input.shape.size(),
                                                      element_type(input.dtype), value.address()),
                 "taking an input");
      arguments.push_back(value.get());
    }
    std::vector<OrtValue*> results(outputs_.size(), nullptr);
    OrtStatus* status = api_->Run(session_.get(), is_large(inputs) ? shrinking_.get() : nullptr,
                                  input_names_.data(), arguments.data(), arguments.size(),
                                  output_names_.data(), output_names_.size(), results.data());
    for (OrtValue* result : results) *values.emplace_back(api_).address() = result;
    api_.check(status, "running the model");

    std::vector<Tensor> outputs;
    for (size_t i = 0; i < outputs_.size(); ++i) outputs.push_back(copy(outputs_[i], results[i]));
    return outputs;
  }

 private:
  void open_session(std::span<const std::byte> model, const RuntimeOptions& options) {
    if (options.threads < 1)
      throw ConfigError(concat("threads is ", options.threads, ", must be at least 1"));
    SessionOptions session(api_);
    const auto check = [&](OrtStatus* status) { api_.check(status, "setting up"); };
    check(api_->CreateSessionOptions(session.address()));
    check(api_->SetIntraOpNumThreads(session.get(), options.threads));
    check(api_->SetSessionExecutionMode(session.get(), ORT_SEQUENTIAL));
    check(api_->SetSessionLogSeverityLevel(session.get(), ORT_LOGGING_LEVEL_FATAL));
    // Batches come in all sizes, and a pattern would be kept for each.
    check(api_->DisableMemPattern(session.get()));
    for (const auto& [key, value] :
         {std::pair{"session.intra_op.allow_spinning", "0"},
          // A model from elsewhere can't have weights read from the server's files.
          {"session.model_external_initializers_file_folder_path", "/nonexistent"}}) {
      check(api_->AddSessionConfigEntry(session.get(), key, value));
    }
    api_.check(api_->CreateSessionFromArray(environment_.get(), model.data(), model.size(), session.get(),
                                            session_.address()),
               "loading the model");
  }

  TensorSpec input(size_t index) const {
    OrtAllocator* allocator = default_allocator();
    char* name = nullptr;
    api_.check(api_->SessionGetInputName(session_.get(), index, allocator, &name), "reading the inputs");
    TypeInfo type(api_);
    TensorSpec spec{.name = take_text(allocator, name), .shape = {}};
    api_.check(api_->SessionGetInputTypeInfo(session_.get(), index, type.address()), "reading the inputs");
    describe(type, concat("input '", spec.name, "'"), spec);
    return spec;
  }

  TensorSpec output(size_t index) const {
    OrtAllocator* allocator = default_allocator();
    char* name = nullptr;
    api_.check(api_->SessionGetOutputName(session_.get(), index, allocator, &name), "reading the outputs");
    TypeInfo type(api_);
    TensorSpec spec{.name = take_text(allocator, name), .shape = {}};
    api_.check(api_->SessionGetOutputTypeInfo(session_.get(), index, type.address()), "reading the outputs");
    describe(type, concat("output '", spec.name, "'"), spec);
    return spec;
  }

  OrtAllocator* default_allocator() const {
    OrtAllocator* allocator = nullptr;
    api_.check(api_->GetAllocatorWithDefaultOptions(&allocator), "starting");
    return allocator;
  }

  std::string take_text(OrtAllocator* allocator, char* text) const {
    std::string result = text;
    api_.check(api_->AllocatorFree(allocator, text), "reading a name");
    return result;
  }

  void describe(const TypeInfo& type, const std::string& what, TensorSpec& spec) const {
    ONNXType kind = ONNX_TYPE_UNKNOWN;
    api_.check(api_->GetOnnxTypeFromTypeInfo(type.get(), &kind), "reading a type");
    if (kind == ONNX_TYPE_SEQUENCE || kind == ONNX_TYPE_MAP) {
      throw ModelError(concat(
          what, " of the model is a sequence or map, not a tensor: export classifiers without ZipMap"));
    }
    if (kind != ONNX_TYPE_TENSOR) throw ModelError(concat(what, " of the model is not a tensor"));
    const OrtTensorTypeAndShapeInfo* info = nullptr;
    api_.check(api_->CastTypeInfoToTensorInfo(type.get(), &info), "reading a type");
    ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    api_.check(api_->GetTensorElementType(info, &element), "reading a type");
    const std::optional<DType> dtype = dtype_of(element);
    if (!dtype) {
      throw ModelError(concat(what, " of the model has ONNX's element type ", static_cast<int>(element),
                              "; sapwood carries bool, int32, int64, float32 and float64"));
    }
    spec.dtype = *dtype;
    spec.shape = shape_of(info);
  }

  std::vector<int64_t> shape_of(const OrtTensorTypeAndShapeInfo* info) const {
    size_t rank = 0;
    api_.check(api_->GetDimensionsCount(info, &rank), "reading a shape");
    std::vector<int64_t> shape(rank);
    api_.check(api_->GetDimensions(info, shape.data(), rank), "reading a shape");
    return shape;
  }

  // Not every operator takes tensors without elements.
  std::optional<std::vector<Tensor>> run_without_rows(std::span<const Tensor> inputs) const {
    const bool no_rows = std::ranges::any_of(inputs, [&](const Tensor& input) {
      const TensorSpec& spec = inputs_[static_cast<size_t>(&input - inputs.data())];
      return !spec.shape.empty() && spec.shape.front() < 0 && input.shape.front() == 0;
    });
    if (!no_rows) return std::nullopt;
    std::vector<Tensor> outputs;
    for (const TensorSpec& spec : outputs_) {
      if (spec.shape.empty() || spec.shape.front() >= 0) return std::nullopt;
      std::vector<int64_t> shape = spec.shape;
      shape.front() = 0;
      if (std::ranges::any_of(shape, [](int64_t size) { return size < 0; })) return std::nullopt;
      outputs.push_back({spec.name, spec.dtype, std::move(shape), {}});
    }
    return outputs;
  }

  Tensor copy(const TensorSpec& spec, OrtValue* value) const {
    ShapeInfo info(api_);
    api_.check(api_->GetTensorTypeAndShape(value, info.address()), "giving an output");
    size_t count = 0;
    api_.check(api_->GetTensorShapeElementCount(info.get(), &count), "giving an output");
    void* data = nullptr;
    api_.check(api_->GetTensorMutableData(value, &data), "giving an output");
    Tensor tensor{spec.name, spec.dtype, shape_of(info.get()), {count * dtype_size(spec.dtype), heap_pool()}};
    if (count != 0) std::memcpy(tensor.data.data(), data, tensor.data.size());
    return tensor;
  }

  Api api_;
  Environment environment_;
  MemoryInfo memory_;
  Session session_;
  RunOptions shrinking_;  // after such a run the library's memory goes back to the system
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  std::vector<const char*> input_names_;
  std::vector<const char*> output_names_;
};

}  // namespace

std::unique_ptr<Model> load_onnx(std::span<const std::byte> model, const RuntimeOptions& options) {
  return std::make_unique<OnnxModel>(model, options);
}

std::string onnxruntime_version(const RuntimeOptions& options) {
  try {
    return Api(open_onnxruntime_library(options.library)).version();
  } catch (const UnsupportedError& error) {
    return error.message();
  }
}

}  // namespace sapwood
