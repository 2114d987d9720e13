/// Receiver: decides what an answer is to a download, and takes its body to where it belongs. Only files of
/// core/net include this.
#pragma once

#include "core/net/download.hpp"
#include "core/net/part_file.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gather::net {

class Receiver final : public BodySink {
 public:
  /// What an answer is to us.
  enum class Verdict : std::uint8_t {
    whole,       ///< The body from its beginning.
    rest,        ///< What is missing behind the part.
    unchanged,   ///< The file that is there is the latest version.
    had_all,     ///< The part is whole already.
    useless,     ///< No rest that fits: the part must go, and all be asked for.
    unexpected,  ///< Another status; the body tells why.
  };

  /// What was asked for.
  enum class Question : std::uint8_t { all, rest, if_changed };

  /// Takes answers to a request for all, for the rest behind `part`, or for all if that has changed. All must
  /// outlive it; `digest`, if there is one, has the part's bytes already.
  Receiver(const Download& wanted, std::optional<PartFile>& part, std::optional<Digest>& digest,
           Question question)
      : wanted_(wanted), part_(part), digest_(digest), question_(question) {}

  bool take(const Head& head, std::string_view piece) override;

  /// For the answer's head, once its body has come, or began to.
  Verdict verdict(const Head& head);

  std::string& body() noexcept { return body_; }
  const std::string& error_body() const noexcept { return error_body_; }
  /// Bytes of the wanted body that came in this answer, as they are written.
  std::uint64_t received() const noexcept { return received_; }
  /// How long the whole must be; nothing if it was not told. For a rest it is always known.
  std::optional<std::uint64_t> total() const noexcept { return total_; }
  /// Why take() refused, where that is our own failure; empty if it is not.
  const std::string& refusal() const noexcept { return refusal_; }
  /// The part is of no use, and the body of this answer neither.
  bool useless() const noexcept { return too_much_ || verdict_ == Verdict::useless; }
  /// The head of an unexpected answer whose body was too long to read to its end.
  const std::optional<Head>& given_up() const noexcept { return given_up_; }

 private:
  Verdict judge(const Head& head);
  Verdict judge_rest(const Head& head);
  bool begin(const Head& head);
  bool take_wanted(std::string_view piece);
  bool take_unwanted(const Head& head, std::string_view piece);
  bool refuse(std::string why);
  bool refuse_too_long();
  bool reserve();

  const Download& wanted_;
  std::optional<PartFile>& part_;
  std::optional<Digest>& digest_;
  const Question question_;
  std::optional<Verdict> verdict_;
  std::uint64_t received_ = 0;
  std::optional<std::uint64_t> total_;
  std::string body_;
  std::string error_body_;
  std::uint64_t skipped_ = 0;
  std::string refusal_;
  bool too_much_ = false;
  std::optional<Head> given_up_;
};

/// Whether `status` is success.
bool expects(const Download& wanted, int status);

}  // namespace gather::net
