#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/column/arrow_format.h"
#include "sapwood/column/arrow_interface.h"
#include "sapwood/kernels/decode.h"

namespace sapwood {
namespace {

// An array taken over from its producer.
struct TakenArray {
  explicit TakenArray(ArrowArray* array) : array(*array) { array->release = nullptr; }
  TakenArray(const TakenArray&) = delete;
  TakenArray& operator=(const TakenArray&) = delete;
  ~TakenArray() {
    if (array.release != nullptr) array.release(&array);
  }
  ArrowArray array;
};

// What every level of an import shares.
struct Import {
  std::shared_ptr<TakenArray> owner;
  std::shared_ptr<MemoryPool> pool;
};

// Elements [start, start + length), counted from the start of an array's buffers.
struct Elements {
  int64_t start;
  int64_t length;
};

struct ImportedOffsets {
  Buffer offsets;     // from 0
  Elements elements;  // of the level below, counted from that array's own offset
};

[[noreturn]] void fail(const std::string& why) { throw FormatError("bad Arrow array: " + why); }

// An array's own offset shifts what is wanted of it.
Elements shifted(const ArrowArray& array, Elements wanted) {
  if (array.offset < 0 || array.length < 0 || wanted.start < 0 || wanted.start > array.length ||
      wanted.length > array.length - wanted.start) {
    fail(concat(wanted.length, " elements from ", wanted.start, " on, of ", array.length));
  }
  int64_t end = 0;
  if (__builtin_add_overflow(array.offset, array.length, &end)) fail("its offset is too large");
  return {array.offset + wanted.start, wanted.length};
}

bool has_nulls(const ArrowArray& array, Elements elements) {
  const auto* bits = static_cast<const uint8_t*>(array.buffers[0]);
  if (array.null_count == 0 || bits == nullptr) return false;
  for (int64_t i = elements.start; i < elements.start + elements.length; ++i) {
    if ((bits[i / 8] >> (i % 8) & 1) == 0) return true;
  }
  return false;
}

const std::byte* buffer_of(const ArrowArray& array, int64_t index) {
  if (array.buffers[index] == nullptr) fail(concat("buffer ", index, " is missing"));
  return static_cast<const std::byte*>(array.buffers[index]);
}

// The producer's bytes as a buffer that keeps its whole array alive. Nobody writes the buffers of a column,
// so the const is only set aside.
Buffer share(const std::byte* data, size_t size, const Import& import) {
  return Buffer::wrap(const_cast<std::byte*>(data), size, import.owner);
}

Buffer import_values(const ArrowArray& array, int64_t index, Elements elements, size_t element_size,
                     const Import& import) {
  if (elements.length == 0) return {};
  const size_t size = static_cast<size_t>(elements.length) * element_size;
  const std::byte* data = buffer_of(array, index) + static_cast<size_t>(elements.start) * element_size;
  if (std::bit_cast<uintptr_t>(data) % element_size == 0) return share(data, size, import);
  Buffer copy(size, import.pool);
  std::memcpy(copy.data(), data, size);
  return copy;
}

Buffer import_bits(const ArrowArray& array, Elements elements, const Import& import) {
  if (elements.length == 0) return {};
  // From the start of a byte on; the bits before the first one wanted are then left out of view.
  const size_t skipped = static_cast<size_t>(elements.start % 8);
  const size_t length = static_cast<size_t>(elements.length);
  const auto unpacked = std::make_shared<Buffer>(skipped + length, import.pool);
  kernels::unpack_bits(buffer_of(array, 1) + elements.start / 8, unpacked->data(), skipped + length);
  return Buffer::wrap(unpacked->data() + skipped, length, unpacked);
}

Buffer shift_wide_offsets(const std::byte* data, size_t count, int64_t first, const Import& import) {
  Buffer offsets(count * sizeof(int64_t), import.pool);
  std::memcpy(offsets.data(), data, offsets.size());
  for (int64_t& offset : offsets.as<int64_t>()) {
    // Unsigned, so that nonsense wraps around and is found out below.
    offset = static_cast<int64_t>(static_cast<uint64_t>(offset) - static_cast<uint64_t>(first));
  }
  return offsets;
}

ImportedOffsets import_offsets(const ArrowArray& array, Elements elements, bool wide, const Import& import) {
  const size_t count = static_cast<size_t>(elements.length) + 1;
  Buffer offsets;
  int64_t first = 0;
  if (elements.length == 0) {  // may come without a buffer
    offsets = Buffer(sizeof(int64_t), import.pool);
    offsets.as<int64_t>()[0] = 0;
  } else if (wide) {
    const std::byte* data = buffer_of(array, 1) + static_cast<size_t>(elements.start) * sizeof(int64_t);
    std::memcpy(&first, data, sizeof(first));
    const bool aligned = std::bit_cast<uintptr_t>(data) % sizeof(int64_t) == 0;
    offsets = first == 0 && aligned ? share(data, count * sizeof(int64_t), import)
                                    : shift_wide_offsets(data, count, first, import);
  } else {
    const auto* data =
        static_cast<const uint32_t*>(static_cast<const void*>(buffer_of(array, 1))) + elements.start;
    first = data[0];
    offsets = Buffer(count * sizeof(int64_t), import.pool);
    kernels::widen_offsets(data, offsets.as<int64_t>().data(), count, -first);
  }
  const std::span<const int64_t> checked = offsets.as<const int64_t>();
  if (first < 0 || !std::is_sorted(checked.begin(), checked.end())) fail("its offsets go back");
  return {std::move(offsets), {first, checked.back()}};
}

int64_t buffers_of(TypeKind kind) {
  switch (kind) {
    case TypeKind::kString:
      return 3;  // validity, offsets, characters
    case TypeKind::kFixedList:
    case TypeKind::kStruct:
      return 1;  // validity
    default:
      return 2;  // validity, and offsets or values
  }
}

Column import_elements(const Type& type, const ArrowSchema& schema, const ArrowArray& array, Elements wanted,
                       const Import& import) {
  if (array.n_buffers != buffers_of(type.kind) || array.buffers == nullptr) {
    fail(concat(array.n_buffers, " buffers for ", type.to_string()));
  }
  if (array.n_children != static_cast<int64_t>(type.children.size()) ||
      (array.n_children != 0 && array.children == nullptr)) {
    fail(concat(array.n_children, " children for ", type.to_string()));
  }
  const Elements elements = shifted(array, wanted);
  if (has_nulls(array, elements)) {
    throw UnsupportedError("can't read Arrow data with nulls",
                           {.column = schema.name == nullptr ? "" : schema.name});
  }
  const auto import_child = [&](size_t index, Elements of_child) {
    return import_elements(type.children[index].type, *schema.children[index], *array.children[index],
                           of_child, import);
  };
  Column column{.type = type, .length = elements.length};
  switch (type.kind) {
    case TypeKind::kString:
    case TypeKind::kList: {
      const std::string_view format = schema.format;
      ImportedOffsets imported = import_offsets(array, elements, format == "U" || format == "+L", import);
      column.offsets = std::move(imported.offsets);
      if (type.kind == TypeKind::kString) {
        column.values = import_values(array, 2, imported.elements, 1, import);
      } else {
        column.children.push_back(import_child(0, imported.elements));
      }
      break;
    }
    case TypeKind::kFixedList: {
      Elements items{};
      if (__builtin_mul_overflow(elements.start, type.fixed_size, &items.start) ||
          __builtin_mul_overflow(elements.length, type.fixed_size, &items.length)) {
        fail("more items than can be");
      }
      column.children.push_back(import_child(0, items));
      break;
    }
    case TypeKind::kStruct:
      for (size_t i = 0; i < type.children.size(); ++i) column.children.push_back(import_child(i, elements));
      break;
    case TypeKind::kBool:
      column.values = import_bits(array, elements, import);
      break;
    default:
      column.values = import_values(array, 1, elements, primitive_size(type.kind), import);
  }
  return column;
}

}  // namespace

Column import_array(const ArrowSchema& schema, ArrowArray* array, const std::shared_ptr<MemoryPool>& pool) {
  const Import import{std::make_shared<TakenArray>(array), pool};
  const ArrowArray& taken = import.owner->array;
  if (taken.release == nullptr) fail("it is released already");
  return import_elements(type_of(schema), schema, taken, {0, taken.length}, import);
}

}  // namespace sapwood
