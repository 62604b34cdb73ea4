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
void philox_run(const std::array<uint32_t, 4>& counter, const std::array<uint32_t, 2>& key, size_t count,
                uint64_t* first, uint64_t* second) {
  const hn::ScalableTag<uint64_t> d;
  const hn::Repartition<uint32_t, decltype(d)> d32;
  const size_t lanes = hn::Lanes(d);
  const auto multiplier0 = hn::Set(d32, 0xD2511F53u);
  const auto multiplier1 = hn::Set(d32, 0xCD9E8D57u);
  const auto lower = hn::Set(d, 0xFFFFFFFFu);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    auto word0 = hn::Add(hn::Iota(d, i), hn::Set(d, counter[0]));
    auto word1 = hn::Set(d, counter[1]);
    auto word2 = hn::Set(d, counter[2]);
    auto word3 = hn::Set(d, counter[3]);
    uint32_t key0 = key[0];
    uint32_t key1 = key[1];
    for (int round = 0; round < 10; ++round) {
      const auto product0 = hn::MulEven(hn::BitCast(d32, word0), multiplier0);
      const auto product1 = hn::MulEven(hn::BitCast(d32, word2), multiplier1);
      word0 = hn::Xor(hn::ShiftRight<32>(product1), hn::Xor(word1, hn::Set(d, key0)));
      word1 = product1;
      word2 = hn::Xor(hn::ShiftRight<32>(product0), hn::Xor(word3, hn::Set(d, key1)));
      word3 = product0;
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    hn::StoreU(hn::And(word0, lower), d, first + i);
    hn::StoreU(hn::Or(hn::ShiftLeft<32>(word1), hn::And(word2, lower)), d, second + i);
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
