#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sapwood::serve {

/// Decompresses zlib or gzip data, which its first bytes tell apart. Throws StatusError: 413
/// when more than `limit` bytes come out, 400 when it is damaged. The result has HttpRequest::kPadding bytes
/// of capacity to spare.
std::string inflate_body(std::string_view compressed, size_t limit);

}  // namespace sapwood::serve
