#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sapwood/column/column.h"
#include "sapwood/column/schema.h"
#include "sapwood/runtime/model.h"
#include "sapwood/serve/scheduler.h"

namespace sapwood::serve {

/// A model that is ready to run, and what clients may ask about it.
struct Servable {
  std::string name;
  std::shared_ptr<const Model> model;
  std::string framework{};
  std::string description{};
  std::string created{};
  std::vector<std::string> labels{};
  /// The raw columns that clients may send, and how they become the model's inputs; empty where clients send
  /// the inputs themselves. Safe to call from many threads; throws what `Predictor::prepare` throws.
  std::optional<Schema> columns{};
  std::function<std::vector<Tensor>(std::vector<Column>)> prepare{};
  size_t prepared_row_bytes = 0;  ///< of one row of what `prepare` gives
};

/// Opens the bundle in a file, verifies it, and loads its model. Throws what Bundle and Predictor throw.
using OpenServable = std::function<Servable(const std::string& path)>;

/// A version of a model with the scheduler that runs it. Holders may ask and submit as long as they like;
/// once it is retired the scheduler says so.
struct ServedModel {
  ServedModel(std::string name, int64_t version, Servable servable, const SchedulerOptions& options)
      : name(std::move(name)),
        version(version),
        servable(std::move(servable)),
        scheduler(this->servable.model, options) {}
  const std::string name;
  const int64_t version;
  const Servable servable;
  Scheduler scheduler;
};

}  // namespace sapwood::serve
