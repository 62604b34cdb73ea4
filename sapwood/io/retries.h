#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

namespace sapwood::io {

/// How long to wait before each new try of what failed for a reason that may pass; none: no new try.
struct RetryOptions {
  std::vector<std::chrono::milliseconds> waits{std::chrono::milliseconds(100), std::chrono::milliseconds(400),
                                               std::chrono::milliseconds(1600),
                                               std::chrono::milliseconds(6400)};
};

/// Whether an errno may be that of a moment: of a mounted file system (NFS, EOS, CephFS, FUSE, ...) whose
/// server or network is away, or of a device that fails now and then. Not of missing files, permissions, or
/// wrong use.
bool is_transient(int code);

/// The tries of one operation. Used by one thread.
class Retries {
 public:
  explicit Retries(const RetryOptions& options, std::stop_token stop = {})
      : options_(options), stop_(std::move(stop)) {}
  /// After a try that failed with this errno: waits, and returns whether to try again. Throws CancelledError
  /// where a stop is requested meanwhile.
  bool wait_after(int code);
  /// The errno's text and the number of tries, for messages.
  std::string failure(int code) const;

 private:
  const RetryOptions& options_;
  std::stop_token stop_;
  size_t waited_ = 0;
};

}  // namespace sapwood::io
