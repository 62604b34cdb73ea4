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
  if (process_ == ::getpid()) {
    for (int running = running_; running != 0; running = running_) running_.wait(running);
  }
  const nb::gil_scoped_acquire gil;
  const auto dropped = std::exchange(callables_, {});  // last: what it lets go of may come here again
}

void PythonCalls::add(const PythonFunction* function, nb::object callable) {
  callables_.emplace(function, std::move(callable));
}

void PythonCalls::remove(const PythonFunction* function) {
  const auto dropped = callables_.extract(function);
}

nb::object PythonCalls::of(const PythonFunction* function) const {
  const auto found = callables_.find(function);
  if (found == callables_.end()) throw sapwood::CancelledError("the interpreter ends");
  return found->second;
}

PythonFunction::PythonFunction(std::string name, nb::object function, const std::string& returns,
                               bool is_elementwise, std::shared_ptr<PythonCalls> calls)
    : name_(std::move(name)),
      type_(sapwood::parse_type(returns)),
      is_elementwise_(is_elementwise),
      calls_(std::move(calls)) {
  calls_->add(this, std::move(function));
}

PythonFunction::~PythonFunction() {
  try {
    const PythonCalls::Guard guard(*calls_);
    const nb::gil_scoped_acquire gil;
    calls_->remove(this);
  } catch (const sapwood::CancelledError&) {  // then it is let go of there
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
    const nb::object given = function()(columns);
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
