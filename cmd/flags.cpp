#include "cmd/flags.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/base/suggest.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace gather::cmd {

Flags::Flags(std::string_view command, std::string_view summary)
    : app_(std::make_unique<CLI::App>(std::string(summary), fmt::format("gather {}", command))) {
  app_->get_formatter()->column_width(34);
  app_->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

Flags::~Flags() = default;

void Flags::words(const std::string& name, std::vector<std::string>& target, const std::string& help) {
  app_->add_option(name, target, help)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Flags::value(const std::string& names, std::optional<Given>& target, const std::string& type,
                  const std::string& help) {
  CLI::Option* const option = app_->add_option(names, help)->type_name(type);
  with_twin(option);
  after_.push_back([this, option, &target] {
    if (option->count() > 0) target = Given{option->results().back(), origin(option)};
  });
}

void Flags::flag_or_value(const std::string& name, std::optional<Given>& target, const std::string& help) {
  CLI::Option* const option = app_->add_flag(name, help);
  with_twin(option);
  after_.push_back([this, option, &target] {
    if (option->count() == 0) return;
    const std::string& value = option->results().back();
    target = Given{value == "true" ? "" : value, origin(option)};  // CLI11's word for "no value".
  });
}

void Flags::list(const std::string& names, std::vector<Given>& target, const std::string& type,
                 const std::string& help) {
  CLI::Option* const option =
      app_->add_option(names, help)->type_name(type)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  option->allow_extra_args(false);
  with_twin(option);
  after_.push_back([this, option, &target] {
    for (const std::string& value : option->results()) target.push_back({value, origin(option)});
  });
}

void Flags::flag(const std::string& names, bool& target, const std::string& help) {
  with_twin(app_->add_flag(names, target, help));
}

void Flags::count(const std::string& names, int& target, const std::string& help) {
  with_twin(app_->add_flag(names, target, help));
}

void Flags::accepted(const std::string& names, const std::string& help) {
  with_twin(app_->add_flag(names, help));
}

bool Flags::takes_next_word(std::string_view word) const {
  if (!word.starts_with('-') || word.contains('=')) return false;
  const auto takes_value = [this](const std::string& name) {
    const CLI::Option* const option = app_->get_option_no_throw(name);
    return option != nullptr && option->get_expected_min() > 0;
  };
  if (word.starts_with("--")) return takes_value(std::string(word));
  for (std::size_t i = 1; i < word.size(); ++i)  // -kj 4 does, -j4 and -kj4 do not.
    if (takes_value({'-', word[i]})) return i + 1 == word.size();
  return false;
}

std::optional<std::string> Flags::parse(std::vector<std::string> arguments) {
  std::ranges::reverse(arguments);  // As CLI11 wants them.
  try {
    app_->parse(arguments);
  } catch (const CLI::CallForHelp&) {
    return app_->help();
  } catch (const CLI::ParseError& error) {
    throw Error(ExitStatus::usage, explain(error));
  }
  for (const auto& read : after_) read();
  return std::nullopt;
}

std::string Flags::twin(const CLI::Option* option) {
  std::string name = "GATHER_" + option->get_lnames().front();
  for (char& c : name) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

void Flags::with_twin(CLI::Option* option) const {
  if (twins_) option->envname(twin(option));
}

std::string Flags::origin(const CLI::Option* option) const {
  const auto& given = app_->parse_order();
  return std::ranges::find(given, option) != given.end() ? "--" + option->get_lnames().front() : twin(option);
}

std::string Flags::explain(const CLI::ParseError& error) const {
  std::string text = error.what();
  if (const auto* extra = dynamic_cast<const CLI::ExtrasError*>(&error); extra != nullptr) {
    const std::vector<std::string> unknown = app_->remaining();
    const std::string word = unknown.empty() ? "" : unknown.front();
    text = fmt::format("unknown flag {}", in_quotes(word));
    std::vector<std::string> names;
    for (const CLI::Option* option : app_->get_options())
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    if (const auto near = nearest(word, candidates))
      return fmt::format("{}; did you mean {}? See {} --help", text, *near, app_->get_name());
  }
  return fmt::format("{}; see {} --help", text, app_->get_name());
}

}  // namespace gather::cmd
