// sapwood-serve: predictions over HTTP. docs/serving.md says how to use it.
#include <pthread.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "sapwood/base/error.h"
#include "sapwood/base/parallel.h"
#include "sapwood/serve/bundle_servable.h"
#include "sapwood/serve/http_server.h"
#include "sapwood/serve/registry.h"
#include "sapwood/serve/service.h"

namespace {

namespace serve = sapwood::serve;

struct Settings {
  std::string repository;
  std::vector<std::string> bundles;
  std::string token_file;
  serve::HttpServerOptions http;
  serve::RegistryOptions registry;
  sapwood::RuntimeOptions runtime;
  uint64_t max_body_mb = 64;
  int64_t max_rows = serve::ServiceOptions{}.max_rows;
  uint64_t max_tensors_mb = 256;
  double request_timeout = 30;
  double idle_timeout = 75;
  double drain_timeout = 30;
};

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
}

void add_options(CLI::App& app, Settings& settings) {
  app.add_option("--repository", settings.repository, "Folder of models: NAME/VERSION/bundle.tar")
      ->check(CLI::ExistingDirectory);
  app.add_option("--bundle", settings.bundles, "A bundle to serve under its own name (may be repeated)")
      ->check(CLI::ExistingFile);
  app.add_option("--host", settings.http.host, "Address to listen on")->capture_default_str();
  app.add_option("--port", settings.http.port, "Port; 0: any that is free")->capture_default_str();
  app.add_option("--threads", settings.http.threads, "Event loops; 0: one for each processor")
      ->capture_default_str();
  app.add_option("--runners", settings.registry.scheduler.runners, "Runs of a model at the same time")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  app.add_option("--model-threads", settings.runtime.threads, "Threads within one run")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  app.add_option("--max-batch", settings.registry.scheduler.max_batch_rows,
                 "Rows of one run that joins requests")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--max-queue", settings.registry.scheduler.max_queued_rows, "Rows that may wait for a model")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--versions", settings.registry.versions, "Versions of a model served at the same time")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--max-body", settings.max_body_mb, "Megabytes of a request's body")->capture_default_str();
  app.add_option("--max-rows", settings.max_rows, "Rows of a request")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--max-tensors", settings.max_tensors_mb,
                 "Megabytes of tensors that a request's rows make, or its answer has")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--max-connections", settings.http.max_connections, "Connections")->capture_default_str();
  app.add_option("--request-timeout", settings.request_timeout, "Seconds for a request to arrive")
      ->capture_default_str();
  app.add_option("--idle-timeout", settings.idle_timeout, "Seconds that an idle connection is kept")
      ->capture_default_str();
  app.add_option("--drain-timeout", settings.drain_timeout,
                 "Seconds for requests to be answered when stopped")
      ->capture_default_str();
  app.add_option(
         "--upload-token-file", settings.token_file,
         "File with the token that uploading and deleting need (or SAPWOOD_UPLOAD_TOKEN); without one nobody "
         "may")
      ->check(CLI::ExistingFile);
  app.add_option("--onnxruntime", settings.runtime.library, "Path of libonnxruntime.so");
}

std::string read_token(const std::string& path) {
  std::string token;
  if (path.empty()) {
    const char* variable = std::getenv("SAPWOOD_UPLOAD_TOKEN");
    return variable != nullptr ? variable : "";
  }
  std::ifstream file(path);
  if (!std::getline(file, token) || token.empty())
    throw sapwood::ConfigError("holds no token", {.file = path});
  return token;
}

/// SIGINT and SIGTERM: while models are loaded they end the process, then they end the serving, and a second
/// one the process. To be made before any other thread is.
class Signals {
 public:
  Signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    std::thread([this, signals] {
      if (const int signal = next(signals); !serving_.load()) std::_Exit(128 + signal);
      arrived_.release();
      std::_Exit(128 + next(signals));
    }).detach();
  }

  /// From now on the first one is for `wait`.
  void begin_serving() { serving_.store(true); }
  /// Returns when the serving is to end.
  void wait() { arrived_.acquire(); }

 private:
  static int next(const sigset_t& signals) {
    int signal = 0;
    sigwait(&signals, &signal);
    return signal;
  }

  std::atomic<bool> serving_{false};
  std::binary_semaphore arrived_{0};
};

