#include "sapwood/features/row_format.h"

#include <algorithm>
#include <cstring>

#include "sapwood/base/error.h"

namespace sapwood {
namespace {

size_t elements(const std::vector<int64_t>& shape) {
  size_t count = 1;
  for (const int64_t extent : shape) count *= static_cast<size_t>(extent);
  return count;
}

// The scalar inside a type that a flat group takes, and how many of it make an entry.
struct FlatShape {
  TypeKind kind;
  size_t size;
};

FlatShape flat_shape(const ColumnInfo& column, const FeatureGroup& group) {
  const Type* type = &column.type;
  size_t size = 1;
  for (; type->kind == TypeKind::kFixedList; type = &type->item())
    size *= static_cast<size_t>(type->fixed_size);
  if (type->is_primitive()) return {type->kind, size};
  const char* remedy =
      type->kind == TypeKind::kList ? ": a jagged column needs a padded group (pad = length)" : "";
  throw SchemaError(concat("the column is a ", column.type.to_string(), ", where group '", group.name,
                           "' wants a number in each entry", remedy),
                    {.column = column.name});
}

// The pad element repeated over `count` elements.
void fill_pad(std::byte* out, size_t count, const FeatureGroup& group) {
  const auto fill = [&](auto value) {
    for (size_t i = 0; i < count; ++i) std::memcpy(out + i * sizeof(value), &value, sizeof(value));
  };
  if (group.pad_value == 0) {
    std::memset(out, 0, count * dtype_size(group.dtype));
    return;
  }
  switch (group.dtype) {
    case DType::kBool:
      return fill(static_cast<uint8_t>(1));
    case DType::kInt32:
      return fill(static_cast<int32_t>(group.pad_value));
    case DType::kInt64:
      return fill(static_cast<int64_t>(group.pad_value));
    case DType::kFloat32:
      return fill(static_cast<float>(group.pad_value));
    case DType::kFloat64:
      return fill(group.pad_value);
  }
}

void prefetch_row(const std::byte* row, size_t bytes) {
  for (size_t offset = 0; offset < bytes; offset += 64) __builtin_prefetch(row + offset);
}

}  // namespace

RowFormat::RowFormat(const FeatureSpec& spec, const Schema& schema) {
  if (spec.groups.empty()) throw ConfigError("no features asked for");
  for (const FeatureGroup& group : spec.groups) {
    if (group.columns.empty()) throw ConfigError("feature group '" + group.name + "' has no columns");
    if (group.pad < 0)
      throw ConfigError(concat("pad of group '", group.name, "' is ", group.pad, ", must be positive"));
    group.pad == 0 ? add_flat(group, schema) : add_padded(group, schema);
  }
  for (size_t i = 0; i < tensors_.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (tensors_[i].name == tensors_[j].name)
        throw ConfigError("two tensors are named '" + tensors_[i].name + "'");
    }
    tensor_row_bytes_.push_back(elements(tensors_[i].shape) * dtype_size(tensors_[i].dtype));
  }
  for (Group& group : padded_) {
    group.row_offset = fixed_bytes_;
    fixed_bytes_ += sizeof(uint32_t);
  }
  fixed_bytes_ = row_aligned(fixed_bytes_);
}

size_t RowFormat::column_place(const std::string& name) {
  const auto found = std::find(columns_.begin(), columns_.end(), name);
  if (found != columns_.end()) return static_cast<size_t>(found - columns_.begin());
  columns_.push_back(name);
  return columns_.size() - 1;
}

void RowFormat::add_flat(const FeatureGroup& spec, const Schema& schema) {
  Group group{.spec = spec,
              .element_size = dtype_size(spec.dtype),
              .row_offset = fixed_bytes_,
              .first_tensor = tensors_.size()};
  TensorInfo tensor{spec.name, spec.dtype, {}, {}};
  for (const std::string& name : spec.columns) {
    const auto [kind, size] = flat_shape(schema[schema.require(name)], spec);
    const size_t place = column_place(name);
    for (size_t i = 0; i < size; ++i) {
      group.channels.push_back({place, i, size, kind});
      tensor.channels.push_back(size == 1 ? name : concat(name, '[', i, ']'));
    }
  }
  if (!spec.squeeze || group.channels.size() != 1)
    tensor.shape = {static_cast<int64_t>(group.channels.size())};
  fixed_bytes_ += row_aligned(group.channels.size() * group.element_size);
  tensors_.push_back(std::move(tensor));
  flat_.push_back(std::move(group));
}

