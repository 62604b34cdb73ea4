#include "bindings.h"

// What stands for bind_bundle.cpp where bundles are not built.
void bind_bundle(nb::module_&) {}
