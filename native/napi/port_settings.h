#pragma once

#include <napi.h>

#include "port/settings.h"

namespace xvif::napi {

/// PortSettings of src/datapath/datapath.ts. Throws a sentence for a value out of range.
PortSettings port_settings(const Napi::Object& from);

}  // namespace xvif::napi
