#include "sapwood/kernels/philox.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sapwood/kernels/philox.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h: it is read again for every target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sapwood::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET == HWY_SCALAR

using scalar::philox_run;

#else

namespace hn = hwy::HWY_NAMESPACE;

// Each word is the lower half of a 64-bit lane; what is in the upper half is never used.
struct Words {
  using Vector = hn::Vec<hn::ScalableTag<uint64_t> >;
  Vector word0, word1, word2, word3;
};

HWY_INLINE Words begin_at(const std::array<uint32_t, 4>& counter, size_t i) {
  const hn::ScalableTag<uint64_t> d;
  return {hn::Add(hn::Iota(d, i), hn::Set(d, counter[0])), hn::Set(d, counter[1]), hn::Set(d, counter[2]),
          hn::Set(d, counter[3])};
}

HWY_INLINE void do_round(Words& words, uint32_t key0, uint32_t key1) {
  const hn::ScalableTag<uint64_t> d;
  const hn::Repartition<uint32_t, decltype(d)> d32;
  const auto product0 = hn::MulEven(hn::BitCast(d32, words.word0), hn::Set(d32, 0xD2511F53u));
  const auto product1 = hn::MulEven(hn::BitCast(d32, words.word2), hn::Set(d32, 0xCD9E8D57u));
  words.word0 = hn::Xor(hn::ShiftRight<32>(product1), hn::Xor(words.word1, hn::Set(d, key0)));
  words.word1 = product1;
  words.word2 = hn::Xor(hn::ShiftRight<32>(product0), hn::Xor(words.word3, hn::Set(d, key1)));
  words.word3 = product0;
}

HWY_INLINE void store(const Words& words, uint64_t* first, uint64_t* second) {
  const hn::ScalableTag<uint64_t> d;
  const auto lower = hn::Set(d, 0xFFFFFFFFu);
  hn::StoreU(hn::And(words.word0, lower), d, first);
  hn::StoreU(hn::Or(hn::ShiftLeft<32>(words.word1), hn::And(words.word2, lower)), d, second);
}

// A round waits for the one before: the processor works at several vectors in the meantime.
void philox_run(const std::array<uint32_t, 4>& counter, const std::array<uint32_t, 2>& key, size_t count,
                uint64_t* first, uint64_t* second) {
  const size_t lanes = hn::Lanes(hn::ScalableTag<uint64_t>());
  size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    Words a = begin_at(counter, i);
    Words b = begin_at(counter, i + lanes);
    Words c = begin_at(counter, i + 2 * lanes);
    Words e = begin_at(counter, i + 3 * lanes);
    uint32_t key0 = key[0];
    uint32_t key1 = key[1];
    for (int round = 0; round < 10; ++round) {
      do_round(a, key0, key1);
      do_round(b, key0, key1);
      do_round(c, key0, key1);
      do_round(e, key0, key1);
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    store(a, first + i, second + i);
    store(b, first + i + lanes, second + i + lanes);
    store(c, first + i + 2 * lanes, second + i + 2 * lanes);
    store(e, first + i + 3 * lanes, second + i + 3 * lanes);
  }
  std::array<uint32_t, 4> rest = counter;
  rest[0] += static_cast<uint32_t>(i);
  scalar::philox_run(rest, key, count - i, first + i, second + i);
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace sapwood::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sapwood::kernels {
namespace {

HWY_EXPORT(philox_run);

}  // namespace

void philox_run(const std::array<uint32_t, 4>& counter, const std::array<uint32_t, 2>& key, size_t count,
                uint64_t* first, uint64_t* second) {
  HWY_DYNAMIC_DISPATCH(philox_run)(counter, key, count, first, second);
}

}  // namespace sapwood::kernels
#endif
