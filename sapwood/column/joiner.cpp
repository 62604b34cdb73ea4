#include "sapwood/column/joiner.h"

#include <algorithm>
#include <cstring>

namespace sapwood {
namespace {

constexpr double kMostAhead = 64;  // times what there is: the parts to come may be smaller than the first
constexpr double kSlack = 9. / 8;  // and a little larger

// The same column without the room at the end of its buffers.
void fit(Column& column) {
  const auto length = static_cast<size_t>(column.length);
  if (column.type.is_primitive()) {
    column.values = column.values.first(length * primitive_size(column.type.kind));
  } else if (column.type.kind == TypeKind::kString || column.type.kind == TypeKind::kList) {
    column.offsets = column.offsets.first(offsets_size(column.length));
    if (column.type.kind == TypeKind::kString)
      column.values = column.values.first(static_cast<size_t>(column.offset_span().back()));
  }
  for (Column& child : column.children) fit(child);
}

}  // namespace

void ColumnJoiner::make_room(Buffer& buffer, size_t used, size_t more, double share) {
  const size_t needed = used + more;
  if (needed <= buffer.size()) return;
  const double expected = static_cast<double>(needed) * std::min(kSlack / share, kMostAhead);
  const size_t grown = buffer.size() + buffer.size() / 16;
  Buffer larger(std::max({needed, grown, static_cast<size_t>(expected)}), pool_);
  if (used != 0) std::memcpy(larger.data(), buffer.data(), used);
  buffer = std::move(larger);
}

void ColumnJoiner::append_bytes(Buffer& to, size_t used, const Buffer& from, size_t size, double share) {
  make_room(to, used, size, share);
  if (size != 0) std::memcpy(to.data() + used, from.data(), size);
}

void ColumnJoiner::append_to(Column& to, const Column& part, double share) {
  const int64_t before = to.length;
  to.length += part.length;
  switch (to.type.kind) {
    case TypeKind::kString:
    case TypeKind::kList: {
      const size_t used = offsets_size(before);
      make_room(to.offsets, used, offsets_size(to.length) - used, share);
      int64_t* offset = to.offsets.as<int64_t>().data() + before;
      const int64_t items_before = *offset;
      const std::span<const int64_t> from = part.offset_span();
      for (int64_t i = 1; i <= part.length; ++i) *++offset = from[static_cast<size_t>(i)] + items_before;
      if (to.type.kind == TypeKind::kString) {
        const auto size = static_cast<size_t>(from[static_cast<size_t>(part.length)]);
        append_bytes(to.values, static_cast<size_t>(items_before), part.values, size, share);
      } else {
        append_to(to.children.front(), part.item(), share);
      }
      break;
    }
    case TypeKind::kFixedList:
    case TypeKind::kStruct:
      for (size_t i = 0; i < to.children.size(); ++i) append_to(to.children[i], part.children[i], share);
      break;
    default: {
      const size_t size = primitive_size(to.type.kind);
      append_bytes(to.values, static_cast<size_t>(before) * size, part.values,
                   static_cast<size_t>(part.length) * size, share);
    }
  }
}

void ColumnJoiner::append(const Column& part, double share) {
  if (!begun_) joined_ = blank_column(part.type, 0, pool_);
  begun_ = true;
  if (part.type != joined_.type)
    throw SchemaError("a column of " + part.type.to_string() + " after one of " + joined_.type.to_string());
  append_to(joined_, part, share);
}

Column ColumnJoiner::finish() {
  fit(joined_);
  return std::move(joined_);
}

}  // namespace sapwood
