#include "sapwood/column/arrow_interface.h"

#include <string>
#include <utility>
#include <vector>

#include "sapwood/column/arrow_format.h"
#include "sapwood/kernels/decode.h"

namespace sapwood {
namespace {

template <class Exported>
void release_unless_moved(Exported& exported) {
  if (exported.release != nullptr) exported.release(&exported);
}

// Children of a schema or array: the pointers its consumer sees and what they point to. A consumer may move
// children out, which leaves them with no release.
template <class Exported>
struct Children {
  explicit Children(size_t count) : structs(count, Exported{}), pointers(count) {
    for (size_t i = 0; i < count; ++i) pointers[i] = &structs[i];
  }
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;
  ~Children() {
    for (Exported& child : structs) release_unless_moved(child);
  }
  Exported** data() { return pointers.empty() ? nullptr : pointers.data(); }

  std::vector<Exported> structs;
  std::vector<Exported*> pointers;
};

struct SchemaPrivate {
  explicit SchemaPrivate(size_t children_count) : children(children_count) {}
  std::string format;
  std::string name;
  Children<ArrowSchema> children;
};

struct ArrayPrivate {
  explicit ArrayPrivate(size_t children_count) : children(children_count) {}
  std::vector<Buffer> kept;
  std::vector<const void*> addresses;
  Children<ArrowArray> children;
};

template <class Exported, class Private>
void release(Exported* exported) {
  const std::unique_ptr<Private> owned(static_cast<Private*>(exported->private_data));
  exported->release = nullptr;
}

// Some consumers take no null for an empty buffer.
alignas(64) constexpr std::byte kNothing[64]{};

void add_buffer(ArrayPrivate& owned, Buffer buffer) {
  owned.addresses.push_back(buffer.empty() ? kNothing : buffer.data());
  owned.kept.push_back(std::move(buffer));
}

Buffer packed_bits(const Column& column) {
  const size_t length = static_cast<size_t>(column.length);
  Buffer bits((length + 7) / 8, heap_pool());
  kernels::pack_bits(column.values.data(), bits.data(), length);
  return bits;
}

}  // namespace

void export_schema(const Type& type, const std::string& name, ArrowSchema* schema) {
  auto owned = std::make_unique<SchemaPrivate>(type.children.size());
  owned->format = arrow_format(type);
  owned->name = name;
  for (size_t i = 0; i < type.children.size(); ++i) {
    export_schema(type.children[i].type, type.children[i].name, owned->children.pointers[i]);
  }
  *schema = {.format = owned->format.c_str(),
             .name = owned->name.c_str(),
             .metadata = nullptr,
             .flags = 0,  // not nullable
             .n_children = static_cast<int64_t>(type.children.size()),
             .children = owned->children.data(),
             .dictionary = nullptr,
             .release = release<ArrowSchema, SchemaPrivate>,
             .private_data = owned.get()};
  owned.release();
}

void export_array(const Column& column, ArrowArray* array) {
  auto owned = std::make_unique<ArrayPrivate>(column.children.size());
  owned->addresses.push_back(nullptr);  // no validity bits: nothing is null
  switch (column.type.kind) {
    case TypeKind::kString:
      add_buffer(*owned, column.offsets);
      add_buffer(*owned, column.values);
      break;
    case TypeKind::kList:
      add_buffer(*owned, column.offsets);
      break;
    case TypeKind::kFixedList:
    case TypeKind::kStruct:
      break;
    case TypeKind::kBool:
      add_buffer(*owned, packed_bits(column));
      break;
    default:
      add_buffer(*owned, column.values);
  }
  for (size_t i = 0; i < column.children.size(); ++i) {
    export_array(column.children[i], owned->children.pointers[i]);
  }
  *array = {.length = column.length,
            .null_count = 0,
            .offset = 0,
            .n_buffers = static_cast<int64_t>(owned->addresses.size()),
            .n_children = static_cast<int64_t>(column.children.size()),
            .buffers = owned->addresses.data(),
            .children = owned->children.data(),
            .dictionary = nullptr,
            .release = release<ArrowArray, ArrayPrivate>,
            .private_data = owned.get()};
  owned.release();
}

}  // namespace sapwood
