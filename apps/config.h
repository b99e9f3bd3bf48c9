// Options from a TOML file: `learning_rate = 0.002` stands for `--learning-rate 0.002`. Options on the command line
// take precedence. An option may stand for a set of other options; those given with it take precedence.
#pragma once

#include <CLI/App.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace melgrad {

// The options of a command that a config file or a resumed run treats in a special way.
struct ConfigOptions {
  const CLI::Option* file = nullptr;        // names the config file; nullptr: there is no config file
  const CLI::Option* run_folder = nullptr;  // the folder that holds the config.toml of a run
  const CLI::Option* resume = nullptr;      // the flag that resumes the run in `run_folder`
  const CLI::Option* preset = nullptr;      // names a set of options; nullptr: there are no such sets
  std::vector<std::string> (*preset_arguments)(const std::string& name) = nullptr;  // the options of the set
  std::vector<const CLI::Option*> of_one_call;  // not written to config.toml, like the three above and --help
  std::vector<const CLI::Option*> may_differ;   // may have another value when a run is resumed
  // Options that runs of earlier versions lack in their config.toml, with the value that they had.
  std::vector<std::pair<const CLI::Option*, std::string>> before;
};

// Inserts the options of the config file before those of the command line; with the resume flag and no config file,
// those of the run's config.toml. Options of a preset come before the others of the same place. The first argument
// equal to the name of `command` is the command. Values of positional arguments in the file become their defaults.
// Throws Error naming the file and the key if the command has no such option.
std::vector<std::string> with_config(CLI::App& command, const ConfigOptions& options,
                                     std::vector<std::string> arguments);

// The values of all options of a parsed command, given or default, as TOML that with_config reads. Leaves out the
// options of one call.
std::string config_text(const CLI::App& command, const ConfigOptions& options);

// Throws Error naming the first option whose value in `text` (TOML, as config_text writes it) differs from the value in
// `file`, except those that may differ.
void require_same_options(const std::filesystem::path& file, const std::string& text, const ConfigOptions& options);

// The value of a key in a file that config_text wrote; empty if it has none.
std::optional<std::string> value_in(const std::filesystem::path& file, const std::string& key);

// All keys and values of the file, in its order.
std::vector<std::pair<std::string, std::string>> values_in(const std::filesystem::path& file);

// `text` as a quoted TOML string. Throws Error if it is not UTF-8.
std::string toml_text(const std::string& text);

}  // namespace melgrad
