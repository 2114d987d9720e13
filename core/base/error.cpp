#include "core/base/error.hpp"

#include <system_error>

namespace gather {

std::string system_error_text(int error) { return std::generic_category().message(error); }

}  // namespace gather
