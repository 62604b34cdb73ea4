#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sapwood/column/type.h"
#include "sapwood/rntuple/column_type.h"
#include "sapwood/rntuple/descriptor.h"
#include "sapwood/root/streamer_info.h"
#include "sapwood/streamed/stream_node.h"

namespace sapwood::rntuple {

/// One physical column as a field uses it.
struct PhysicalColumn {
  uint32_t id = 0;
  Encoding encoding;
};

enum class NodeKind : uint8_t {
  kValues,       ///< one column of numbers or bools
  kCardinality,  ///< the sizes of collections, from their index column
  kString,       ///< index column and characters
  kList,         ///< index column and one child
  kFixedList,    ///< one child, no column
  kStruct,       ///< children, no column
  kAlternative,  ///< of a variant: its switch column and one child, as a list of at most one
  kStreamed,     ///< index column and the bytes of objects that the ROOT streamer wrote
};

/// How (a part of) a column of the schema is put together from physical columns. Immutable and shared.
struct FieldNode {
  NodeKind kind = NodeKind::kStruct;
  Type type;                ///< meaningless when `unsupported` is set
  std::string stored_type;  ///< in the file's words
  std::string unsupported;  ///< why it, or something below it, can't be read

  /// The alternative representations; in each cluster one is stored. kValues, kCardinality, kString and kList
  /// have at least one.
  std::vector<PhysicalColumn> principal;
  std::vector<PhysicalColumn> characters;  ///< kString, kStreamed; as many as `principal`

  int64_t fixed_size = 0;  ///< kFixedList
  uint32_t tag = 0;        ///< kAlternative: by which the switch column tells it, from 1 on
  std::shared_ptr<const streamed::StreamNode> object;  ///< kStreamed
  std::vector<std::string> path;         ///< kStreamed: to the member of the object that is meant
  std::vector<std::string> child_names;  ///< kStruct
  std::vector<std::shared_ptr<const FieldNode>> children;
};

/// A column of the schema.
struct NamedNode {
  std::string name;
  bool is_member = false;
  std::shared_ptr<const FieldNode> node;
};

/// All columns: top-level fields, each followed by the members of records in it. Throws FormatError for
/// fields of one name. `infos`: of the file, for objects that the ROOT streamer wrote.
std::vector<NamedNode> build_field_trees(const Descriptor& descriptor, const root::StreamerInfos& infos);

/// Calls use(column) for all physical columns of the tree, in all representations.
template <class Use>
void for_each_physical_column(const FieldNode& node, const Use& use) {
  for (const PhysicalColumn& column : node.principal) use(column);
  for (const PhysicalColumn& column : node.characters) use(column);
  for (const auto& child : node.children) for_each_physical_column(*child, use);
}

}  // namespace sapwood::rntuple
