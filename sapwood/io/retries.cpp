#include "sapwood/io/retries.h"

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <system_error>

#include "sapwood/base/error.h"

namespace sapwood::io {

bool is_transient(int code) {
  switch (code) {
    case EIO:  // what many network file systems make of all their errors
    case EAGAIN:
    case EBUSY:
    case ETIMEDOUT:
    case ESTALE:    // the server has forgotten the open file
    case ENOTCONN:  // the program behind a FUSE mount begins anew
    case ECONNABORTED:
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETRESET:
    case ENETUNREACH:
    case ENONET:
    case ENOLINK:
    case ECOMM:
    case EREMOTEIO:
    case EPIPE:
    case ENOBUFS:
    case ENOMEM:  // of the kernel
      return true;
    default:
      return false;
  }
}

bool Retries::wait_after(int code) {
  if (!is_transient(code) || waited_ == options_.waits.size()) return false;
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop_, options_.waits[waited_++], [] { return false; });
  if (stop_.stop_requested()) throw CancelledError("reading was cancelled");
  return true;
}

std::string Retries::failure(int code) const {
  const std::string text = std::generic_category().message(code);
  return waited_ == 0 ? text : concat(text, " (", waited_ + 1, " tries)");
}

}  // namespace sapwood::io
