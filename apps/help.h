// The layout of --help: a line for each option, wrapped to the width of the terminal.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string>

namespace melgrad {

class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(int columns);

  std::string make_option(const CLI::Option* option, bool is_positional) const override;

 private:
  size_t columns_;
};

}  // namespace melgrad
