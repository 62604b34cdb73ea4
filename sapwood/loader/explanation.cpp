#include <algorithm>
#include <array>
#include <cmath>
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

std::string percent(double share) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << 100 * share << " %";
  return text.str();
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

void add_classes(Table& table, const Explanation& e) {
  constexpr size_t kMost = 12;
  std::vector<std::array<std::string, 4>> lines{{"class", "rows stored", "rows of an epoch", "copies"}};
  int64_t bins = 0;
  int64_t short_bins = 0;
  int64_t most_bins = 0;
  for (const BalancedClass& of : e.classes) {
    bins += of.bins;
    short_bins += of.short_bins;
    most_bins = std::max(most_bins, of.bins);
    if (lines.size() > kMost) continue;
    std::ostringstream copies;
    copies << std::fixed << std::setprecision(2)
           << static_cast<double>(of.rows) / static_cast<double>(of.stored);
    lines.push_back({of.name.empty() ? "all" : of.name, grouped(of.stored), grouped(of.rows), copies.str()});
  }
  std::array<size_t, 4> widths{};
  for (const auto& line : lines) {
    for (size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], line[c].size());
  }
  for (const auto& line : lines) {
    std::string text = line[0] + std::string(widths[0] - line[0].size(), ' ');
    for (size_t c = 1; c < line.size(); ++c)
      text += std::string(widths[c] - line[c].size() + 2, ' ') + line[c];
    table.row(&line == lines.data() ? "balance" : "", text);
  }
  if (e.classes.size() > kMost) table.row("", "the first of ", grouped(std::ssize(e.classes)), " classes");
  if (most_bins > 1) {
    table.row(
        "", "in ", grouped(bins), " bins that hold rows, ",
        short_bins == 0 ? "all of a class alike" : concat("of which ", grouped(short_bins), " give less"));
  }
  if (e.outside > 0)
    table.row("", grouped(e.outside), e.outside == 1 ? " row is" : " rows are", " outside the bins");
}

}  // namespace

std::string Explanation::to_string() const {
  Table table;
  table.stream() << "Loader\n" << std::fixed << std::setprecision(1);
  const std::string where = concat(" in ", grouped(files), files == 1 ? " file, " : " files, ",
                                   grouped(clusters), clusters == 1 ? " cluster" : " clusters");
  const int64_t of_rank = rows + dropped_rows;
  const char* of = classes.empty() ? " of " : " from ";
  table.row("rows", grouped(of_rank), of_rank == entries ? "" : concat(of, grouped(entries)), where);
  if (!classes.empty()) add_classes(table, *this);
  if (world_size > 1) table.row("rank", rank, ", of ranks 0 to ", grouped(world_size - 1));
  table.row(
      "batches", grouped(batches), " of ", grouped(batch_size), " rows",
      batches == 0 || last_batch_rows == batch_size ? "" : concat(", the last of ", grouped(last_batch_rows)),
      dropped_rows == 0 ? "" : concat("; ", grouped(dropped_rows), " rows are left out"));
  for (const TensorInfo& tensor : tensors) {
    table.row(&tensor == tensors.data() ? "batch" : "", tensor.name, "  ", dtype_name(tensor.dtype), ' ',
              shape_text(tensor, batch_size));
  }
  table.row("reading", readable_bytes(static_cast<double>(stored_bytes)), " stored, ",
            readable_bytes(static_cast<double>(decoded_bytes)), " decompressed in ", grouped(units),
            units == 1 ? " unit" : " units", world_size > 1 ? " of all ranks" : "",
            straddling < 5e-4 ? "" : concat(", of which ", percent(straddling), " twice"));
  if (!shuffle) {
    table.row("order", "as in the files");
  } else if (buffer_rows >= of_rank) {
    table.row("shuffle", "full permutation (all rows fit the buffer), seed ", seed);
  } else {
    table.row("shuffle", "buffer of ", grouped(buffer_rows), " rows of ", std::llround(row_bytes), " B (",
              percent(static_cast<double>(buffer_rows) / static_cast<double>(of_rank)), " of them), seed ",
              seed);
    table.row("", "against a full permutation: variance of classes in a batch x ",
              expected.variance_inflation);
    table.row("", "rows of one unit together x ", expected.lift, ", together again next epoch x ",
              expected.repeat);
  }
  if (memory == LoaderOptions::kUnlimitedMemory) {
    table.row("memory", "as much as it takes");
  } else {
    table.row("memory", readable_bytes(static_cast<double>(memory)), ": shuffle buffer ",
              readable_bytes(static_cast<double>(staging_bytes)), ", reading and decoding ",
              readable_bytes(static_cast<double>(unit_bytes)), ", ready batches ",
              readable_bytes(static_cast<double>(ready_bytes)));
  }
  if (cached > 0) {
    table.row("later epochs", cached < 1 ? concat("about ", std::llround(100 * cached), " %") : "all",
              " of the rows stay in memory");
  }
  table.row("threads", threads);
  return table.stream().str();
}

}  // namespace sapwood
