#include "sapwood/rntuple/descriptor.h"

namespace sapwood::rntuple {
namespace {

constexpr size_t kMinFieldSize = 8 + 16 + 4 * 4;
constexpr size_t kMinColumnSize = 8 + 12;
constexpr size_t kMinAliasColumnSize = 8 + 8;
constexpr size_t kMinClusterGroupSize = 8 + 20 + 8 + 12;

// u64 words; all but the last have the sign bit set. No bit has a meaning yet.
void read_feature_flags(LittleEndianCursor& in) {
  int64_t flags;
  do {
    flags = in.read<int64_t>();
    if ((static_cast<uint64_t>(flags) << 1) != 0) {
      throw UnsupportedError(concat("the RNTuple needs features that are unknown here (flags 0x", std::hex,
                                    static_cast<uint64_t>(flags), ")"));
    }
  } while (flags < 0);
}

// u32 field version, type version, parent; u16 role, flags; strings name, type name, type alias, description;
// u64 array size, u32 source field, u32 type checksum, each if its flag is set.
FieldDescription read_field(LittleEndianCursor in) {
  FieldDescription field;
  field.field_version = in.read<uint32_t>();
  in.read<uint32_t>();  // type version
  field.parent = in.read<uint32_t>();
  field.role = in.read<uint16_t>();
  field.flags = in.read<uint16_t>();
  field.name = read_string(in);
  field.type_name = read_string(in);
  read_string(in);  // type alias
  read_string(in);  // description
  if (field.is_repetitive()) field.array_size = in.read<uint64_t>();
  return field;
}

// u16 type, bits; u32 field; u16 flags, representation; i64 first element, f64 min, max if their flags are
// set.
ColumnDescription read_column(LittleEndianCursor in) {
  ColumnDescription column;
  column.type = in.read<uint16_t>();
  column.bits = in.read<uint16_t>();
  column.field = in.read<uint32_t>();
  column.flags = in.read<uint16_t>();
  column.representation = in.read<uint16_t>();
  if (column.is_deferred()) column.first_element = in.read<int64_t>();
  if ((column.flags & ColumnDescription::kRange) != 0) {
    column.min_value = in.read<double>();
    column.max_value = in.read<double>();
  }
  return column;
}

// Four list frames: fields, columns, alias columns, extra type information (of no use to us).
void read_schema_description(LittleEndianCursor& in, Descriptor& descriptor) {
  ListFrame fields = take_list_frame(in, "RNTuple fields", kMinFieldSize);
  for (uint32_t i = 0; i < fields.num_items; ++i) {
    descriptor.fields.push_back(read_field(take_record_frame(fields.payload, "RNTuple field")));
  }
  ListFrame columns = take_list_frame(in, "RNTuple columns", kMinColumnSize);
  for (uint32_t i = 0; i < columns.num_items; ++i) {
    descriptor.columns.push_back(read_column(take_record_frame(columns.payload, "RNTuple column")));
  }
  ListFrame aliases = take_list_frame(in, "RNTuple alias columns", kMinAliasColumnSize);
  for (uint32_t i = 0; i < aliases.num_items; ++i) {
    LittleEndianCursor alias = take_record_frame(aliases.payload, "RNTuple alias column");
    const uint32_t physical_column = alias.read<uint32_t>();
    descriptor.alias_columns.push_back({physical_column, alias.read<uint32_t>()});
  }
  take_list_frame(in, "RNTuple extra type information", 0);
}

// u64 minimum entry, u64 entry span, u32 number of clusters, link to the page list.
ClusterGroup read_cluster_group(LittleEndianCursor in) {
  in.skip(2 * sizeof(uint64_t));
  ClusterGroup group;
  group.num_clusters = in.read<uint32_t>();
  group.page_list = read_envelope_link(in);
  return group;
}

void check_ids(const Descriptor& descriptor) {
  // Parents come before their children, so that there is no circle.
  for (size_t id = 0; id < descriptor.fields.size(); ++id) {
    if (descriptor.fields[id].parent > id) {
      throw FormatError(
          concat("corrupt RNTuple header: field ", id, " has the parent ", descriptor.fields[id].parent));
    }
  }
  const auto check_field = [&](uint32_t field) {
    if (field >= descriptor.fields.size()) {
      throw FormatError(
          concat("corrupt RNTuple header: a column of field ", field, " of ", descriptor.fields.size()));
    }
  };
  for (const ColumnDescription& column : descriptor.columns) check_field(column.field);
  for (const AliasColumn& alias : descriptor.alias_columns) {
    check_field(alias.field);
    if (alias.physical_column >= descriptor.columns.size()) {
      throw FormatError(concat("corrupt RNTuple header: an alias of column ", alias.physical_column, " of ",
                               descriptor.columns.size()));
    }
  }
}

// How many elements of each field an entry has, 0 when that varies.
std::vector<uint64_t> elements_per_entry(const std::vector<FieldDescription>& fields) {
  std::vector<uint64_t> elements(fields.size());
  for (size_t id = 0; id < fields.size(); ++id) {
    const FieldDescription& field = fields[id];
    uint64_t count = 1;
    if (field.parent != id) {
      const auto parent_role = static_cast<StructuralRole>(fields[field.parent].role);
      const bool varies =
          parent_role == StructuralRole::kCollection || parent_role == StructuralRole::kVariant;
      count = varies ? 0 : elements[field.parent];
    }
    if (field.is_repetitive() && __builtin_mul_overflow(count, field.array_size, &count)) {
      throw FormatError(
          concat("corrupt RNTuple header: field '", field.name, "' is an array of ", field.array_size));
    }
    elements[id] = count;
  }
  return elements;
}

}  // namespace

// Header: feature flags; strings name, description, writer; schema description.
// Footer: feature flags; u64 checksum of the header; record frame with a schema description that continues
// the header's (or nothing); list frame of cluster groups.
Descriptor parse_descriptor(const Envelope& header, const Envelope& footer) {
  Descriptor descriptor;
  descriptor.header_checksum = header.checksum;
  LittleEndianCursor header_in = header.payload();
  read_feature_flags(header_in);
  for (int i = 0; i < 3; ++i) read_string(header_in);
  read_schema_description(header_in, descriptor);

  LittleEndianCursor footer_in = footer.payload();
  read_feature_flags(footer_in);
  if (footer_in.read<uint64_t>() != header.checksum) {
    throw FormatError("corrupt RNTuple: header and footer do not belong together");
  }
  LittleEndianCursor extension = take_record_frame(footer_in, "RNTuple schema extension");
  if (!extension.at_end()) read_schema_description(extension, descriptor);
  ListFrame groups = take_list_frame(footer_in, "RNTuple cluster groups", kMinClusterGroupSize);
  for (uint32_t i = 0; i < groups.num_items; ++i) {
    descriptor.cluster_groups.push_back(
        read_cluster_group(take_record_frame(groups.payload, "RNTuple cluster group")));
  }
  check_ids(descriptor);
  const std::vector<uint64_t> elements = elements_per_entry(descriptor.fields);
  std::vector<int> last_representation(descriptor.fields.size(), -1);
  for (ColumnDescription& column : descriptor.columns) {
    // The second column of a representation holds the characters of strings or the bytes of objects.
    int& last = last_representation[column.field];
    if (last != column.representation) column.elements_per_entry = elements[column.field];
    last = column.representation;
  }
  return descriptor;
}

}  // namespace sapwood::rntuple
