#include "core/async/io/environment.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <vector>

using gather::async::Environment;

namespace {

std::vector<std::string> all_of(const Environment& environment) {
  std::vector<std::string> all;
  environment.for_each([&all](const std::string& variable) { all.push_back(variable); });
  return all;
}

const auto common = std::make_shared<const Environment::Variables>(
    Environment::Variables{"PATH=/bin", "PATHS=none", "EMPTY="});

}  // namespace

TEST_CASE("an environment has what is common and its own, and finds whole names", "[async][environment]") {
  Environment environment(common);
  environment.set("A", "1");
  environment.set("B", "x=y");
  environment.set("A", "2");
  CHECK(all_of(environment) == std::vector<std::string>{"PATH=/bin", "PATHS=none", "EMPTY=", "A=2", "B=x=y"});
  CHECK(environment.own() == Environment::Variables{"A=2", "B=x=y"});
  CHECK(environment.common() == common);
  CHECK(std::string(environment.find("PATH")) == "/bin");
  CHECK(std::string(environment.find("EMPTY")).empty());
  CHECK(std::string(environment.find("B")) == "x=y");
  CHECK(environment.find("PAT") == nullptr);
  CHECK(Environment().find("A") == nullptr);
}

TEST_CASE("a variable that goes over a common one leaves what is common alone", "[async][environment]") {
  Environment environment(common);
  environment.set("A", "1");
  environment.set("PATH", "/usr/bin");
  CHECK(environment.common() == nullptr);
  CHECK(all_of(environment) == std::vector<std::string>{"PATH=/usr/bin", "PATHS=none", "EMPTY=", "A=1"});
  CHECK(all_of(Environment(common)) == *common);
}

TEST_CASE("execve's pointers are those of each variable, and a null", "[async][environment]") {
  const Environment environment(common, {"A=1"});
  const std::vector<char*> pointers = environment.pointers();
  REQUIRE(pointers.size() == 5);
  CHECK(pointers[1] == (*common)[1].c_str());
  CHECK(pointers[3] == environment.own()[0].c_str());
  CHECK(pointers[4] == nullptr);
  CHECK(Environment().pointers() == std::vector<char*>{nullptr});
}
