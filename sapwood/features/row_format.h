#pragma once

#include <array>
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
///   multiplicities         uint32 for each jagged group, cut to its length P
///   jagged groups          each n x C elements, in the order of the tensor; at multiples of 8 bytes
class RowFormat {
 public:
  /// Checks the groups against the columns' types. Throws SchemaError (no such column; jagged where a scalar
  /// is wanted, and the other way round), UnsupportedError, ConfigError (no groups, a name twice, not fitted,
  /// a wrong formula).
  RowFormat(const FeatureSpec& spec, const Schema& schema);

  /// The columns to read, each once, and their types.
  const std::vector<std::string>& columns() const { return expressions_.columns(); }
  const std::vector<Type>& column_types() const { return expressions_.column_types(); }
  /// What the specification and the schema define of what is used.
  const std::vector<Definition>& definitions() const { return expressions_.definitions(); }
  /// The tensors of a batch, in the order of the groups, a mask or offsets behind their group.
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  /// Of each tensor, the bytes of one of what its first dimension counts: of a row, of a packed value.
  const std::vector<size_t>& item_bytes() const { return item_bytes_; }
  /// The values of each packed group in `rows`, of which none is looked at where there is no such group.
  std::vector<uint64_t> packed_values(std::span<const std::byte* const> rows) const;
  /// Bytes of each tensor for so many rows with so many values of each packed group. Throws ConfigError where
  /// these are more than 2^31 - 1, which offsets can't count, or the bytes are too many for any memory.
  std::vector<size_t> tensor_bytes(size_t rows, std::span<const uint64_t> packed_values) const;
  /// The mean bytes that an entry takes in all tensors, given the mean number of values per entry of each of
  /// `columns()`.
  double expected_tensor_bytes(std::span<const double> values_per_entry) const;
  /// The mean size of a row, given the same.
  double expected_row_bytes(std::span<const double> values_per_entry) const;
  /// The mean bytes of an entry that a `RowWriter` holds besides its columns, for formulas and transforms.
  double expected_work_bytes(std::span<const double> values_per_entry) const;

 private:
  friend class RowWriter;
  friend class TensorWriter;

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
    size_t row_offset = 0;  // flat: of the elements; jagged: of the multiplicity
    size_t first_tensor = 0;
    int64_t most = 0;  // values of a jagged group that a row holds
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
  void add_jagged(const FeatureGroup& spec, const Schema& schema);
  void add_jagged_tensors(const FeatureGroup& spec, std::vector<std::string> channels);
  double multiplicity(const Group& group, std::span<const double> values_per_entry) const;

  ExpressionSet expressions_;
  std::vector<SlotColumn> slot_columns_;
  std::vector<Group> flat_;
  std::vector<Group> jagged_;
  std::vector<TensorInfo> tensors_;
  std::vector<size_t> item_bytes_;
  size_t fixed_bytes_ = 0;  // up to the first jagged group
};

/// Writes entries of decoded columns as rows: first evaluates the formulas, then transforms and converts.
/// Holds what it needs of the columns; used by one thread.
class RowWriter {
 public:
  /// Entries converted and written together.
  static constexpr int64_t kTile = 64;

  /// `columns` in the order of `format.columns()`. Throws SchemaError when the columns of a jagged group
  /// differ in their multiplicities.
  RowWriter(const RowFormat& format, std::vector<Column> columns, const std::shared_ptr<MemoryPool>& pool);

  int64_t num_rows() const { return num_rows_; }
  /// Bytes of an entry's row; a multiple of 8.
  size_t row_size(int64_t entry) const {
    return jagged_.empty() ? format_.fixed_bytes_ : jagged_row_size(entry);
  }
  /// The values of each packed group in all entries.
  std::vector<uint64_t> packed_values() const;
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

  size_t jagged_row_size(int64_t entry) const;
  void prepare_slots(const std::shared_ptr<MemoryPool>& pool);
  void prepare_flat(const RowFormat::Group& group);
  void prepare_jagged(const RowFormat::Group& group, const std::shared_ptr<MemoryPool>& pool);
  void write_flat(size_t group, int64_t tile_start);
  size_t write_jagged(size_t group, int64_t entry, std::byte* row, size_t offset);

  const RowFormat& format_;
  int64_t num_rows_ = 0;
  std::vector<Column> values_;  // of the format's expressions
  std::vector<Buffer> slots_;   // of the format's slot columns
  std::vector<Buffer> converted_;
  std::vector<std::vector<FlatChannel>> flat_;  // of each flat group
  std::vector<JaggedGroup> jagged_;
  std::vector<std::byte> tile_;                  // converted channels of one tile
  std::array<std::byte*, kTile> tile_rows_;      // where entries of one tile are written
  std::vector<std::byte> spare_row_;             // and those that nobody wants
  std::vector<const std::byte*> channel_bases_;  // of one group: the tile's first entry, or one entry
};

/// Fills the tensors of a batch from rows, each in its turn. Used by one thread.
class TensorWriter {
 public:
  /// One pointer for each of `format.tensors()`, to `format.tensor_bytes` for all rows that will come.
  TensorWriter(const RowFormat& format, std::vector<std::byte*> tensors);
  void append(std::span<const std::byte* const> rows);

 private:
  void prefetch_values(const std::byte* row) const;
  void append_jagged(size_t row, const std::byte* from);
  void append_padded(const RowFormat::Group& group, size_t row, const std::byte* values, size_t count) const;
  void append_packed(const RowFormat::Group& group, const std::byte* values, size_t count);

  // What there is of a packed group so far.
  struct Packed {
    int32_t values = 0;
    int32_t longest = 0;
  };

  const RowFormat& format_;
  std::vector<std::byte*> next_;  // of each tensor
  std::vector<Packed> packed_;    // of each tensor, whether it is such a group's or not
};

}  // namespace sapwood
