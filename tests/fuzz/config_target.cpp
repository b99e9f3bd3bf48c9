// Fuzz target for config.toml: an accepted file becomes arguments that the command line parses or refuses.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "apps/arguments.h"
#include "apps/config.h"
#include "kernels/device/error.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const melgrad::fuzz::FuzzFile file("config.toml");
  CLI::App program("", "melgrad");
  CLI::App& train = *program.add_subcommand("train", "");
  std::string config, data, model;
  double rate = 0;
  int epochs = 0;
  bool htk = false;
  bool resume = false;
  const melgrad::ConfigOptions options{.file = train.add_option("--config", config),
                                       .resume = train.add_flag("--resume", resume)};
  train.add_option("data", data);
  train.add_option("--model", model)->check(melgrad::one_of({"cnn", "resnet18"}));
  train.add_option("--learning-rate", rate)->check(melgrad::positive_number());
  train.add_option("--epochs", epochs)->check(CLI::Range(1, 1000));
  train.add_flag("--htk", htk);
  const std::string path = file.hold(bytes, size).string();
  try {
    std::vector<std::string> arguments = melgrad::with_config(train, options, {"train", "--config", path});
    std::reverse(arguments.begin(), arguments.end());
    program.parse(arguments);
    melgrad::require_plausible_values(train);
    melgrad::require_same_options(path, melgrad::config_text(train, options), options);
  } catch (const CLI::ParseError& error) {
    melgrad::parse_failure(program, error);
  } catch (const melgrad::Error&) {
  }
  return 0;
}
