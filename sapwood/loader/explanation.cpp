#include <array>
#include <iomanip>
#include <sstream>

#include "sapwood/loader/loader.h"

namespace sapwood {
namespace {

std::string readable_bytes(double bytes) {
  constexpr std::array kUnits{"B", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  std::ostringstream out;
  out << std::fixed << std::setprecision(unit == 0 || bytes >= 100 ? 0 : 1) << bytes << ' ' << kUnits[unit];
  return out.str();
}

std::string grouped(int64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

class Table {
 public:
  template <class... Parts>
  void row(const char* label, const Parts&... parts) {
    out_ << "  " << std::left << std::setw(15) << label;
    (out_ << ... << parts) << '\n';
  }
  std::ostringstream& stream() { return out_; }

 private:
  std::ostringstream out_;
};

std::string shape_text(const TensorInfo& tensor, int64_t batch_size) {
  if (tensor.axis == Axis::kNone) return "[]";
  std::string text = "[T";
  if (tensor.axis == Axis::kRows) text = concat('[', batch_size);
  if (tensor.axis == Axis::kOffsets) text = concat('[', batch_size + 1);
  for (const int64_t extent : tensor.shape) text += concat(", ", extent);
  return text + "]";
}

}  // namespace

std::string Explanation::to_string() const {
  Table table;
  table.stream() << "Loader\n" << std::fixed << std::setprecision(1);
  if (rows == entries) {
    table.row("rows", grouped(rows), " in ", grouped(files), files == 1 ? " file, " : " files, ",
              grouped(clusters), clusters == 1 ? " cluster" : " clusters");
  } else {
    table.row("rows", grouped(rows), " of ", grouped(entries), " entries in ", grouped(files),
              files == 1 ? " file" : " files");
  }
  if (world_size > 1) table.row("rank", rank, " of ", grouped(world_size));
  table.row("batches", grouped(batches), " of ", grouped(batch_size), ", the last of ",
            grouped(last_batch_rows));
  for (const TensorInfo& tensor : tensors) {
    table.row(&tensor == tensors.data() ? "batch" : "", tensor.name, "  ", dtype_name(tensor.dtype), ' ',
              shape_text(tensor, batch_size));
  }
  table.row("reading", readable_bytes(static_cast<double>(stored_bytes)), " stored, ",
            readable_bytes(static_cast<double>(decoded_bytes)), " decompressed in ", grouped(units),
            units == 1 ? " unit, " : " units, ", 100 * straddling, " % of it twice");
  if (!shuffle) {
    table.row("order", "as in the files");
  } else if (buffer_rows >= rows) {
    table.row("shuffle", "full permutation (all rows fit the buffer), seed ", seed);
  } else {
    table.row("shuffle", "buffer of ", grouped(buffer_rows), " rows (",
              100.0 * static_cast<double>(buffer_rows) / static_cast<double>(rows), " %), seed ", seed);
    table.row("", "expected variance of classes ", expected.variance_inflation, ", lift ", expected.lift,
              ", repeat ", expected.repeat, " (a full permutation: 1)");
  }
  table.row("memory", readable_bytes(static_cast<double>(memory)), ": staging ",
            readable_bytes(static_cast<double>(staging_bytes)), " (rows of ", row_bytes, " B), units ",
            readable_bytes(static_cast<double>(unit_bytes)), ", ready batches ",
            readable_bytes(static_cast<double>(ready_bytes)));
  table.row("threads", threads);
  return table.stream().str();
}

}  // namespace sapwood
