#include "sapwood/streamed/node_decoder.h"
#include "sapwood/ttree/fetched.h"
#include "sapwood/ttree/positions.h"

namespace sapwood::ttree {

// A basket of streamed values: those of entry after entry, each as its streamed::StreamNode says.
Column decode_stream(const DecodeTask& task, const Buffer& destination) {
  const streamed::StreamNode& node = *task.plan.stream;
  const streamed::NodeDecoder::Context context{task.infos, task.pool};
  streamed::NodeDecoder decoder(node, context, task.plan.path);
  int64_t held = 0;
  for (size_t i = 0; i < task.data.records.size(); ++i)
    held += task.data.branch->basket_entries(task.data.first_basket + i).size();
  if (held > 0) {
    const double share = static_cast<double>(task.entries.size()) / static_cast<double>(held);
    decoder.expect(task.entries.size(),
                   static_cast<uint64_t>(static_cast<double>(stored_sizes(task).data) * share));
  }
  Column counts;
  if (task.plan.needs_counter && task.entries.size() > 0) {
    if (task.counter_plan == nullptr || task.counter_plan->type.kind != TypeKind::kInt32)
      throw UnsupportedError("a base of a collection's objects without their number");
    counts = decode_fixed(
        {.plan = *task.counter_plan, .data = *task.counter_data, .entries = task.entries, .pool = task.pool},
        {});
  }
  Scratch scratch(task.pool);
  std::vector<int64_t> positions;
  for_each_basket(task.data, task.entries, scratch, [&](const BasketPart& part) {
    const Basket& basket = part.basket;
    root::ObjectStream stream(basket.data, basket.offset_base, "basket");
    BigEndianCursor& in = stream.in();
    if (!basket.has_offsets()) {
      if (node.kind == streamed::StreamNode::Kind::kUntilEnd || task.plan.needs_counter)
        throw UnsupportedError("members of a collection without entry offsets");
      // Entries before the wanted ones have to be walked through.
      streamed::StreamInput input{stream, basket.data.size()};
      streamed::NodeDecoder before(node, context, task.plan.path);
      before.read(input, static_cast<uint64_t>(part.local.start));
      decoder.read(input, static_cast<uint64_t>(part.local.size()));
      if (part.local.stop == basket.num_entries && !in.at_end())
        throw UnsupportedError(concat("a basket has ", in.remaining(), " bytes more than are known"));
      return;
    }
    positions.resize(static_cast<size_t>(part.local.size()) + 1);
    stored_positions(part, positions);
    if (!task.plan.needs_counter && task.lengths == nullptr) return decoder.read_entries(stream, positions);
    const auto first = static_cast<size_t>(part.first_entry + part.local.start - task.entries.start);
    for (size_t i = 0; i + 1 < positions.size(); ++i) {
      in.seek(static_cast<size_t>(positions[i]));
      streamed::StreamInput input{stream, static_cast<size_t>(positions[i + 1])};
      if (task.plan.needs_counter) {
        decoder.read_objects(input, counts.values.as<const int32_t>()[first + i]);
        continue;
      }
      const auto offsets = task.lengths->offset_span().subspan(first + i, 2);
      const auto lengths = task.lengths->item().values.as<const int32_t>();
      decoder.read_arrays(input, lengths.subspan(static_cast<size_t>(offsets[0]),
                                                 static_cast<size_t>(offsets[1] - offsets[0])));
    }
  });
  return streamed::to_destination(decoder.finish(), destination);
}

}  // namespace sapwood::ttree
