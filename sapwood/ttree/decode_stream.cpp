#include "sapwood/streamed/node_decoder.h"
#include "sapwood/ttree/fetched.h"

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
  Scratch scratch(task.pool);
  for_each_basket(task.data, task.entries, scratch, [&](const BasketPart& part) {
    const Basket& basket = part.basket;
    root::ObjectStream stream(basket.data, basket.offset_base, "basket");
    BigEndianCursor& in = stream.in();
    if (!basket.has_offsets()) {
      if (node.kind == streamed::StreamNode::Kind::kUntilEnd)
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
    for (int64_t entry = part.local.start; entry < part.local.stop; ++entry) {
      const size_t start = basket.offset(entry);
      const size_t end = entry + 1 < basket.num_entries ? basket.offset(entry + 1) : basket.data.size();
      // Entries that overlap would let a small basket grow without bound.
      if (start < in.position()) in.fail(concat("entry ", entry, " to begin at byte ", start));
      in.seek(start);
      if (end > basket.data.size() || end < start) in.fail(concat("an entry up to byte ", end));
      if (start == end && node.kind != streamed::StreamNode::Kind::kUntilEnd && !node.may_lack)
        throw UnsupportedError("entries without bytes, as ROOT writes them of a class that it does not know");
      streamed::StreamInput input{stream, end};
      decoder.read(input, 1);
      if (in.position() > end) in.fail(concat("the end of entry ", entry, " at ", end));
      if (in.position() < end)
        throw UnsupportedError(
            concat("entry ", entry, " has ", end - in.position(), " bytes more than are known"));
    }
  });
  return streamed::to_destination(decoder.finish(), destination);
}

}  // namespace sapwood::ttree
