// What reading columns costs at least, measured with the library's own knowledge of where their bytes are:
//   sapwood_ceiling (decompress|gather|decode) TABLE COLUMN,COLUMN,... THREADS WINDOW FILE...
// decompress and gather leave opening the files out, decode counts it (see passes.h). WINDOW, rows, is for
// gather. Each goes over the files once before it counts, then until it has taken half a second, and tells
// the median. Prints JSON.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <span>
#include <sstream>
#include <tuple>
#include <utility>

#include "ceiling/blocks.h"
#include "ceiling/passes.h"
#include "sapwood/base/error.h"

namespace {

using namespace sapwood;

struct Request {
  std::string mode;
  std::string table;
  std::vector<std::string> columns;
  size_t threads = 1;
  int64_t window = 0;
  std::vector<std::string> files;
};

struct Result {
  double seconds = 0;
  double processor_seconds = 0;
  int64_t rows = 0;
  ceiling::Passed passed{};
  ceiling::Sums sums{};
};

Request parse(std::span<char*> arguments) {
  if (arguments.size() < 7) throw ConfigError("arguments: MODE TABLE COLUMNS THREADS WINDOW FILES...");
  Request request;
  request.mode = arguments[1];
  request.table = arguments[2];
  std::istringstream names(arguments[3]);
  for (std::string name; std::getline(names, name, ',');) request.columns.push_back(name);
  request.threads = std::stoul(arguments[4]);
  request.window = std::stol(arguments[5]);
  request.files.assign(arguments.begin() + 6, arguments.end());
  return request;
}

double processor_time() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

template <class Work>
void measure(Result& result, const Work& work) {
  constexpr double kEnough = 0.5;
  std::vector<std::pair<double, double>> times;
  for (double total = 0; total < kEnough; total += times.back().first) {
    const double processor_start = processor_time();
    const auto start = std::chrono::steady_clock::now();
    work();
    times.emplace_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
                       processor_time() - processor_start);
  }
  const auto median = times.begin() + std::ssize(times) / 2;
  std::nth_element(times.begin(), median, times.end());
  std::tie(result.seconds, result.processor_seconds) = *median;
}

Result run(const Request& request) {
  Result result;
  const auto pool = std::make_shared<RecyclingPool>();
  const auto dataset = open(request.files, request.table);
  if (request.mode == "decode") {
    ceiling::decode(*dataset, request.columns, request.threads, pool, &result.sums);
    measure(result, [&] {
      result.rows =
          ceiling::decode(*open(request.files, request.table), request.columns, request.threads, pool);
    });
    return result;
  }
  result.rows = dataset->num_entries();
  const std::vector<ceiling::FileBlocks> files = ceiling::list_blocks(*dataset, request.columns);
  const auto pass = [&] {
    if (request.mode == "decompress") return ceiling::decompress(files, request.threads, pool);
    if (request.mode == "gather")
      return ceiling::gather(files, request.columns.size(), request.window, request.threads, pool);
    throw ConfigError("the mode is none of decompress, gather, decode");
  };
  pass();
  measure(result, [&] { result.passed = pass(); });
  return result;
}

int64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int64_t kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  std::ostringstream out;
  out << std::setprecision(17) << value;
  return out.str();
}

void print(const Request& request, const Result& result) {
  std::cout << "{\"seconds\": " << number(result.seconds) << ", \"cpu\": " << number(result.processor_seconds)
            << ", \"rows\": " << result.rows << ", \"stored_bytes\": " << result.passed.stored_bytes
            << ", \"bytes\": " << result.passed.bytes << ", \"peak_memory\": " << peak_memory()
            << ", \"sums\": {";
  for (size_t i = 0; i < result.sums.size(); ++i) {
    std::cout << (i == 0 ? "" : ", ") << '"' << request.columns[i] << "\": [" << number(result.sums[i].first)
              << ", " << number(result.sums[i].second) << ']';
  }
  std::cout << "}}\n";
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Request request = parse({argv, static_cast<size_t>(argc)});
    print(request, run(request));
  } catch (const std::exception& error) {
    std::cerr << "sapwood_ceiling: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
