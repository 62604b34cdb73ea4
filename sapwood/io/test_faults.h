#pragma once

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

// To be included in one source file of a test program, whose calls of open, pread, preadv and preadv2 then
// come here.

namespace sapwood::io {

/// Which calls fail, and how.
struct Fault {
  std::atomic<int> code{0};         ///< the errno
  std::atomic<int> left{0};         ///< calls that will fail
  std::atomic<int> spared{0};       ///< calls before these that will not
  std::atomic<int> descriptor{-1};  ///< of which calls fail, or -1: any
  std::atomic<int> failed{0};       ///< calls that have

  /// The next `count` calls fail, after some that don't.
  void arm(int error, int count, int after = 0) {
    code = error;
    spared = after;
    descriptor = -1;
    failed = 0;
    left = count;
  }
  void disarm() { left = 0; }
  bool strikes(int of = -1) {
    if (left <= 0 || (descriptor >= 0 && of != descriptor) || spared-- > 0 || left-- <= 0) return false;
    ++failed;
    errno = code;
    return true;
  }
};

inline Fault read_fault;
inline Fault open_fault;
inline std::atomic<int> last_descriptor{-1};        ///< that was read from
inline std::atomic<bool> nothing_is_cached{false};  ///< as far as the system tells

}  // namespace sapwood::io

extern "C" {

ssize_t pread(int descriptor, void* out, size_t size, off_t offset) {
  sapwood::io::last_descriptor = descriptor;
  if (sapwood::io::read_fault.strikes(descriptor)) return -1;
  return ::syscall(SYS_pread64, descriptor, out, size, offset);
}

ssize_t preadv(int descriptor, const iovec* vector, int count, off_t offset) {
  sapwood::io::last_descriptor = descriptor;
  if (sapwood::io::read_fault.strikes(descriptor)) return -1;
  return ::syscall(SYS_preadv, descriptor, vector, count, offset, 0L);
}

ssize_t preadv2(int descriptor, const iovec* vector, int count, off_t offset, int flags) {
  if (sapwood::io::nothing_is_cached) {
    errno = EAGAIN;
    return -1;
  }
  return ::syscall(SYS_preadv2, descriptor, vector, count, offset, 0L, flags);
}

int open(const char* path, int flags, ...) {
  if (sapwood::io::open_fault.strikes()) return -1;
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, 0600));
}

}  // extern "C"
