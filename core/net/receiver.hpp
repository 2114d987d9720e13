/// Receiver: decides what an answer is to a download, and takes its body to where it belongs. Only files of
/// core/net include this.
#pragma once

#include "core/net/content_decoder.hpp"
#include "core/net/download.hpp"
#include "core/net/part_file.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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
  enum class Question : std::uint8_t {
    all,
    rest,
    rest_of_mirror,  ///< The rest of what another URL began, which the checksum will prove.
    if_changed,
  };

  /// Makes the part. Why it can't be made; nothing if it was.
  using MakePart = std::function<std::optional<LocalFailure>()>;

  /// Takes answers to a request for all, for the rest behind `part`, or for all if that has changed. All must
  /// outlive it; `digest`, if there is one, has the part's bytes already. Given `make_part`, there is no part
  /// yet, and none is made if the body comes in one piece: see at_once().
  Receiver(const Download& wanted, std::optional<PartFile>& part, std::optional<Digest>& digest,
           Question question, MakePart make_part = nullptr)
      : wanted_(wanted),
        part_(part),
        digest_(digest),
        question_(question),
        make_part_(std::move(make_part)) {}

  bool take(const Head& head, std::string_view piece) override;

  /// For the answer's head, once its body has come, or began to.
  Verdict verdict(const Head& head);

  std::string& body() noexcept { return body_; }
  /// The body of a download that has an output and needed no part.
  std::string& at_once() noexcept { return at_once_; }
  const std::string& error_body() const noexcept { return error_body_; }
  /// Bytes of the wanted body that came in this answer, as they are written.
  std::uint64_t received() const noexcept { return received_; }
  /// Whether a compressed body came to its end; true of others.
  bool decoded_to_end(const Head& head) const noexcept;
  /// Whether something tells that a body which came to its end is all of it: a length, a last chunk, a coding
  /// with an end of its own, or what is expected of it.
  bool proven_whole(const Head& head) const noexcept;
  /// How long the whole must be; nothing if it was not told. For a rest it is always known.
  std::optional<std::uint64_t> total() const noexcept { return total_; }
  /// What the download comes to, where take() or verdict() refused the body; nothing if it did not.
  std::optional<DownloadResult>& refusal() noexcept { return refusal_; }
  /// What Download::path said of the answer; empty without one.
  const std::filesystem::path& path() const noexcept { return path_; }
  /// The part is of no use, and the body of this answer neither.
  bool useless() const noexcept { return too_much_ || verdict_ == Verdict::useless; }
  /// The head of an unexpected answer whose body was too long to read to its end.
  const std::optional<Head>& given_up() const noexcept { return given_up_; }

 private:
  Verdict judge(const Head& head);
  bool asks_for_rest() const { return question_ == Question::rest || question_ == Question::rest_of_mirror; }
  Verdict judge_rest(const Head& head);
  bool accepts(const Head& head, bool partial);
  bool accepts_path(const Head& head);
  bool begin(const Head& head);
  bool begin_part(const Head& head);
  bool begin_decoding(const Head& head);
  bool take_wanted(const Head& head, std::string_view piece);
  bool take_decoded(const Head& head, std::string_view piece);
  bool take_unwanted(const Head& head, std::string_view piece);
  bool refuse(DownloadResult why);
  bool refuse_local(std::string why) { return refuse(LocalFailure{std::move(why)}); }
  bool refuse_too_long();
  bool refuse_size(std::uint64_t size);
  bool allows(std::uint64_t size);
  bool reserve();

  const Download& wanted_;
  std::optional<PartFile>& part_;
  std::optional<Digest>& digest_;
  const Question question_;
  const MakePart make_part_;
  std::optional<Verdict> verdict_;
  std::optional<ContentDecoder> decoder_;
  std::uint64_t coded_ = 0;     // Bytes that went into it.
  std::uint64_t received_ = 0;  // Bytes as they are written.
  std::optional<std::uint64_t> total_;
  std::filesystem::path path_;
  std::string body_;
  std::string at_once_;
  std::string error_body_;
  std::uint64_t skipped_ = 0;
  std::optional<DownloadResult> refusal_;
  bool too_much_ = false;
  std::optional<Head> given_up_;
};

/// The sentence for a file that must not be.
std::string is_there_already(const std::filesystem::path& path);

/// Whether `status` is success.
bool expects(const Download& wanted, int status);

}  // namespace gather::net
