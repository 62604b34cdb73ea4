#include "sapwood/rntuple/assemble.h"

#include <cstring>
#include <limits>

#include "sapwood/streamed/node_decoder.h"

namespace sapwood::rntuple {
namespace {

class Assembler {
 public:
  Assembler(const FetchedPages& fetched, const Descriptor& descriptor, const root::StreamerInfos& infos,
            const std::shared_ptr<MemoryPool>& pool)
      : slices_(fetched.slices), descriptor_(descriptor), infos_(infos), pool_(pool), scratch_(pool) {}

  // `wanted`: the elements of the node, for each slice.
  Column assemble(const FieldNode& node, std::span<const ElementRange> wanted, const Buffer& destination) {
    if (node.kind == NodeKind::kStreamed) return assemble_streamed(node, wanted, destination);
    if (fixed_entry_size(node.type) != 0) return assemble_fixed_width(node, wanted, destination);
    switch (node.kind) {
      case NodeKind::kString:
        return assemble_string(node, wanted);
      case NodeKind::kList:
        return assemble_list(node, wanted);
      case NodeKind::kAlternative:
        return assemble_alternative(node, wanted);
      case NodeKind::kFixedList: {
        const std::vector<ElementRange> items = array_items(wanted, node.fixed_size);
        return with_children(node, wanted, {assemble(*node.children.front(), items, {})});
      }
      case NodeKind::kStruct: {
        std::vector<Column> members;
        for (const auto& child : node.children) members.push_back(assemble(*child, wanted, {}));
        return with_children(node, wanted, std::move(members));
      }
      case NodeKind::kValues:
      case NodeKind::kCardinality:
      case NodeKind::kStreamed:
        break;  // of fixed width
    }
    throw UnsupportedError(concat("no way to assemble ", node.type.to_string()));
  }

 private:
  struct Offsets {
    Buffer buffer;
    std::vector<ElementRange> items;  // for each slice
  };

  static int64_t total(std::span<const ElementRange> wanted) {
    int64_t sum = 0;
    for (const ElementRange& range : wanted) {
      if (__builtin_add_overflow(sum, range.size(), &sum))
        throw FormatError("corrupt RNTuple: too many elements");
    }
    return sum;
  }

  static std::vector<ElementRange> array_items(std::span<const ElementRange> wanted, int64_t size) {
    std::vector<ElementRange> items;
    for (const ElementRange& range : wanted) {
      ElementRange& item = items.emplace_back();
      if (__builtin_mul_overflow(range.first, size, &item.first) ||
          __builtin_mul_overflow(range.last, size, &item.last)) {
        throw FormatError(concat("corrupt RNTuple: ", range.last, " arrays of ", size));
      }
    }
    return items;
  }

  static Column with_children(const FieldNode& node, std::span<const ElementRange> wanted,
                              std::vector<Column> children) {
    Column column;
    column.type = node.type;
    column.length = total(wanted);
    column.children = std::move(children);
    return column;
  }

  // Checked before memory is allocated for the elements.
  const FetchedElements& fetched(size_t slice, std::span<const PhysicalColumn> principal,
                                 std::span<const PhysicalColumn> columns, ElementRange wanted) const {
    const size_t representation = slices_[slice].representation(principal, descriptor_);
    const auto found = slices_[slice].columns.find(columns[representation].id);
    if (found == slices_[slice].columns.end()) {
      throw FormatError("corrupt RNTuple: collections that overlap");
    }
    found->second.require(wanted);
    return found->second;
  }

  // Values of one kind from the columns of each slice, one after another.
  void decode_values(std::span<const PhysicalColumn> principal, std::span<const PhysicalColumn> columns,
                     std::span<const ElementRange> wanted, TypeKind kind, std::byte* out) {
    for (size_t slice = 0; slice < wanted.size(); ++slice) {
      if (wanted[slice].size() == 0) continue;
      fetched(slice, principal, columns, wanted[slice]).decode(wanted[slice], kind, out, scratch_);
      out += static_cast<size_t>(wanted[slice].size()) * primitive_size(kind);
    }
  }

