#include "core/job/templates/result_value.hpp"

#include "core/job/document/parsers.hpp"

#include <utility>

namespace gather::job {

std::expected<std::shared_ptr<const ResultValue>, std::string> ResultValue::of(std::string json) {
  std::shared_ptr<ResultValue> made(new ResultValue(std::move(json)));
  Findings findings;
  const Lines lines("");  // Asked only about keys that come twice, and none does.
  Composer composer(made->document_, lines, findings);
  if (parse_json(made->json_, composer)) return made;
  return std::unexpected("it is nested too deep, or holds a number that is too large");
}

}  // namespace gather::job
