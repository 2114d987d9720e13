#include "core/net/disposition.hpp"

#include <catch2/catch.hpp>

using namespace gather::net;

namespace {

std::string named(std::string_view header) { return filename_in(header).value_or("(none)"); }
std::string harmless(std::string_view name) { return harmless_name(name).value_or("(none)"); }

}  // namespace

TEST_CASE("a server's name for a file is read as the header's grammar has it", "[net][disposition]") {
  CHECK(named("attachment; filename=report.pdf") == "report.pdf");
  CHECK(named("attachment;FILENAME = \"a b.txt\"") == "a b.txt");
  CHECK(named("inline; filename=\"a;b=c.txt\"; size=3") == "a;b=c.txt");
  CHECK(named(R"(attachment; filename="say \"hi\" \\o/.txt")") == R"(say "hi" \o/.txt)");
  CHECK(named("attachment; name=x; filename=y") == "y");
  CHECK(named("attachment") == "(none)");
  CHECK(named("") == "(none)");
  CHECK(named("attachment; name=\"filename=x\"") == "(none)");
}

TEST_CASE("filename* is preferred to filename wherever it stands, if it is right", "[net][disposition]") {
  CHECK(named("attachment; filename=EURO.txt; filename*=UTF-8''%e2%82%ac%20rates.txt") == "€ rates.txt");
  CHECK(named("attachment; filename*=utf-8'en'%c3%a9; filename=e") == "é");
  CHECK(named("attachment; filename*=iso-8859-1''%a3") == "£");
  CHECK(named("attachment; filename=plain; filename*=UTF-8''%ff") == "plain");
  CHECK(named("attachment; filename=plain; filename*=UTF-8''%4") == "plain");
  CHECK(named("attachment; filename=plain; filename*=koi8-r''x") == "plain");
  CHECK(named("attachment; filename=plain; filename*=nonsense") == "plain");
  CHECK(named("attachment; filename*=koi8-r''x") == "(none)");
}

TEST_CASE("what many servers write without being allowed to is understood", "[net][disposition]") {
  CHECK(named("filename=x.txt") == "x.txt");
  CHECK(named("attachment; filename=a b c.txt; size=3") == "a b c.txt");
  CHECK(named(R"(attachment; filename="C:\temp\x.txt")") == R"(C:\temp\x.txt)");
  CHECK(named("attachment; filename=\"no end") == "no end");
  CHECK(named("attachment; filename=first; filename=second") == "first");
  CHECK(named("attachment; filename=\"x\"rubbish; filename*=UTF-8''y") == "y");
}

TEST_CASE("C60: what a server calls a file can't leave the folder, hide or take an option's place",
          "[net][disposition]") {
  CHECK(harmless("../../x") == "x");
  CHECK(harmless("/etc/passwd") == "passwd");
  CHECK(harmless(R"(C:\windows\x.dll)") == "x.dll");
  CHECK(harmless(".bashrc") == "_bashrc");
  CHECK(harmless("...") == "_..");
  CHECK(harmless("-rf") == "_rf");
  CHECK(harmless("CON") == "CON");
  CHECK(harmless("  a b.txt ") == "a b.txt");
  for (const char* nothing : {"", ".", "..", "a/", "../", "  ", "x/.."}) CHECK(harmless(nothing) == "(none)");
}

TEST_CASE("C60: what is not shown or misleads is taken out of a name", "[net][disposition]") {
  CHECK(harmless(std::string_view("a\0b", 3)) == "a_b");
  CHECK(harmless("a\nb\x1b[2J\x7f") == "a_b_[2J_");
  CHECK(harmless("gpj\u202etxt.exe") == "gpj_txt.exe");
  CHECK(harmless("a\u200bb\u0085c") == "a_b_c");
  CHECK(harmless("caf\xe9") == "café");
  CHECK(harmless("日本.txt") == "日本.txt");
}

TEST_CASE("C60: a long name is cut before its extension, with room for the part's suffix",
          "[net][disposition]") {
  const std::string cut = harmless(std::string(300, 'x') + ".tar.gz");
  CHECK(cut == std::string(242, 'x') + ".gz");
  CHECK(harmless(std::string(245, 'x')).size() == 245);
  CHECK(harmless(std::string(246, 'x')).size() == 245);
  std::string many;
  for (int i = 0; i < 100; ++i) many += "日";
  CHECK(harmless(many + ".txt").size() == 80 * 3 + 4);
  CHECK(harmless(std::string(240, 'x') + "      " + std::string(10, 'y')) == std::string(240, 'x'));
  CHECK(harmless("x.part") == "x.par_");
  CHECK(harmless("x.part.meta") == "x.part.met_");
}
