#include "core/net/checksum_list.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>

using namespace gather::net;

namespace {

const std::string a256(64, 'a');
const std::string b256(64, 'b');
const std::string c512(128, 'c');

/// "algorithm name", or the error.
std::string read(const std::string& text) {
  const auto list = parse_checksum_list(text);
  if (!list) return list.error().substr(0, list.error().find(':'));
  std::string shown;
  for (const ListedChecksum& listed : *list)
    shown += fmt::format("[{} {}]", name(listed.checksum.algorithm), listed.name);
  return shown;
}

}  // namespace

TEST_CASE("a list is read as sha256sum and its kin write it", "[net][checksums]") {
  CHECK(read(a256 + "  a.tar\n" + b256 + " *sub/b c.tar\n") == "[sha256 a.tar][sha256 sub/b c.tar]");
  CHECK(read(c512 + "  c") == "[sha512 c]");
  CHECK(read(std::string(96, '1') + "  x\n" + std::string(40, '2') + "  y\n" + std::string(32, '3') +
             "  z\n") == "[sha384 x][sha1 y][md5 z]");
  CHECK(read("# made yesterday\r\n\r\n" + a256 + "  a\r\n") == "[sha256 a]");
  CHECK(read("").empty());
  CHECK(read(std::string(64, 'A') + "   b") == "[sha256  b]");  // A name may begin with a blank.
}

TEST_CASE("escaped names and BSD's lines are read", "[net][checksums]") {
  CHECK(read("\\" + a256 + "  a\\nb\\\\c\\rd") == "[sha256 a\nb\\c\rd]");
  CHECK(read("SHA256 (a (1).tar) = " + a256) == "[sha256 a (1).tar]");
  CHECK(read("BLAKE2b (a) = " + c512 + "\nMD5 (b) = " + std::string(32, '0')) == "[blake2b a][md5 b]");
  CHECK(read("\\SHA256 (a\\\\b) = " + a256) == "[sha256 a\\b]");
}

TEST_CASE("a line that is none makes the whole list an error", "[net][checksums]") {
  const std::string refused = "line 2 is no line of a list of checksums";
  const auto second = [&](const std::string& line) { return read(a256 + "  a\n" + line + "\n"); };
  for (const std::string& line :
       {std::string("<html>not found</html>"), a256, a256 + " ", a256 + "  ", a256 + " a", a256 + "\ta",
        a256 + "0  a", a256.substr(1) + "  a", a256.substr(1) + "g  a", " " + a256 + "  a",
        "SHA256 () = " + a256, "SHA512 (a) = " + a256, "SHA3 (a) = " + a256, "SHA256 (a) " + a256,
        "\\" + a256 + "  a\\", "\\" + a256 + "  a\\t", a256 + "  a" + std::string(1, '\0')})
    CHECK(second(line) == refused);
}

TEST_CASE("a checksum is found by base name", "[net][checksums]") {
  const std::vector<ListedChecksum> list{{"./dist/a.tar", {Algorithm::sha1, "1"}},
                                         {"a.tar", {Algorithm::sha256, "2"}},
                                         {"x/b", {Algorithm::md5, "3"}},
                                         {"y/b", {Algorithm::md5, "4"}},
                                         {"c", {Algorithm::md5, "5"}},
                                         {"old/c", {Algorithm::md5, "5"}}};
  CHECK(checksum_for("a.tar", list) == Checksum{Algorithm::sha256, "2"});
  CHECK(checksum_for("c", list) == Checksum{Algorithm::md5, "5"});
  CHECK(checksum_for("b", list).error() == "\"b\" is listed with different checksums");
  CHECK(checksum_for("tar", list).error() == "\"tar\" is not listed");
}

TEST_CASE("every algorithm computes its own digest", "[net][checksums]") {
  const auto of_abc = [](Algorithm algorithm) {
    Digest digest(algorithm);
    digest.update("a");
    digest.update("bc");
    const std::string hex = digest.hex();
    CHECK(hex.size() == digits(algorithm));
    CHECK(algorithm_named(name(algorithm)) == algorithm);
    return hex.substr(0, 16);
  };
  CHECK(of_abc(Algorithm::sha256) == "ba7816bf8f01cfea");
  CHECK(of_abc(Algorithm::sha512) == "ddaf35a193617aba");
  CHECK(of_abc(Algorithm::sha384) == "cb00753f45a35e8b");
  CHECK(of_abc(Algorithm::sha1) == "a9993e364706816a");
  CHECK(of_abc(Algorithm::md5) == "900150983cd24fb0");
  CHECK(of_abc(Algorithm::blake2b) == "ba80a53f981c4d0d");
}
