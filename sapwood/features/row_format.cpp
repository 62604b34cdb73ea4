#include "sapwood/features/row_format.h"

#include <algorithm>
#include <cstring>

#include "sapwood/base/error.h"
#include "sapwood/features/convert.h"

namespace sapwood {
namespace {

constexpr size_t kMostChannels = size_t{1} << 20;
constexpr size_t kLargestRow = size_t{1} << 30;  // bytes, of one tensor

size_t row_bytes(const TensorInfo& tensor) {
  size_t bytes = dtype_size(tensor.dtype);
  bool fits = true;
  for (const int64_t extent : tensor.shape)
    fits = fits && !__builtin_mul_overflow(bytes, static_cast<size_t>(extent), &bytes);
  if (!fits || bytes > kLargestRow)
    throw ConfigError(concat("a row of tensor '", tensor.name, "' takes more than ", kLargestRow, " bytes"));
  return bytes;
}

void require_channels(const FeatureGroup& group, size_t have, size_t more) {
  if (more > kMostChannels || have > kMostChannels - more)
    throw ConfigError(concat("group '", group.name, "' has more than ", kMostChannels, " channels"));
}

// The scalar inside a type that a flat group takes, and how many of it make an entry.
struct FlatShape {
  TypeKind kind;
  size_t size;
};

const char* what_is(const ExpressionSet& expressions, size_t place) {
  return expressions.is_formula(place) ? "the formula is a " : "the column is a ";
}

FlatShape flat_shape(const ExpressionSet& expressions, size_t place, const FeatureGroup& group) {
  const Type* type = &expressions.type(place);
  size_t size = 1;
  for (; type->kind == TypeKind::kFixedList; type = &type->item())
    size *= static_cast<size_t>(type->fixed_size);
  if (type->is_primitive()) return {type->kind, size};
  const char* remedy =
      type->kind == TypeKind::kList ? ": a jagged column needs a padded group (pad = length)" : "";
  throw SchemaError(concat(what_is(expressions, place), expressions.type(place).to_string(),
                           ", where group '", group.name, "' wants a number in each entry", remedy),
                    {.column = expressions.text(place)});
}

void check(const FeatureGroup& group) {
  if (group.variables.empty()) throw ConfigError("feature group '" + group.name + "' has no variables");
  if (!group.is_fitted()) {
    throw ConfigError(
        concat("feature group '", group.name,
               "' has statistics that are still to be learnt from data: fit the specification first"));
  }
  for (const Variable& variable : group.variables) {
    if (variable.slots < 0 || variable.slots > FeatureGroup::kLargestPad)
      throw ConfigError(concat("variable '", variable.name, "' of group '", group.name, "' has ",
                               variable.slots, " slots, must be in 0..", FeatureGroup::kLargestPad));
  }
  if (group.pad < 0 || group.pad > FeatureGroup::kLargestPad) {
    throw ConfigError(concat("pad of group '", group.name, "' is ", group.pad, ", must be in 0..",
                             FeatureGroup::kLargestPad));
  }
}

void prefetch_row(const std::byte* row, size_t bytes) {
  for (size_t offset = 0; offset < bytes; offset += 64) __builtin_prefetch(row + offset);
}

}  // namespace

RowFormat::RowFormat(const FeatureSpec& spec, const Schema& schema) {
  if (spec.groups.empty()) throw ConfigError("no features asked for");
  for (const FeatureGroup& group : spec.groups) {
    check(group);
    group.pad == 0 ? add_flat(group, schema) : add_padded(group, schema);
  }
  if (columns().empty()) throw ConfigError("the features read no column");
  for (size_t i = 0; i < tensors_.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (tensors_[i].name == tensors_[j].name)
        throw ConfigError("two tensors are named '" + tensors_[i].name + "'");
    }
    tensor_row_bytes_.push_back(row_bytes(tensors_[i]));
  }
  for (Group& group : padded_) {
    group.row_offset = fixed_bytes_;
    fixed_bytes_ += sizeof(uint32_t);
  }
  fixed_bytes_ = row_aligned(fixed_bytes_);
}

