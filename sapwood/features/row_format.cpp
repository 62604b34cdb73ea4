#include "sapwood/features/row_format.h"

#include <algorithm>

#include "sapwood/base/error.h"
#include "sapwood/expr/expression.h"

namespace sapwood {
namespace {

constexpr size_t kMostChannels = size_t{1} << 20;
constexpr size_t kLargestRow = size_t{1} << 30;  // bytes, of one tensor

size_t bytes_of_item(const TensorInfo& tensor) {
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
  if (group.is_packed() && (group.pad_value != 0 || group.mask == Mask::kPadding))
    throw ConfigError("packed group '" + group.name + "' has no padding: leave pad_value and mask out");
}

const char* kind_of(const FeatureGroup& group) {
  return group.is_packed() ? "packed group '" : "padded group '";
}

}  // namespace

RowFormat::RowFormat(const FeatureSpec& spec, const Schema& schema) {
  if (spec.groups.empty()) throw ConfigError("no features asked for");
  const Schema defined = with_definitions(schema, spec.definitions);
  for (const FeatureGroup& group : spec.groups) {
    check(group);
    group.is_jagged() ? add_jagged(group, defined) : add_flat(group, defined);
  }
  if (columns().empty()) throw ConfigError("the features read no column");
  for (size_t i = 0; i < tensors_.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (tensors_[i].name == tensors_[j].name)
        throw ConfigError("two tensors are named '" + tensors_[i].name + "'");
    }
    item_bytes_.push_back(bytes_of_item(tensors_[i]));
  }
  for (Group& group : jagged_) {
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

void RowFormat::add_jagged(const FeatureGroup& spec, const Schema& schema) {
  // Of a packed group that is not cut, the most that a row can tell; more than its offsets can count.
  Group group{.spec = spec,
              .element_size = dtype_size(spec.dtype),
              .first_tensor = tensors_.size(),
              .most = spec.pad != 0 ? spec.pad : int64_t{UINT32_MAX}};
  std::vector<std::string> channels;
  for (const Variable& variable : spec.variables) {
    if (variable.slots != 0)
      throw ConfigError(concat("variable '", variable.name, "' has slots, which ", kind_of(spec), spec.name,
                               "' has no use for"));
    const size_t place = expressions_.add(variable.expression, schema);
    const Type& type = expressions_.type(place);
    const bool jagged = type.kind == TypeKind::kList || type.kind == TypeKind::kFixedList;
    const char* what = what_is(expressions_, place);
    if (!jagged || !type.item().is_primitive()) {
      throw SchemaError(concat(what, type.to_string(), ", where ", kind_of(spec), spec.name,
                               "' wants a list of numbers in each entry"),
                        {.column = variable.expression});
    }
    const size_t first = group.channels.empty() ? place : group.channels.front().value;
    const Type& first_type = expressions_.type(first);
    if (type.kind != first_type.kind || type.fixed_size != first_type.fixed_size) {
      throw SchemaError(
          concat(what, type.to_string(), ", where ", kind_of(spec), spec.name, "' has ",
                 first_type.to_string(), " in '", expressions_.text(first), "': their multiplicities differ"),
          {.column = variable.expression});
    }
    group.channels.push_back({place, 0, 1, type.item().kind, variable.transforms});
    channels.push_back(variable.name);
  }
  add_jagged_tensors(spec, std::move(channels));
  jagged_.push_back(std::move(group));
}

void RowFormat::add_jagged_tensors(const FeatureGroup& spec, std::vector<std::string> names) {
  const auto channels = static_cast<int64_t>(spec.variables.size());
  TensorInfo values{spec.name, spec.dtype, {channels, spec.pad}, std::move(names), spec.role};
  if (spec.is_packed()) {
    values.shape = {channels};
    values.axis = Axis::kValues;
    tensors_.push_back(std::move(values));
    tensors_.push_back({spec.name + "_cu_seqlens", DType::kInt32, {}, {}, spec.role, Axis::kOffsets});
    tensors_.push_back({spec.name + "_max_seqlen", DType::kInt32, {}, {}, spec.role, Axis::kNone});
    return;
  }
  TensorInfo mask{spec.name + "_mask", DType::kBool, {1, spec.pad}, {}, spec.role};
  if (spec.layout == Layout::kChannelsLast) {
    values.shape = {spec.pad, channels};
    mask.shape = {spec.pad};
  }
  tensors_.push_back(std::move(values));
  if (spec.mask != Mask::kNone) tensors_.push_back(std::move(mask));
}

std::vector<size_t> RowFormat::tensor_bytes(size_t rows, std::span<const uint64_t> packed_values) const {
  std::vector<size_t> sizes;
  size_t next_packed = 0;
  for (size_t t = 0; t < tensors_.size(); ++t) {
    size_t items = tensors_[t].axis == Axis::kNone ? 1 : rows;
    if (tensors_[t].axis == Axis::kOffsets) ++items;
    if (tensors_[t].axis == Axis::kValues) {
      const uint64_t values = packed_values[next_packed++];
      if (values > INT32_MAX) {
        throw ConfigError(
            concat("packed group '", tensors_[t].name, "' has ", values, " values in a batch of ", rows,
                   " rows, where its int32 offsets count up to ", INT32_MAX, ": make batches smaller"));
      }
      items = values;
    }
    size_t bytes = 0;
    if (__builtin_mul_overflow(item_bytes_[t], items, &bytes) || bytes > SIZE_MAX / 2) {
      throw ConfigError(concat(rows, " rows of ", item_bytes_[t], " bytes each are too many for memory"));
    }
    sizes.push_back(bytes);
  }
  return sizes;
}

double RowFormat::multiplicity(const Group& group, std::span<const double> values_per_entry) const {
  return std::min(expressions_.values_per_entry(group.channels.front().value, values_per_entry),
                  static_cast<double>(group.most));
}

double RowFormat::expected_tensor_bytes(std::span<const double> values_per_entry) const {
  double bytes = 0;
  for (size_t t = 0; t < tensors_.size(); ++t) {
    if (tensors_[t].axis == Axis::kRows || tensors_[t].axis == Axis::kOffsets)
      bytes += static_cast<double>(item_bytes_[t]);
  }
  for (const Group& group : jagged_) {
    if (group.spec.is_packed())
      bytes += multiplicity(group, values_per_entry) * static_cast<double>(item_bytes_[group.first_tensor]);
  }
  return bytes;
}

double RowFormat::expected_row_bytes(std::span<const double> values_per_entry) const {
  auto bytes = static_cast<double>(fixed_bytes_);
  for (const Group& group : jagged_) {
    const size_t value_bytes = group.channels.size() * group.element_size;
    bytes += multiplicity(group, values_per_entry) * static_cast<double>(value_bytes) + 4;
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
  for (const Group& group : jagged_) {
    for (const Channel& channel : group.channels) {
      if (channel.is_stored_as(group.spec.dtype)) continue;
      bytes += expressions_.values_per_entry(channel.value, values_per_entry) *
               static_cast<double>(group.element_size);
    }
  }
  return bytes;
}

}  // namespace sapwood
