// Options from a TOML file: `learning_rate = 0.002` stands for `--learning-rate 0.002`. Options on the command line
// win.
#pragma once

#include <CLI/App.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace melgrad {

// The arguments with those of the config file named by --config put before them; for `train --resume`, those of the
// run's own config.toml. Positional arguments in it become defaults of `program`. Throws Error naming the file and the
// key for what is no option of the subcommand.
std::vector<std::string> with_config(CLI::App& program, std::vector<std::string> arguments);

// All options of a parsed subcommand, given or by default, as TOML that with_config takes. `left_out` names options
// that belong to one call, not to the run.
std::string config_text(const CLI::App& command, const std::vector<std::string>& left_out);

// Throws Error naming the first option of `text`, TOML as config_text writes it, that has another value in `file`;
// those named in `may_differ` are passed over.
void require_same_options(const std::filesystem::path& file, const std::string& text,
                          const std::vector<std::string>& may_differ);

// A text as a TOML string. Throws Error when it is not UTF-8.
std::string toml_text(const std::string& text);

}  // namespace melgrad
