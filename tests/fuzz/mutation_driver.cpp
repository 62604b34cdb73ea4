// Runs a libFuzzer target without libFuzzer: each file named on the command line as it is, then `--runs N`
// (default 1000) mutations of the files: bits flipped, numbers replaced, cut, spliced. The mutations follow
// from their number alone, so that a failure can be repeated. Whatever the target lets escape ends the
// program; the last line counts the runs.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Input = std::vector<uint8_t>;

struct Options {
  std::vector<std::string> files;
  uint64_t runs = 1000;
};

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument != "--runs") {
      options.files.emplace_back(argument);
      continue;
    }
    if (++i == argc) return false;
    const char* end = argv[i] + std::strlen(argv[i]);
    if (std::from_chars(argv[i], end, options.runs).ptr != end) return false;
  }
  return !options.files.empty();
}

bool read_inputs(const std::vector<std::string>& files, std::vector<Input>& inputs) {
  for (const std::string& name : files) {
    std::ifstream file(name, std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "can't read %s\n", name.c_str());
      return false;
    }
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return true;
}

size_t pick(std::mt19937_64& random, size_t below) { return below == 0 ? 0 : random() % below; }

void mutate(Input& input, const std::vector<Input>& all, std::mt19937_64& random) {
  static constexpr uint8_t kTelling[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
  const size_t at = pick(random, input.size());
  switch (pick(random, 5)) {
    case 0:  // flip a bit
      if (!input.empty()) input[at] = static_cast<uint8_t>(input[at] ^ (1u << pick(random, 8)));
      break;
    case 1: {  // replace a number of 1 to 8 bytes
      const size_t length = std::min<size_t>(size_t{1} << pick(random, 4), input.size() - at);
      std::fill_n(input.begin() + static_cast<ptrdiff_t>(at), length,
                  kTelling[pick(random, std::size(kTelling))]);
      break;
    }
    case 2:  // truncate
      input.resize(at);
      break;
    case 3: {  // splice: a start of this, an end of another
      const Input& other = all[pick(random, all.size())];
      input.resize(at);
      input.insert(input.end(), other.begin() + static_cast<ptrdiff_t>(pick(random, other.size())),
                   other.end());
      break;
    }
    default: {  // leave a piece out
      const size_t length = pick(random, std::min<size_t>(input.size() - at, 16) + 1);
      const auto first = input.begin() + static_cast<ptrdiff_t>(at);
      input.erase(first, first + static_cast<ptrdiff_t>(length));
    }
  }
}

// Exactly as long as the input, so that a sanitizer sees a read past its end.
bool passes(const Input& input, const std::string& what) {
  const Input exact(input.begin(), input.end());
  try {
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
    return true;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", what.c_str(), error.what());
  }
  const std::string name = "failed_input.bin";
  std::ofstream(name, std::ios::binary)
      .write(static_cast<const char*>(static_cast<const void*>(exact.data())),
             static_cast<std::streamsize>(exact.size()));
  std::fprintf(stderr, "the input is in %s\n", name.c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::vector<Input> inputs;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr, "usage: %s [--runs N] file...\n", argv[0]);
    return 2;
  }
  if (!read_inputs(options.files, inputs)) return 2;

  uint64_t passed = 0;
  uint64_t failed = 0;
  for (size_t i = 0; i < inputs.size(); ++i) (passes(inputs[i], options.files[i]) ? passed : failed) += 1;
  for (uint64_t run = 0; run < options.runs; ++run) {
    std::mt19937_64 random(run);
    Input input = inputs[pick(random, inputs.size())];
    for (size_t change = pick(random, 4) + 1; change > 0; --change) mutate(input, inputs, random);
    (passes(input, "mutation " + std::to_string(run)) ? passed : failed) += 1;
  }
  std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(passed),
              static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}
