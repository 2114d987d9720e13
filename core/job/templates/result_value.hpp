/// A part of a task's result, as templates take it.
#pragma once

#include "core/job/document/document.hpp"

#include <expected>
#include <memory>
#include <string>

namespace gather::job {

/// A JSON value and its tree, which are made once and may be read by any thread.
class ResultValue {
 public:
  /// The error says why it can't be one: it is nested too deep. Requires: `json` is JSON.
  static std::expected<std::shared_ptr<const ResultValue>, std::string> of(std::string json);

  ResultValue(const ResultValue&) = delete;
  ResultValue& operator=(const ResultValue&) = delete;

  Value root() const { return document_.root(); }

 private:
  explicit ResultValue(std::string json) : json_(std::move(json)), document_(json_, Format::json) {}

  std::string json_;
  Document document_;
};

}  // namespace gather::job
