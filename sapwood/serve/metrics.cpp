#include "sapwood/serve/metrics.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

#include "sapwood/base/error.h"

namespace sapwood::serve {
namespace {

class Text {
 public:
  Text() { out_.precision(std::numeric_limits<double>::max_digits10); }
  void family(std::string_view name, std::string_view type, std::string_view help) {
    out_ << "# HELP " << name << ' ' << help << "\n# TYPE " << name << ' ' << type << '\n';
  }
  /// `labels` is such as `model="m"`, or empty.
  template <class T>
  void sample(std::string_view name, const std::string& labels, T value) {
    out_ << name;
    if (!labels.empty()) out_ << '{' << labels << '}';
    out_ << ' ' << value << '\n';
  }
  void histogram(const std::string& name, const std::string& labels, const Histogram::Reading& reading) {
    uint64_t below = 0;
    const std::string separator = labels.empty() ? "" : ",";
    for (size_t i = 0; i < reading.bounds.size(); ++i) {
      below += reading.counts[i];
      out_ << name << "_bucket{" << labels << separator << "le=\"" << concat(reading.bounds[i]) << "\"} "
           << below << '\n';
    }
    out_ << name << "_bucket{" << labels << separator << "le=\"+Inf\"} " << reading.count() << '\n';
    sample(name + "_sum", labels, reading.sum);
    sample(name + "_count", labels, reading.count());
  }
  std::string str() const { return out_.str(); }

 private:
  std::ostringstream out_;
};

void write_routes(Text& text, const HttpMetrics& http, std::span<const std::string_view> routes) {
  text.family("sapwood_http_requests_total", "counter", "Answers by route and status.");
  for (size_t i = 0; i < routes.size(); ++i) {
    for (const auto& [status, count] : http.read(i).by_status) {
      text.sample("sapwood_http_requests_total", concat("route=\"", routes[i], "\",status=\"", status, "\""),
                  count);
    }
  }
  text.family("sapwood_http_request_seconds", "histogram", "From a request's first byte to its answer.");
  for (size_t i = 0; i < routes.size(); ++i) {
    const auto reading = http.read(i);
    if (reading.seconds.count() != 0) {
      text.histogram("sapwood_http_request_seconds", concat("route=\"", routes[i], "\""), reading.seconds);
    }
  }
}

struct ModelReading {
  std::string labels;
  SchedulerCounters counters;
};

void write_models(Text& text, const Registry& registry) {
  std::vector<ModelReading> models;
  for (const auto& model : registry.served()) {
    models.push_back({concat("model=\"", model->name, "\",version=\"", model->version, "\""),
                      model->scheduler.counters()});
  }
  text.family("sapwood_models", "gauge", "Versions of models that are served.");
  text.sample("sapwood_models", "", models.size());
  const auto each = [&](const std::string& name, std::string_view type, std::string_view help, auto member) {
    text.family(name, type, help);
    for (const ModelReading& model : models) text.sample(name, model.labels, model.counters.*member);
  };
  const auto histograms = [&](const std::string& name, std::string_view help, auto member) {
    text.family(name, "histogram", help);
    for (const ModelReading& model : models) text.histogram(name, model.labels, model.counters.*member);
  };
  using C = SchedulerCounters;
  each("sapwood_model_requests_total", "counter", "Requests answered with outputs.", &C::requests);
  each("sapwood_model_rows_total", "counter", "Rows of those.", &C::rows);
  each("sapwood_model_batches_total", "counter", "Runs of the model.", &C::batches);
  each("sapwood_model_failures_total", "counter", "Requests that the model refused.", &C::failures);
  each("sapwood_model_cancelled_total", "counter", "Requests whose client was gone.", &C::cancelled);
  each("sapwood_model_refused_total", "counter", "Requests that found the queue full.", &C::refused);
  each("sapwood_model_queued_requests", "gauge", "Requests that wait.", &C::queued_requests);
  each("sapwood_model_queued_rows", "gauge", "Rows that wait.", &C::queued_rows);
  histograms("sapwood_model_queue_seconds", "From a request's arrival to the start of its batch.",
             &C::queue_seconds);
  histograms("sapwood_model_run_seconds", "Of one run of the model.", &C::run_seconds);
  histograms("sapwood_model_batch_rows", "Rows of one run of the model.", &C::batch_rows);
}

}  // namespace

HttpMetrics::HttpMetrics(size_t num_loops, size_t num_routes) : num_routes_(num_routes) {
  for (size_t i = 0; i < num_loops * num_routes; ++i) counters_.push_back(std::make_unique<Counters>());
}

void HttpMetrics::observe(size_t loop, size_t route, int status, std::chrono::nanoseconds time) {
  Counters& counters = *counters_[loop * num_routes_ + route];
  const auto index = static_cast<size_t>(std::ranges::find(kStatuses, status) - kStatuses.begin());
  counters.by_status[index].fetch_add(1, std::memory_order_relaxed);
  counters.seconds.observe(std::chrono::duration<double>(time).count());
}

HttpMetrics::RouteReading HttpMetrics::read(size_t route) const {
  RouteReading reading;
  std::array<uint64_t, kStatuses.size() + 1> counts{};
  for (size_t i = route; i < counters_.size(); i += num_routes_) {
    for (size_t status = 0; status < counts.size(); ++status) {
      counts[status] += counters_[i]->by_status[status].load(std::memory_order_relaxed);
    }
    reading.seconds += counters_[i]->seconds.read();
  }
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != 0) reading.by_status.emplace_back(i < kStatuses.size() ? kStatuses[i] : 0, counts[i]);
  }
  return reading;
}

std::string prometheus_text(const HttpMetrics& http, std::span<const std::string_view> routes,
                            const Registry& registry) {
  Text text;
  write_routes(text, http, routes);
  write_models(text, registry);
  text.family("process_resident_memory_bytes", "gauge", "Memory of the process.");
  text.sample("process_resident_memory_bytes", "", resident_bytes());
  return text.str();
}

uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t pages = 0;
  uint64_t resident = 0;
  if (!(statm >> pages >> resident)) return 0;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace sapwood::serve
