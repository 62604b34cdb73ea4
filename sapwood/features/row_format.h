#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sapwood/column/column.h"
#include "sapwood/column/schema.h"
#include "sapwood/features/expression_set.h"
#include "sapwood/features/feature_spec.h"
#include "sapwood/features/slots.h"

namespace sapwood {

/// Parts of a row lie at multiples of 8 bytes.
constexpr size_t row_aligned(size_t bytes) { return (bytes + 7) / 8 * 8; }

/// The row form of a feature specification: each entry as one run of bytes that holds all its tensor
/// elements, already of their final type and order. Decoded columns are written into rows once; batches are
/// assembled from rows in any order. Immutable; safe from many threads.
///
/// A row:
///   flat groups            each C elements, at multiples of 8 bytes
///   multiplicities         uint32 for each padded group, cut to its length P
///   padded groups          each n x C elements, in the order of the tensor; at multiples of 8 bytes
class RowFormat {
 public:
  /// Checks the groups against the columns' types. Throws SchemaError (no such column; jagged where a scalar
  /// is wanted, and the other way round), UnsupportedError, ConfigError (no groups, a name twice, not fitted,
  /// a wrong formula).
  RowFormat(const FeatureSpec& spec, const Schema& schema);

  /// The columns to read, each once, and their types.
  const std::vector<std::string>& columns() const { return expressions_.columns(); }
  const std::vector<Type>& column_types() const { return expressions_.column_types(); }
  /// The tensors of a batch, in the order of the groups, a mask behind its group.
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  /// Bytes of one row of each tensor.
  const std::vector<size_t>& tensor_row_bytes() const { return tensor_row_bytes_; }
  /// The mean size of a row, given the mean number of values per entry of each of `columns()`.
  double expected_row_bytes(std::span<const double> values_per_entry) const;
  /// The mean bytes of an entry that a `RowWriter` holds besides its columns, for formulas and transforms.
  double expected_work_bytes(std::span<const double> values_per_entry) const;

  /// Fills tensors (one pointer for each of `tensors()`, to memory for `rows.size()` rows) from rows.
  void assemble(std::span<const std::byte* const> rows, std::span<std::byte* const> tensors) const;

 private:
  friend class RowWriter;

  // A channel: of a flat group, element `element` of each entry's `stride` values of an expression.
  struct Channel {
    size_t value = 0;  // place of the expression
    size_t element = 0;
    size_t stride = 1;
    TypeKind kind{};  // of the expression's values
    std::vector<Transform> transforms{};
    std::optional<size_t> slot_column{};  // instead of an expression; elements are the tensor's then
    // Whether the expression's values are the tensor's elements as they are.
    bool is_stored_as(DType dtype) const;
  };
  struct Group {
    FeatureGroup spec;
    std::vector<Channel> channels{};
    size_t element_size = 0;
    size_t row_offset = 0;  // flat: of the elements; padded: of the multiplicity
    size_t first_tensor = 0;
  };

  // A column made of the lists of expression `value`, or the mask of that; of no expression, the mask of
  // numbers.
  struct SlotColumn {
    std::optional<size_t> value;
    std::vector<Transform> transforms;
    SlotLayout layout;
    bool is_mask = false;
    bool at_values = true;
  };

  void add_flat(const FeatureGroup& spec, const Schema& schema);
  void add_slots(const Variable& variable, size_t place, Group& group, TensorInfo& tensor);
  void add_slot_mask(const Group& values);
  void add_padded(const FeatureGroup& spec, const Schema& schema);

  ExpressionSet expressions_;
  std::vector<SlotColumn> slot_columns_;
  std::vector<Group> flat_;
  std::vector<Group> padded_;
  std::vector<TensorInfo> tensors_;
  std::vector<size_t> tensor_row_bytes_;
  size_t fixed_bytes_ = 0;  // up to the first padded group
};

/// Writes entries of decoded columns as rows: first evaluates the formulas, then transforms and converts.
/// Holds what it needs of the columns; used by one thread.
class RowWriter {
 public:
  /// Entries converted and written together.
  static constexpr int64_t kTile = 64;

  /// `columns` in the order of `format.columns()`. Throws SchemaError when the columns of a padded group
  /// differ in their multiplicities.
  RowWriter(const RowFormat& format, std::vector<Column> columns, const std::shared_ptr<MemoryPool>& pool);

  int64_t num_rows() const { return num_rows_; }
  /// Bytes of an entry's row; a multiple of 8.
  size_t row_size(int64_t entry) const;
  /// Writes `entries` (ascending, all in one tile [t * kTile, (t + 1) * kTile)) to `rows`, one pointer each.
  void write(std::span<const int64_t> entries, std::span<std::byte* const> rows);

 private:
  struct JaggedGroup {
    const int64_t* offsets = nullptr;  // null for fixed arrays
    int64_t fixed_size = 0;
    std::vector<const std::byte*> values;  // of each channel, as the tensor's elements
    int64_t start(int64_t entry) const { return offsets != nullptr ? offsets[entry] : entry * fixed_size; }
    int64_t count(int64_t entry) const {
      return offsets != nullptr ? offsets[entry + 1] - offsets[entry] : fixed_size;
    }
  };

  struct FlatChannel {
    const std::byte* values = nullptr;  // of entry 0
    size_t step = 0;                    // bytes from entry to entry
    bool is_stored = false;             // as the tensor's elements, side by side
  };

  void prepare_slots(const std::shared_ptr<MemoryPool>& pool);
  void prepare_flat(const RowFormat::Group& group);
  void prepare_padded(const RowFormat::Group& group, const std::shared_ptr<MemoryPool>& pool);
  void write_flat(size_t group, std::span<const int64_t> entries, std::span<std::byte* const> rows);
  size_t write_padded(size_t group, int64_t entry, std::byte* row, size_t offset) const;

  const RowFormat& format_;
  int64_t num_rows_ = 0;
  std::vector<Column> values_;  // of the format's expressions
  std::vector<Buffer> slots_;   // of the format's slot columns
  std::vector<Buffer> converted_;
  std::vector<std::vector<FlatChannel>> flat_;  // of each flat group
  std::vector<JaggedGroup> jagged_;
  std::vector<std::byte> tile_;                  // converted channels of one tile
  std::vector<std::byte> tile_rows_;             // one flat group of one tile, row by row
  std::vector<const std::byte*> channel_bases_;  // of one flat group: the tile's first entry
};

}  // namespace sapwood