  void require(std::span<const PhysicalColumn> principal, std::span<const PhysicalColumn> columns,
               std::span<const ElementRange> wanted) const {
    for (size_t slice = 0; slice < wanted.size(); ++slice) {
      if (wanted[slice].size() != 0) fetched(slice, principal, columns, wanted[slice]);
    }
  }

  Column assemble_fixed_width(const FieldNode& node, std::span<const ElementRange> wanted,
                              const Buffer& destination) {
    const int64_t length = total(wanted);
    const FieldNode* innermost = &node;
    std::vector<ElementRange> items(wanted.begin(), wanted.end());
    while (innermost->kind == NodeKind::kFixedList) {
      items = array_items(items, innermost->fixed_size);
      innermost = innermost->children.front().get();
    }
    require(innermost->principal, innermost->principal, items);
    const size_t size = static_cast<size_t>(length) * fixed_entry_size(node.type);
    Buffer values = destination.data() != nullptr ? destination : Buffer(size, pool_);
    if (values.size() != size) {
      throw SchemaError(concat("a destination of ", values.size(), " bytes for a column of ", size));
    }
    if (innermost->kind == NodeKind::kCardinality) {
      decode_cardinality(*innermost, items, values.data());
    } else {
      decode_values(innermost->principal, innermost->principal, items, innermost->type.kind, values.data());
    }
    return make_fixed_width_column(node.type, length, std::move(values));
  }

  void decode_cardinality(const FieldNode& node, std::span<const ElementRange> wanted, std::byte* out) {
    const Offsets offsets = decode_offsets(node, wanted);
    const std::span<const int64_t> ends = offsets.buffer.as<const int64_t>();
    const size_t size = primitive_size(node.type.kind);
    for (size_t i = 1; i < ends.size(); ++i) {
      const auto count = static_cast<uint64_t>(ends[i] - ends[i - 1]);
      if (size == sizeof(uint32_t)) {
        if (count > std::numeric_limits<uint32_t>::max()) {
          throw FormatError(concat("corrupt RNTuple: a collection of ", count, " items"));
        }
        const auto narrow = static_cast<uint32_t>(count);
        std::memcpy(out + (i - 1) * size, &narrow, size);
      } else {
        std::memcpy(out + (i - 1) * size, &count, size);
      }
    }
  }

  // Index columns count from the start of the cluster; the offsets of a column count on over all slices.
  Offsets decode_offsets(const FieldNode& node, std::span<const ElementRange> wanted) {
    require(node.principal, node.principal, wanted);
    const auto length = static_cast<size_t>(total(wanted));
    Offsets result{Buffer((length + 1) * sizeof(int64_t), pool_), {}};
    int64_t* out = result.buffer.as<int64_t>().data();
    int64_t running = 0;
    for (size_t slice = 0; slice < wanted.size(); ++slice) {
      const ElementRange range = wanted[slice];
      if (range.size() == 0) {
        result.items.push_back({});
        continue;
      }
      int64_t base = 0;
      if (range.first == 0) {
        fetched(slice, node.principal, node.principal, range).decode_index(range, running, out + 1, scratch_);
      } else {
        const ElementRange with_previous{range.first - 1, range.last};
        fetched(slice, node.principal, node.principal, with_previous)
            .decode_index(with_previous, 0, out, scratch_);
        base = out[0];
        shift(out, static_cast<size_t>(with_previous.size()), running, base);
      }
      out[0] = running;
      const auto count = static_cast<size_t>(range.size());
      require_ascending(out, count);
      const int64_t num_items = out[count] - running;
      int64_t last = 0;
      if (base < 0 || __builtin_add_overflow(base, num_items, &last)) {
        throw FormatError(concat("corrupt RNTuple: a collection from item ", base));
      }
      result.items.push_back({base, last});
      out += count;
      running = out[0];
    }
    out[0] = running;
    return result;
  }