bool RowFormat::Channel::is_stored_as(DType dtype) const {
  return !slot_column && stride == 1 && transforms.empty() && kind == type_kind(dtype);
}

void RowFormat::add_flat(const FeatureGroup& spec, const Schema& schema) {
  Group group{.spec = spec,
              .element_size = dtype_size(spec.dtype),
              .row_offset = fixed_bytes_,
              .first_tensor = tensors_.size()};
  TensorInfo tensor{spec.name, spec.dtype, {}, {}, spec.role};
  for (const Variable& variable : spec.variables) {
    const size_t place = expressions_.add(variable.expression, schema);
    if (variable.slots != 0) {
      add_slots(variable, place, group, tensor);
      continue;
    }
    const auto [kind, size] = flat_shape(expressions_, place, spec);
    require_channels(spec, group.channels.size(), size);
    for (size_t i = 0; i < size; ++i) {
      group.channels.push_back({place, i, size, kind, variable.transforms});
      tensor.channels.push_back(size == 1 ? variable.name : concat(variable.name, '[', i, ']'));
    }
  }
  if (!spec.squeeze || group.channels.size() != 1)
    tensor.shape = {static_cast<int64_t>(group.channels.size())};
  fixed_bytes_ += row_aligned(group.channels.size() * group.element_size);
  tensors_.push_back(std::move(tensor));
  const auto slotted = [](const Variable& variable) { return variable.slots != 0; };
  const bool masked = spec.mask != Mask::kNone && std::ranges::any_of(spec.variables, slotted);
  flat_.push_back(std::move(group));
  if (masked) add_slot_mask(flat_.back());
}

// Each slot is a channel of a column that `RowWriter` makes of the lists.
void RowFormat::add_slots(const Variable& variable, size_t place, Group& group, TensorInfo& tensor) {
  const Type& type = expressions_.type(place);
  const bool lists = type.kind == TypeKind::kList || type.kind == TypeKind::kFixedList;
  if (!lists || !type.item().is_primitive()) {
    throw SchemaError(
        concat(what_is(expressions_, place), type.to_string(), ", where a variable with slots in group '",
               group.spec.name, "' wants a list of numbers in each entry"),
        {.column = variable.expression});
  }
  require_channels(group.spec, group.channels.size(), static_cast<size_t>(variable.slots));
  slot_columns_.push_back(
      {place, variable.transforms, {variable.slots, group.spec.dtype, group.spec.pad_value}, false, {}});
  for (int64_t i = 0; i < variable.slots; ++i) {
    group.channels.push_back({.element = static_cast<size_t>(i),
                              .stride = static_cast<size_t>(variable.slots),
                              .slot_column = slot_columns_.size() - 1});
    tensor.channels.push_back(concat(variable.name, '_', i));
  }
}

// A group of its own: what stands behind the last one's channels.
void RowFormat::add_slot_mask(const Group& values) {
  const bool at_values = values.spec.mask == Mask::kValues;
  Group mask{
      .spec = values.spec, .element_size = 1, .row_offset = fixed_bytes_, .first_tensor = tensors_.size()};
  mask.spec.dtype = DType::kBool;
  std::optional<size_t> of;
  size_t mask_column = 0;
  for (const Channel& channel : values.channels) {
    if (!channel.slot_column || channel.slot_column != of) {
      of = channel.slot_column;
      mask_column = slot_columns_.size();
      if (of) {
        const SlotColumn lists = slot_columns_[*of];
        slot_columns_.push_back({lists.value, {}, {lists.layout.slots, DType::kBool}, true, at_values});
      } else {
        slot_columns_.push_back({std::nullopt, {}, {1, DType::kBool}, true, at_values});
      }
    }
    mask.channels.push_back(
        {.element = of ? channel.element : 0, .stride = of ? channel.stride : 1, .slot_column = mask_column});
  }
  tensors_.push_back({values.spec.name + "_mask",
                      DType::kBool,
                      {static_cast<int64_t>(mask.channels.size())},
                      {},
                      values.spec.role});
  fixed_bytes_ += row_aligned(mask.channels.size());
  flat_.push_back(std::move(mask));
}

