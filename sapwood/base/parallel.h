#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

namespace sapwood {

/// Processors this process may run on (its affinity mask), at least 1.
size_t available_threads();

/// Calls `body(i)` for each i in [0, count) on up to `threads` threads, the calling one among them, and
/// returns when all are done. Indices are handed out in order. The first exception stops the handing out and
/// is rethrown; a requested stop does too, as `CancelledError`.
void parallel_for(size_t count, size_t threads, const std::function<void(size_t)>& body,
                  const std::stop_token& stop = {});

}  // namespace sapwood