  // Unsigned, since a corrupt index may wrap around.
  static void shift(int64_t* offsets, size_t count, int64_t running, int64_t base) {
    const uint64_t difference = static_cast<uint64_t>(running) - static_cast<uint64_t>(base);
    for (size_t i = 0; i < count; ++i) {
      offsets[i] = static_cast<int64_t>(static_cast<uint64_t>(offsets[i]) + difference);
    }
  }

  static void require_ascending(const int64_t* offsets, size_t count) {
    bool descends = false;
    for (size_t i = 0; i < count; ++i) descends |= offsets[i + 1] < offsets[i];
    if (descends) throw FormatError("corrupt RNTuple: the ends of collections descend");
  }

  Column assemble_string(const FieldNode& node, std::span<const ElementRange> wanted) {
    Offsets offsets = decode_offsets(node, wanted);
    require(node.principal, node.characters, offsets.items);
    Column column;
    column.type = node.type;
    column.length = total(wanted);
    column.values = Buffer(static_cast<size_t>(total(offsets.items)), pool_);
    // Characters, or bytes.
    const TypeKind kind = node.characters.front().encoding.kind;
    decode_values(node.principal, node.characters, offsets.items, kind, column.values.data());
    column.offsets = std::move(offsets.buffer);
    return column;
  }

  Column assemble_streamed(const FieldNode& node, std::span<const ElementRange> wanted,
                           const Buffer& destination) {
    const Column bytes = assemble_string(node, wanted);
    const std::span<const int64_t> offsets = bytes.offsets.as<const int64_t>();
    streamed::NodeDecoder decoder(*node.object, {&infos_, pool_}, node.path);
    for (int64_t i = 0; i < bytes.length; ++i) {
      const auto size = static_cast<size_t>(offsets[i + 1] - offsets[i]);
      root::ObjectStream stream(Bytes(bytes.values.data() + offsets[i], size), 0, "streamed object");
      streamed::StreamInput input{stream, size};
      decoder.read(input, 1);
      if (!stream.in().at_end())
        throw UnsupportedError(
            concat("an object has ", stream.in().remaining(), " bytes more than are known"));
    }
    return streamed::to_destination(decoder.finish(), destination);
  }

  Column assemble_alternative(const FieldNode& node, std::span<const ElementRange> wanted) {
    require(node.principal, node.principal, wanted);
    Buffer offsets((static_cast<size_t>(total(wanted)) + 1) * sizeof(int64_t), pool_);
    int64_t* out = offsets.as<int64_t>().data();
    *out = 0;
    std::vector<ElementRange> items;
    for (size_t slice = 0; slice < wanted.size(); ++slice) {
      const ElementRange range = wanted[slice];
      items.emplace_back();
      if (range.size() == 0) continue;
      items.back() = fetched(slice, node.principal, node.principal, range)
                         .decode_switch(range, node.tag, *out, out + 1, scratch_);
      out += range.size();
    }
    Column column = with_children(node, wanted, {assemble(*node.children.front(), items, {})});
    column.offsets = std::move(offsets);
    return column;
  }

  Column assemble_list(const FieldNode& node, std::span<const ElementRange> wanted) {
    Offsets offsets = decode_offsets(node, wanted);
    Column column = with_children(node, wanted, {assemble(*node.children.front(), offsets.items, {})});
    column.offsets = std::move(offsets.buffer);
    return column;
  }

  const std::vector<ClusterSlice>& slices_;
  const Descriptor& descriptor_;
  const root::StreamerInfos& infos_;
  const std::shared_ptr<MemoryPool>& pool_;
  PageScratch scratch_;
};

}  // namespace

Column assemble(const FieldNode& node, const FetchedPages& fetched, const Descriptor& descriptor,
                const root::StreamerInfos& infos, const std::shared_ptr<MemoryPool>& pool,
                const Buffer& destination) {
  std::vector<ElementRange> entries;
  for (const ClusterSlice& slice : fetched.slices) entries.push_back(slice.entries);
  return Assembler(fetched, descriptor, infos, pool).assemble(node, entries, destination);
}

}  // namespace sapwood::rntuple
