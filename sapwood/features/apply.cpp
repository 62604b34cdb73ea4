#include "sapwood/features/apply.h"

#include <algorithm>

#include "sapwood/base/error.h"

namespace sapwood {
namespace {

void check_columns(const RowFormat& format, const std::vector<Column>& columns) {
  if (columns.size() != format.columns().size()) {
    throw SchemaError(
        concat(columns.size(), " columns are given where ", format.columns().size(), " are read"));
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    const ErrorContext context{.column = format.columns()[i]};
    if (columns[i].type != format.column_types()[i]) {
      throw SchemaError(concat("the column is a ", columns[i].type.to_string(), ", where a ",
                               format.column_types()[i].to_string(), " is wanted"),
                        context);
    }
    if (columns[i].length != columns.front().length) {
      throw SchemaError(concat("the column has ", columns[i].length, " entries, where '", format.columns()[0],
                               "' has ", columns.front().length),
                        context);
    }
  }
}

}  // namespace

std::vector<Buffer> make_tensors(const RowFormat& format, std::vector<Column> columns,
                                 const std::shared_ptr<MemoryPool>& pool) {
  check_columns(format, columns);
  RowWriter writer(format, std::move(columns), pool);
  std::vector<Buffer> tensors;
  std::vector<std::byte*> outs;
  const auto num_rows = static_cast<size_t>(writer.num_rows());
  for (const size_t bytes : format.tensor_bytes(num_rows, writer.packed_values())) {
    tensors.emplace_back(bytes, pool);
    outs.push_back(tensors.back().data());
  }
  TensorWriter tensor_writer(format, std::move(outs));
  std::vector<int64_t> entries;
  std::vector<size_t> offsets;
  std::vector<std::byte> tile;
  std::vector<std::byte*> rows;
  for (int64_t start = 0; start < writer.num_rows(); start += RowWriter::kTile) {
    const int64_t stop = std::min(start + RowWriter::kTile, writer.num_rows());
    entries.clear();
    offsets.clear();
    size_t bytes = 0;
    for (int64_t entry = start; entry < stop; ++entry) {
      entries.push_back(entry);
      offsets.push_back(bytes);
      bytes += writer.row_size(entry);
    }
    if (tile.size() < bytes) tile.resize(bytes);
    rows.clear();
    for (const size_t offset : offsets) rows.push_back(tile.data() + offset);
    writer.write(entries, rows);
    tensor_writer.append(std::vector<const std::byte*>(rows.begin(), rows.end()));
  }
  return tensors;
}

}  // namespace sapwood
