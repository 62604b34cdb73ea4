#include "sapwood/loader/make_batches.h"

namespace sapwood {
namespace {

size_t aligned64(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

std::vector<Batch> make_batches(const RowFormat& format, std::span<const std::byte* const> rows,
                                std::span<const int64_t> batch_rows,
                                const std::shared_ptr<MemoryPool>& pool) {
  std::vector<Batch> batches;
  std::vector<std::span<const std::byte* const>> rows_of;
  std::vector<std::vector<size_t>> bytes_of;  // each batch's tensors
  size_t first = 0;
  for (const int64_t count : batch_rows) {
    rows_of.push_back(rows.subspan(first, static_cast<size_t>(count)));
    first += rows_of.back().size();
    bytes_of.push_back(format.tensor_bytes(rows_of.back().size(), format.packed_values(rows_of.back())));
    batches.push_back({.rows = count, .tensors = {}});
  }
  for (size_t t = 0; t < format.tensors().size(); ++t) {
    size_t bytes = 0;
    for (const std::vector<size_t>& sizes : bytes_of) bytes += aligned64(sizes[t]);
    const auto memory = std::make_shared<Buffer>(bytes, pool);
    std::byte* next = memory->data();
    for (size_t b = 0; b < batches.size(); ++b) {
      batches[b].tensors.push_back(Buffer::wrap(next, bytes_of[b][t], memory));
      next += aligned64(bytes_of[b][t]);
    }
  }
  for (size_t b = 0; b < batches.size(); ++b) {
    std::vector<std::byte*> tensors;
    for (const Buffer& tensor : batches[b].tensors) tensors.push_back(tensor.data());
    TensorWriter(format, std::move(tensors)).append(rows_of[b]);
  }
  return batches;
}

}  // namespace sapwood
