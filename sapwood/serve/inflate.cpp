#include "sapwood/serve/inflate.h"

#include <zlib.h>

#include <algorithm>

#include "sapwood/serve/http.h"
#include "sapwood/serve/status_error.h"

namespace sapwood::serve {
namespace {

class Inflater {
 public:
  Inflater() {
    constexpr int kZlibOrGzip = 15 + 32;
    if (inflateInit2(&stream_, kZlibOrGzip) != Z_OK) throw StatusError(500, "zlib does not start");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
};

}  // namespace

std::string inflate_body(std::string_view compressed, size_t limit) {
  Inflater inflater;
  z_stream& stream = inflater.stream();
  stream.next_in = const_cast<Bytef*>(static_cast<const Bytef*>(static_cast<const void*>(compressed.data())));
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::string out;
  int status = Z_OK;
  while (status == Z_OK) {
    const size_t done = out.size();
    if (done > limit)
      throw StatusError(413, concat("the body is larger than ", limit, " bytes when decompressed"));
    out.resize(done + std::clamp<size_t>(done, 16u << 10, 4u << 20));
    stream.next_out = static_cast<Bytef*>(static_cast<void*>(out.data() + done));
    stream.avail_out = static_cast<uInt>(out.size() - done);
    status = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    // Another member may follow; anything else is not to be overlooked.
    if (status == Z_STREAM_END && stream.avail_in > 0) status = inflateReset(&stream);
  }
  if (status != Z_STREAM_END) throw StatusError(400, "the compressed body is damaged");
  if (out.size() > limit)
    throw StatusError(413, concat("the body is larger than ", limit, " bytes when decompressed"));
  out.reserve(out.size() + HttpRequest::kPadding);
  return out;
}

}  // namespace sapwood::serve
