// The layout of --help: two columns, wrapped to the width of the terminal.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string>

namespace melgrad {

class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(int columns);

  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;

 private:
  size_t columns_;
};

}  // namespace melgrad