/// Lets the process have as many descriptors as it may, and takes no more connections than that leaves.
void fit_connections(size_t& connections) {
  constexpr rlim_t kOthers = 64;  // files, epoll, ...
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= connections + kOthers) return;
  connections = limit.rlim_cur > 2 * kOthers ? limit.rlim_cur - kOthers : limit.rlim_cur / 2;
  std::fprintf(stderr, "sapwood-serve: at most %zu connections: the process may have %llu files open\n",
               connections, static_cast<unsigned long long>(limit.rlim_cur));
}

bool is_loopback(const std::string& host) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  return !error && address.is_loopback();
}

void load_models(serve::Registry& registry, const Settings& settings) {
  for (const std::string& bundle : settings.bundles) registry.serve_file(bundle);
  registry.load_all();
  for (const serve::Registry::Entry& entry : registry.index()) {
    if (!entry.reason.empty()) {
      std::fprintf(stderr, "sapwood-serve: not serving %s: %s\n", entry.name.c_str(), entry.reason.c_str());
    }
  }
}

int run(const Settings& settings) {
  static Signals signals;  // its thread stays
  std::optional<serve::ModelFolder> folder;
  if (!settings.repository.empty()) folder.emplace(settings.repository);
  const auto open = [runtime = settings.runtime](const std::string& path) {
    return serve::open_bundle(path, runtime);
  };
  serve::Registry registry(std::move(folder), open, settings.registry);
  load_models(registry, settings);

  const size_t threads = settings.http.threads != 0 ? settings.http.threads : sapwood::available_threads();
  serve::Service service(registry, {.token = read_token(settings.token_file),
                                    .open_control = is_loopback(settings.http.host),
                                    .max_body_bytes = settings.max_body_mb << 20,
                                    .max_rows = settings.max_rows,
                                    .max_tensor_bytes = settings.max_tensors_mb << 20,
                                    .num_loops = threads});
  serve::HttpServerOptions http = settings.http;
  http.threads = threads;
  http.limits.body_bytes = settings.max_body_mb << 20;
  http.max_body_total = std::max(http.max_body_total, 4 * http.limits.body_bytes);
  fit_connections(http.max_connections);
  http.request_timeout = milliseconds(settings.request_timeout);
  http.idle_timeout = milliseconds(settings.idle_timeout);
  serve::HttpServer server(http, service);
  signals.begin_serving();
  const bool is_v6 = http.host.find(':') != std::string::npos;
  std::printf("sapwood-serve: ready on http://%s%s%s:%d (%zu models)\n", is_v6 ? "[" : "", http.host.c_str(),
              is_v6 ? "]" : "", int{server.port()}, registry.served().size());
  std::fflush(stdout);

  signals.wait();
  const auto deadline = std::chrono::steady_clock::now() + milliseconds(settings.drain_timeout);
  server.stop(milliseconds(settings.drain_timeout));
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  if (!service.stop(std::max(left, std::chrono::milliseconds(0)))) {
    std::fputs("sapwood-serve: not waiting for a model that is still being loaded\n", stderr);
    std::_Exit(0);
  }
  registry.stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Predictions over HTTP from sapwood bundles", "sapwood serve"};
  Settings settings;
  add_options(app, settings);
  app.set_version_flag("--version", SAPWOOD_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (settings.repository.empty() && settings.bundles.empty()) {
    std::fputs("sapwood-serve: give --repository FOLDER or --bundle FILE\n", stderr);
    return 2;
  }
  try {
    return run(settings);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sapwood-serve: %s\n", error.what());
    return 1;
  }
}
