// sapwood-serve: predictions over HTTP. docs/serving.md says how to use it.
#include <pthread.h>

#include <CLI/CLI.hpp>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
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

/// Blocks the signals that end the server, in this thread and those it starts.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
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
  const sigset_t signals = block_signals();
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
                                    .num_loops = threads});
  serve::HttpServerOptions http = settings.http;
  http.threads = threads;
  http.limits.body_bytes = settings.max_body_mb << 20;
  http.request_timeout = milliseconds(settings.request_timeout);
  http.idle_timeout = milliseconds(settings.idle_timeout);
  serve::HttpServer server(http, service);
  const bool is_v6 = http.host.find(':') != std::string::npos;
  std::printf("sapwood-serve: ready on http://%s%s%s:%d (%zu models)\n", is_v6 ? "[" : "", http.host.c_str(),
              is_v6 ? "]" : "", int{server.port()}, registry.served().size());
  std::fflush(stdout);

  int signal = 0;
  sigwait(&signals, &signal);
  server.stop(milliseconds(settings.drain_timeout));
  registry.stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Predictions over HTTP from sapwood bundles", "sapwood serve"};
  Settings settings;
  add_options(app, settings);
  app.set_version_flag("--version", SAPWOOD_VERSION);
  CLI11_PARSE(app, argc, argv);
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
