#include <algorithm>

#include "sapwood/ttree/fetched.h"

namespace sapwood::ttree {
namespace {

using Kind = StreamNode::Kind;

constexpr uint32_t kByteCountMask = 0x40000000;
constexpr uint16_t kMemberwise = 0x4000;
/// In a TObject's fBits: a process identifier follows.
constexpr uint32_t kIsReferenced = 1u << 4;

/// A buffer that grows.
class Appender {
 public:
  explicit Appender(std::shared_ptr<MemoryPool> pool) : pool_(std::move(pool)) {}

  /// Room for `size` more bytes, to be written by the caller.
  std::byte* extend(size_t size) {
    if (size > buffer_.size() - used_) {
      Buffer larger(std::max<size_t>({used_ + size, buffer_.size() * 2, 1024}), pool_);
      if (used_ != 0) std::memcpy(larger.data(), buffer_.data(), used_);
      buffer_ = std::move(larger);
    }
    std::byte* const place = buffer_.data() + used_;
    used_ += size;
    return place;
  }
  void append_offset(int64_t value) { std::memcpy(extend(sizeof value), &value, sizeof value); }
  size_t size() const { return used_; }
  Buffer take() { return buffer_.empty() ? Buffer(0, pool_) : buffer_.first(used_); }

 private:
  std::shared_ptr<MemoryPool> pool_;
  Buffer buffer_;
  size_t used_ = 0;
};

/// Builds the column of one node, value by value.
class NodeDecoder {
 public:
  NodeDecoder(const StreamNode& node, const Type& type, const std::shared_ptr<MemoryPool>& pool)
      : node_(node), type_(type), values_(pool), offsets_(pool) {
    if (!node.item.empty()) {
      item_ = std::make_unique<NodeDecoder>(node.item.front(), type.item(), pool);
    }
    if (has_offsets()) offsets_.append_offset(0);
  }

  /// Reads `count` values; `end` is where the entry ends.
  void read(BigEndianCursor& in, uint64_t count, size_t end) {
    if (node_.kind == Kind::kNumber) {
      in.require(count, node_.number.stored_size);
      const Bytes stored = in.take(count * node_.number.stored_size);
      decode_numbers(node_.number, stored.data(), values_.extend(count * primitive_size(node_.number.type)),
                     count);
    } else if (node_.kind == Kind::kFixed) {
      const auto size = static_cast<uint64_t>(node_.size);
      in.require(count, size);
      item_->read(in, count * size, end);
    } else {
      for (uint64_t i = 0; i < count; ++i) read_one(in, end);
    }
    length_ += static_cast<int64_t>(count);
  }

  Column finish() {
    Column column{.type = type_, .length = length_, .values = {}, .offsets = {}, .children = {}};
    if (has_offsets()) column.offsets = offsets_.take();
    if (item_) {
      column.children.push_back(item_->finish());
    } else {
      column.values = values_.take();
    }
    return column;
  }

 private:
  bool has_offsets() const {
    return node_.kind == Kind::kString || node_.kind == Kind::kList || node_.kind == Kind::kUntilEnd;
  }

  void read_one(BigEndianCursor& in, size_t end) {
    if (node_.kind == Kind::kUntilEnd && in.position() >= end) {
      // No objects, no header.
      offsets_.append_offset(item_->length_);
      return;
    }
    if (node_.has_header) skip_header(in);
    switch (node_.kind) {
      case Kind::kBits: {
        const auto bits = in.read<uint32_t>();
        if ((bits & kIsReferenced) != 0) in.skip(2);
        std::memcpy(values_.extend(sizeof bits), &bits, sizeof bits);
        return;
      }
      case Kind::kString: {
        uint32_t length = node_.long_length ? in.read<uint32_t>() : in.read<uint8_t>();
        if (length == 255 && !node_.long_length) length = in.read<uint32_t>();
        const Bytes text = in.take(length);
        if (length != 0) std::memcpy(values_.extend(length), text.data(), length);
        offsets_.append_offset(static_cast<int64_t>(values_.size()));
        return;
      }
      case Kind::kList: {
        const auto count = in.read<uint32_t>();
        // Every item takes at least a byte.
        in.require(count, 1);
        item_->read(in, count, end);
        break;
      }
      default:
        while (in.position() < end) item_->read(in, 1, end);
        break;
    }
    offsets_.append_offset(item_->length_);
  }

  // uint32 byte count | 0x40000000, uint16 version
  static void skip_header(BigEndianCursor& in) {
    if ((in.read<uint32_t>() & kByteCountMask) == 0) {
      throw FormatError("corrupt basket: a collection or string without its byte count");
    }
    if ((in.read<uint16_t>() & kMemberwise) != 0) {
      throw UnsupportedError("a collection that is stored member by member");
    }
  }

  const StreamNode& node_;
  const Type& type_;
  int64_t length_ = 0;
  Appender values_;
  Appender offsets_;
  std::unique_ptr<NodeDecoder> item_;
};

}  // namespace

// A basket of streamed values: those of entry after entry, each as its StreamNode says.
Column decode_stream(const DecodeTask& task, const Buffer& destination) {
  NodeDecoder decoder(task.plan.stream, task.plan.type, task.pool);
  Scratch scratch(task.pool);
  for_each_basket(task.data, task.entries, scratch, [&](const BasketPart& part) {
    const Basket& basket = part.basket;
    BigEndianCursor in(basket.data, "basket");
    if (!basket.has_offsets()) {
      if (task.plan.stream.kind == Kind::kUntilEnd) {
        throw UnsupportedError("members of a collection without entry offsets");
      }
      // Entries before the wanted ones have to be walked through.
      NodeDecoder before(task.plan.stream, task.plan.type, task.pool);
      before.read(in, static_cast<uint64_t>(part.local.start), basket.data.size());
      decoder.read(in, static_cast<uint64_t>(part.local.size()), basket.data.size());
      return;
    }
    for (int64_t entry = part.local.start; entry < part.local.stop; ++entry) {
      const size_t start = basket.offset(entry);
      const size_t end = entry + 1 < basket.num_entries ? basket.offset(entry + 1) : basket.data.size();
      // Entries that overlap would let a small basket grow without bound.
      if (start < in.position()) in.fail(concat("entry ", entry, " to begin at byte ", start));
      in.seek(start);
      if (end > basket.data.size() || end < start) in.fail(concat("an entry up to byte ", end));
      decoder.read(in, 1, end);
      if (in.position() > end) in.fail(concat("the end of entry ", entry, " at ", end));
    }
  });
  Column column = decoder.finish();
  if (destination.empty() || fixed_entry_size(column.type) == 0) return column;
  const Buffer values = fixed_width_values(column);
  require_destination(destination, values.size());
  std::memcpy(destination.data(), values.data(), values.size());
  return make_fixed_width_column(column.type, column.length, destination);
}

}  // namespace sapwood::ttree
