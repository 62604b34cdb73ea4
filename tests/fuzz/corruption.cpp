// Changes real files in memory, many times, and reads them: corruption N FILE...
//
// Half of the mutations are made behind valid headers: in trees, baskets, streamer infos, envelopes and pages
// of the file's uncompressed twin, whose checksums are made to fit again. Each must end in a sapwood error or
// a reading; whatever else escapes ends the program. Prints what came of them, the slowest and the most
// memory.
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "sapwood/base/error.h"
#include "sapwood/io/random_access_file.h"
#include "sapwood/root/file.h"
#include "tests/fuzz/put.h"
#include "tests/fuzz/read_tables.h"
#include "tests/fuzz/seal.h"
#include "tests/fuzz/uncompressed_twin.h"

namespace {

using namespace sapwood;
using Content = std::vector<std::byte>;
using Random = std::mt19937_64;

constexpr size_t kLargestFile = 1 << 20;
constexpr size_t kLargestTwin = 2 << 20;
constexpr int64_t kMostEntries = 100;

struct Sample {
  std::string name;
  Content bytes;
  fuzz::Twin twin;  // without regions where there is none
};

struct Outcome {
  uint64_t read = 0;
  uint64_t refused = 0;
};

uint64_t pick(Random& random, uint64_t below) { return below == 0 ? 0 : random() % below; }

bool load(const char* path, Sample& sample) {
  sample.name = path;
  try {
    const auto file = root::File::open(io::open_local_file(path));
    if (file->bytes().size() > kLargestFile) return false;
    sample.bytes.resize(file->bytes().size());
    file->bytes().read_at(0, sample.bytes);
    sample.twin = fuzz::uncompressed_twin(file);
    if (sample.twin.bytes.size() > kLargestTwin) return false;
    if (const auto error = fuzz::read_tables(sample.twin.bytes))
      std::fprintf(stderr, "the twin of %s: %s\n", path, error->c_str());
  } catch (const Error& error) {
    std::fprintf(stderr, "%s has no uncompressed twin: %s\n", path, error.message().c_str());
    sample.twin.regions.clear();
  }
  return !sample.bytes.empty();
}

// Bits, and numbers at their limits.
void change(std::span<std::byte> bytes, Random& random) {
  static constexpr uint64_t kLimits[] = {0,
                                         1,
                                         0x7f,
                                         0x80,
                                         0xff,
                                         0x7fff,
                                         0xffff,
                                         0x3fffffff,
                                         0x40000000,
                                         0x7fffffff,
                                         0x80000000,
                                         0xffffffff,
                                         0x7fffffffffffffff,
                                         0xffffffffffffffff};
  if (bytes.empty()) return;
  const uint64_t at = pick(random, bytes.size());
  if (pick(random, 2) == 0) {
    bytes[at] ^= static_cast<std::byte>(1u << pick(random, 8));
    return;
  }
  const size_t size = std::min<size_t>(size_t{1} << pick(random, 4), bytes.size() - at);
  const uint64_t value = pick(random, 4) == 0 ? random() : kLimits[pick(random, std::size(kLimits))];
  if (pick(random, 2) == 0) {
    fuzz::put<std::endian::big>(bytes, at, value, size);
  } else {
    fuzz::put<std::endian::little>(bytes, at, value, size);
  }
}

// A piece of another place, or of another file.
void splice(std::span<std::byte> bytes, Bytes from, Random& random) {
  if (bytes.empty() || from.empty()) return;
  const uint64_t at = pick(random, bytes.size());
  const uint64_t source = pick(random, from.size());
  const uint64_t size = pick(random, std::min({bytes.size() - at, from.size() - source, uint64_t{256}}) + 1);
  if (size != 0) std::memmove(bytes.data() + at, from.data() + source, size);
}

Content mutate_plain(const Sample& sample, Bytes other, Random& random) {
  Content bytes = sample.bytes;
  switch (pick(random, 4)) {
    case 0: {  // cut, half of the time where a record begins or ends
      uint64_t size = pick(random, bytes.size());
      if (pick(random, 2) == 0 && !sample.twin.regions.empty()) {
        bytes = sample.twin.bytes;
        const fuzz::Region& region = sample.twin.regions[pick(random, sample.twin.regions.size())];
        size = pick(random, 2) == 0 ? region.record : region.offset + pick(random, region.size + 1);
      }
      bytes.resize(std::min<uint64_t>(size, bytes.size()));
      break;
    }
    case 1:
      splice(bytes, other, random);
      break;
    default:
      for (uint64_t i = pick(random, 4); i < 4; ++i) change(bytes, random);
  }
  return bytes;
}

Content mutate_sealed(const Sample& sample, const fuzz::Region& region, Bytes other, Random& random) {
  Content bytes = sample.twin.bytes;
  const auto inside = std::span(bytes).subspan(region.offset, region.size);
  for (uint64_t i = pick(random, 3); i < 3; ++i) {
    if (pick(random, 4) == 0) {
      splice(inside, other, random);
    } else {
      change(inside, random);
    }
  }
  fuzz::seal_checksums(bytes);
  return bytes;
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t runs = 0;
  if (argc < 3 || std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), runs).ptr == argv[1]) {
    std::fprintf(stderr, "usage: %s MUTATIONS FILE...\n", argv[0]);
    return 2;
  }
  std::vector<Sample> samples;
  for (const char* path : std::span(argv, static_cast<size_t>(argc)).subspan(2)) {
    if (Sample sample; load(path, sample)) samples.push_back(std::move(sample));
  }
  if (samples.empty()) return 2;

  std::map<std::string, Outcome> outcomes;
  double slowest = 0;
  std::string slowest_name;
  const double peak_before = peak_megabytes();
  for (uint64_t run = 0; run < runs; ++run) {
    Random random(run);
    const Sample& sample = samples[run % samples.size()];
    const Sample& other = samples[pick(random, samples.size())];
    const bool sealed = !sample.twin.regions.empty() && run / samples.size() % 8 >= 3;
    fuzz::ReadOptions options{.most_entries = kMostEntries};
    Content bytes;
    if (sealed) {
      const fuzz::Region& region = sample.twin.regions[pick(random, sample.twin.regions.size())];
      bytes = mutate_sealed(sample, region, other.twin.bytes, random);
      if (region.what == "basket" || region.what == "page") options.place = region.offset;
    } else {
      bytes = mutate_plain(sample, other.bytes, random);
    }
    const auto start = std::chrono::steady_clock::now();
    std::string error;
    try {
      error = fuzz::read_tables(std::move(bytes), options).value_or("");
    } catch (const std::exception& escaped) {
      std::printf("mutation %llu of %s: %s\n", static_cast<unsigned long long>(run), sample.name.c_str(),
                  escaped.what());
      return 1;
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (seconds.count() > slowest) {
      slowest = seconds.count();
      slowest_name = sample.name + ", mutation " + std::to_string(run);
    }
    Outcome& outcome = outcomes[sealed ? "behind valid headers" : "anywhere"];
    (error.empty() ? outcome.read : outcome.refused) += 1;
  }
  std::printf("%zu files\n", samples.size());
  for (const auto& [where, outcome] : outcomes) {
    std::printf("%s: %llu mutations, %llu refused, %llu read\n", where.c_str(),
                static_cast<unsigned long long>(outcome.read + outcome.refused),
                static_cast<unsigned long long>(outcome.refused),
                static_cast<unsigned long long>(outcome.read));
  }
  std::printf("slowest: %.3f s (%s)\n", slowest, slowest_name.c_str());
  std::printf("memory: %.0f MB with the files, %.0f MB at most\n", peak_before, peak_megabytes());
}
