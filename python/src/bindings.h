#pragma once

#include <nanobind/nanobind.h>

#include <chrono>
#include <functional>
#include <future>
#include <stop_token>

namespace nb = nanobind;

void bind_errors(nb::module_& module);
void bind_column(nb::module_& module);
void bind_source(nb::module_& module);
void bind_features(nb::module_& module);
void bind_dataset(nb::module_& module);
void bind_loader(nb::module_& module);
void bind_bundle(nb::module_& module);

/// Runs `work` on another thread without the GIL, and looks for Ctrl-C meanwhile: then asks `work` to stop,
/// waits for it, and raises KeyboardInterrupt.
template <class Work>
auto run_interruptibly(Work&& work) {
  std::stop_source stop;
  auto future = std::async(std::launch::async, [&] { return work(stop.get_token()); });
  for (;;) {
    {
      const nb::gil_scoped_release release;
      if (future.wait_for(std::chrono::milliseconds(50)) == std::future_status::ready) break;
    }
    if (PyErr_CheckSignals() != 0) {
      stop.request_stop();
      const nb::gil_scoped_release release;
      future.wait();
      const nb::gil_scoped_acquire acquire;
      throw nb::python_error();
    }
  }
  return future.get();
}
