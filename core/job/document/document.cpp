#include "core/job/document/document.hpp"

#include "core/job/document/encoding.hpp"
#include "core/job/document/parsers.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace gather::job {

Kind Value::kind() const { return document_->node(node_).kind; }
bool Value::plain() const { return document_->node(node_).plain; }
bool Value::late() const { return document_->node(node_).late; }
bool Value::filled() const { return document_->node(node_).filled; }
Format Value::format() const { return document_->format_; }
Extent Value::extent() const { return document_->node(node_).extent; }

std::string_view Value::text() const {
  const Document::Node& node = document_->node(node_);
  assert(node.kind == Kind::scalar);
  return (node.copied ? std::string_view(document_->copies_) : document_->body_)
      .substr(node.first, node.size);
}

std::size_t Value::children() const {
  const Document::Node& node = document_->node(node_);
  return node.kind == Kind::scalar ? 0 : node.size;
}

Value Value::first() const {
  const Document::Node& node = document_->node(node_);
  return node.kind == Kind::scalar || node.first == Document::none ? Value() : Value(*document_, node.first);
}

Value Value::next() const {
  const std::uint32_t next = document_->node(node_).next;
  return next == Document::none ? Value() : Value(*document_, next);
}

void Document::grow() {
  constexpr std::uint32_t whole = 1u << chunk_bits;
  constexpr std::uint32_t small = 64;
  if (capacity_ >= whole) {
    chunks_.push_back(std::make_unique<Node[]>(whole));
    capacity_ += whole;
    return;
  }
  capacity_ = std::max(small, capacity_ * 4);
  auto larger = std::make_unique<Node[]>(capacity_);
  if (chunks_.empty()) chunks_.emplace_back();
  std::copy_n(chunks_.front().get(), size_, larger.get());
  chunks_.front() = std::move(larger);
}

std::uint32_t Document::add(const Node& added) {
  if (size_ == capacity_) grow();
  node(size_) = added;
  return size_++;
}

bool parse(const Source& source, const Lines& lines, Document& document, Findings& findings) {
  const std::string_view text = body(source);
  if (!check_encoding(text, findings)) return false;
  Composer composer(document, lines, findings);
  const bool done = source.format == Format::json ? parse_json(text, composer) : parse_yaml(text, composer);
  assert(done || findings.errors() > 0);
  return done;
}

}  // namespace gather::job
