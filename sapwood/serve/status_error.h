#pragma once

#include <string>

#include "sapwood/base/error.h"

namespace sapwood::serve {

/// A request that gets an answer with this status of HTTP, and the message.
class StatusError final : public Error {
 public:
  StatusError(int status, std::string message) : Error(std::move(message), {}), status_(status) {}
  int status() const { return status_; }
  const char* kind() const noexcept override { return "StatusError"; }

 private:
  int status_;
};

}  // namespace sapwood::serve
