#include "core/run/kind.hpp"

namespace gather::run {

Kind kind_of(const job::Action& action) {
  struct {
    Kind operator()(const job::Milestone&) const { return Kind::none; }
    Kind operator()(const job::Sleep&) const { return Kind::sleep; }
    Kind operator()(const job::Run&) const { return Kind::process; }
    Kind operator()(const job::Shell&) const { return Kind::process; }
    Kind operator()(const std::unique_ptr<const job::Fetch>&) const { return Kind::fetch; }
  } kind;
  return std::visit(kind, action);
}

}  // namespace gather::run
