/// async::Descriptor under the name that this layer uses.
#pragma once

#include "core/async/io/descriptor.hpp"

namespace gather::process {

using async::Descriptor;

}  // namespace gather::process
