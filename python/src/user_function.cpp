#include "user_function.h"

#include <nanobind/stl/string.h>

#include <stdexcept>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/column/parse_type.h"

using sapwood::Column;
using sapwood::Type;

namespace {

std::string text_of(const nb::python_error& error) {
  const nb::object text = nb::steal(PyObject_Str(error.value().ptr()));
  const char* bytes = text.is_valid() ? PyUnicode_AsUTF8(text.ptr()) : nullptr;
  if (bytes != nullptr) return bytes;
  PyErr_Clear();
  return "an error whose text can't be had";
}

}  // namespace

PythonCalls::Guard::Guard(PythonCalls& calls) : calls_(calls) {
  ++calls_.running_;
  if (!calls_.closed_) return;
  leave();
  throw sapwood::CancelledError("the interpreter ends");
}

void PythonCalls::Guard::leave() {
  --calls_.running_;
  calls_.running_.notify_all();
}

void PythonCalls::close() {
  closed_ = true;
  if (process_ != ::getpid()) return;
  for (int running = running_; running != 0; running = running_) running_.wait(running);
}

PythonFunction::PythonFunction(std::string name, nb::object function, const std::string& returns,
                               bool is_elementwise, std::shared_ptr<PythonCalls> calls)
    : name_(std::move(name)),
      function_(std::move(function)),
      type_(sapwood::parse_type(returns)),
      is_elementwise_(is_elementwise),
      calls_(std::move(calls)) {}

PythonFunction::~PythonFunction() {
  nb::handle function = function_.release();
  try {
    const PythonCalls::Guard guard(*calls_);
    const nb::gil_scoped_acquire gil;
    function.dec_ref();
  } catch (const sapwood::CancelledError&) {  // it goes with the interpreter
  }
}

Type PythonFunction::result_type(std::span<const Type>) const { return type_; }

Column PythonFunction::call(std::span<const Column> arguments, int64_t length,
                            const std::shared_ptr<sapwood::MemoryPool>& pool) const {
  if (length == 0) return sapwood::blank_column(type_, 0, pool);
  const PythonCalls::Guard guard(*calls_);
  const nb::gil_scoped_acquire gil;
  try {
    nb::list columns;
    for (const Column& argument : arguments) columns.append(nb::cast(argument));
    const nb::object given = function_(columns);
    const auto& column = nb::cast<const Column&>(given);
    return sapwood::slice(column, 0, column.length, pool);
  } catch (const nb::python_error& error) {
    throw std::runtime_error(text_of(error));
  }
}

std::shared_ptr<PythonCalls> python_calls() {
  auto calls = std::make_shared<PythonCalls>();
  const auto close = nb::cpp_function([calls] { calls->close(); }, nb::call_guard<nb::gil_scoped_release>());
  nb::module_::import_("atexit").attr("register")(close);
  return calls;
}