void RowFormat::add_padded(const FeatureGroup& spec, const Schema& schema) {
  Group group{
      .spec = spec, .element_size = dtype_size(spec.dtype), .row_offset = 0, .first_tensor = tensors_.size()};
  for (const std::string& name : spec.columns) {
    const Type& type = schema[schema.require(name)].type;
    const bool jagged = type.kind == TypeKind::kList || type.kind == TypeKind::kFixedList;
    if (!jagged || !type.item().is_primitive()) {
      throw SchemaError(concat("the column is a ", type.to_string(), ", where padded group '", spec.name,
                               "' wants a list of numbers in each entry"),
                        {.column = name});
    }
    const Type& first = schema[schema.require(spec.columns.front())].type;
    if (type.kind != first.kind || type.fixed_size != first.fixed_size) {
      throw SchemaError(
          concat("the column is a ", type.to_string(), ", where padded group '", spec.name, "' has ",
                 first.to_string(), " in '", spec.columns.front(), "': their multiplicities differ"),
          {.column = name});
    }
    group.channels.push_back({column_place(name), 0, 1, type.item().kind});
  }
  const auto channels = static_cast<int64_t>(spec.columns.size());
  TensorInfo values{spec.name, spec.dtype, {channels, spec.pad}, spec.columns};
  TensorInfo mask{spec.name + "_mask", DType::kBool, {1, spec.pad}, {}};
  if (spec.channels_last) {
    values.shape = {spec.pad, channels};
    mask.shape = {spec.pad};
  }
  tensors_.push_back(std::move(values));
  tensors_.push_back(std::move(mask));
  padded_.push_back(std::move(group));
}

double RowFormat::expected_row_bytes(std::span<const double> values_per_entry) const {
  auto bytes = static_cast<double>(fixed_bytes_);
  for (const Group& group : padded_) {
    const double multiplicity =
        std::min(values_per_entry[group.channels.front().column], static_cast<double>(group.spec.pad));
    bytes += multiplicity * static_cast<double>(group.channels.size() * group.element_size) + 4;
  }
  return bytes;
}

void RowFormat::assemble(std::span<const std::byte* const> rows, std::span<std::byte* const> tensors) const {
  constexpr size_t kAhead = 16;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kAhead < rows.size()) prefetch_row(rows[i + kAhead], fixed_bytes_);
    for (const Group& group : flat_) {
      const size_t bytes = group.channels.size() * group.element_size;
      std::memcpy(tensors[group.first_tensor] + i * bytes, rows[i] + group.row_offset, bytes);
    }
    size_t offset = fixed_bytes_;
    for (const Group& group : padded_) {
      uint32_t count = 0;
      std::memcpy(&count, rows[i] + group.row_offset, sizeof(count));
      const auto length = static_cast<size_t>(group.spec.pad);
      const size_t channels = group.channels.size();
      const std::byte* values = rows[i] + offset;
      std::byte* out = tensors[group.first_tensor] + i * channels * length * group.element_size;
      const size_t runs = group.spec.channels_last ? 1 : channels;
      const size_t width = channels / runs;  // elements that one particle takes in a run
      for (size_t run = 0; run < runs; ++run) {
        const size_t used = count * width;
        std::memcpy(out, values, used * group.element_size);
        fill_pad(out + used * group.element_size, (length - count) * width, group.spec);
        values += used * group.element_size;
        out += length * width * group.element_size;
      }
      std::byte* mask = tensors[group.first_tensor + 1] + i * length;
      std::memset(mask, 1, count);
      std::memset(mask + count, 0, length - count);
      offset += row_aligned(count * channels * group.element_size);
    }
  }
}

}  // namespace sapwood
