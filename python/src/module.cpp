#include "bindings.h"

NB_MODULE(_core, module) {
  module.doc() = "sapwood's C++ core.";
  bind_errors(module);
  bind_column(module);
  bind_source(module);
  bind_features(module);
  bind_dataset(module);
  bind_loader(module);
  bind_bundle(module);
}