void RowFormat::add_padded(const FeatureGroup& spec, const Schema& schema) {
  Group group{
      .spec = spec, .element_size = dtype_size(spec.dtype), .row_offset = 0, .first_tensor = tensors_.size()};
  TensorInfo values{spec.name, spec.dtype, {}, {}, spec.role};
  for (const Variable& variable : spec.variables) {
    if (variable.slots != 0)
      throw ConfigError(concat("variable '", variable.name, "' has slots, which padded group '", spec.name,
                               "' has no use for"));
    const size_t place = expressions_.add(variable.expression, schema);
    const Type& type = expressions_.type(place);
    const bool jagged = type.kind == TypeKind::kList || type.kind == TypeKind::kFixedList;
    const char* what = what_is(expressions_, place);
    if (!jagged || !type.item().is_primitive()) {
      throw SchemaError(concat(what, type.to_string(), ", where padded group '", spec.name,
                               "' wants a list of numbers in each entry"),
                        {.column = variable.expression});
    }
    const size_t first = group.channels.empty() ? place : group.channels.front().value;
    const Type& first_type = expressions_.type(first);
    if (type.kind != first_type.kind || type.fixed_size != first_type.fixed_size) {
      throw SchemaError(
          concat(what, type.to_string(), ", where padded group '", spec.name, "' has ",
                 first_type.to_string(), " in '", expressions_.text(first), "': their multiplicities differ"),
          {.column = variable.expression});
    }
    group.channels.push_back({place, 0, 1, type.item().kind, variable.transforms});
    values.channels.push_back(variable.name);
  }
  const auto channels = static_cast<int64_t>(spec.variables.size());
  TensorInfo mask{spec.name + "_mask", DType::kBool, {1, spec.pad}, {}, spec.role};
  values.shape = {channels, spec.pad};
  if (spec.channels_last) {
    values.shape = {spec.pad, channels};
    mask.shape = {spec.pad};
  }
  tensors_.push_back(std::move(values));
  if (spec.mask != Mask::kNone) tensors_.push_back(std::move(mask));
  padded_.push_back(std::move(group));
}

double RowFormat::expected_row_bytes(std::span<const double> values_per_entry) const {
  auto bytes = static_cast<double>(fixed_bytes_);
  for (const Group& group : padded_) {
    const double multiplicity =
        std::min(expressions_.values_per_entry(group.channels.front().value, values_per_entry),
                 static_cast<double>(group.spec.pad));
    bytes += multiplicity * static_cast<double>(group.channels.size() * group.element_size) + 4;
  }
  return bytes;
}

double RowFormat::expected_work_bytes(std::span<const double> values_per_entry) const {
  double bytes = expressions_.formula_bytes(values_per_entry);
  for (const SlotColumn& column : slot_columns_) {
    bytes += static_cast<double>(static_cast<size_t>(column.layout.slots) * dtype_size(column.layout.dtype));
    if (column.value && !column.is_mask)
      bytes += expressions_.values_per_entry(*column.value, values_per_entry) *
               static_cast<double>(dtype_size(column.layout.dtype));
  }
  for (const Group& group : padded_) {
    for (const Channel& channel : group.channels) {
      if (channel.is_stored_as(group.spec.dtype)) continue;
      bytes += expressions_.values_per_entry(channel.value, values_per_entry) *
               static_cast<double>(group.element_size);
    }
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
        fill_elements(out + used * group.element_size, group.spec.dtype, group.spec.pad_value,
                      (length - count) * width);
        values += used * group.element_size;
        out += length * width * group.element_size;
      }
      if (group.spec.mask != Mask::kNone) {
        const bool at_values = group.spec.mask == Mask::kValues;
        std::byte* mask = tensors[group.first_tensor + 1] + i * length;
        std::memset(mask, at_values ? 1 : 0, count);
        std::memset(mask + count, at_values ? 0 : 1, length - count);
      }
      offset += row_aligned(count * channels * group.element_size);
    }
  }
}

}  // namespace sapwood
