#include <map>
#include <string>

#include "bindings.h"
#include "sapwood/base/error.h"

namespace {

// The exception classes, by `Error::kind()`; they live as long as the module.
using ErrorClasses = std::map<std::string, PyObject*>;

// Text that may hold bytes of a file: those that are no UTF-8 are written out.
PyObject* text(const std::string& bytes) {
  return PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "backslashreplace");
}

PyObject* text_or_none(const std::string& bytes) {
  return bytes.empty() ? nb::none().release().ptr() : text(bytes);
}

void set_attribute(PyObject* object, const char* name, nb::object value) {
  if (PyObject_SetAttrString(object, name, value.ptr()) != 0) PyErr_Clear();
}

void raise(const ErrorClasses& classes, const sapwood::Error& error) {
  PyObject* type = classes.at(error.kind());
  const nb::object instance = nb::steal(PyObject_CallFunction(type, "N", text(error.what())));
  if (!instance.is_valid()) return;
  const sapwood::ErrorContext& context = error.context();
  set_attribute(instance.ptr(), "file", nb::steal(text_or_none(context.file)));
  set_attribute(instance.ptr(), "object", nb::steal(text_or_none(context.object)));
  set_attribute(instance.ptr(), "column", nb::steal(text_or_none(context.column)));
  nb::object entries = nb::none();
  if (context.entries) entries = nb::make_tuple(context.entries->start, context.entries->stop);
  set_attribute(instance.ptr(), "entries", entries);
  PyErr_SetObject(type, instance.ptr());
}

}  // namespace

void bind_errors(nb::module_& module) {
  auto* classes = new ErrorClasses;  // released with the module
  const auto define = [&](const char* name, PyObject* base, const char* doc) {
    const std::string qualified = std::string("sapwood.") + name;
    PyObject* type = PyErr_NewExceptionWithDoc(qualified.c_str(), doc, base, nullptr);
    if (type == nullptr) throw nb::python_error();
    for (const char* attribute : {"file", "object", "column", "entries"}) {
      if (PyObject_SetAttrString(type, attribute, Py_None) != 0) throw nb::python_error();
    }
    module.attr(name) = nb::borrow(type);
    (*classes)[name] = type;
    return type;
  };
  PyObject* base =
      define("Error", PyExc_Exception,
             "The base of all errors of sapwood. `file`, `object`, `column` and `entries` (start, stop) "
             "say where, as far as known; else None.");
  define("IoError", base, "The operating system or a server refused.");
  define("FormatError", base, "The bytes are wrong: corrupt, truncated, or not of the format they claim.");
  define("UnsupportedError", base, "The bytes may be right; sapwood does not read them (yet).");
  define("SchemaError", base, "No such column or tree, or a column of the wrong type.");
  define("ConfigError", base, "An option is wrong or contradicts another.");
  define(
      "ModelError", base,
      "A model does not load, wants other inputs than it is given, or gives other answers than it should.");
  define("CancelledError", base, "The work was cancelled.");

  nb::register_exception_translator(
      [](const std::exception_ptr& failure, void* payload) {
        try {
          std::rethrow_exception(failure);
        } catch (const sapwood::Error& error) {
          raise(*static_cast<const ErrorClasses*>(payload), error);
        }
      },
      classes);
}
