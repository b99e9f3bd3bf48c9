// Reads the options, the log and the evaluation of a run from its folder, without the model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace melgrad {

struct RunRecord {
  std::filesystem::path folder;
  std::vector<std::pair<std::string, std::string>> options;  // config.toml, in its order; values as text
  std::vector<nlohmann::json> epochs;                        // log.jsonl, one object per epoch
  nlohmann::json evaluation;                                 // evaluation/report.json; null if there is none
  bool is_training = false;                                  // a process holds its lock

  // The value of an option; empty if the run has no such option.
  std::string option(const std::string& key) const;
  int64_t planned_epochs() const;
  double training_seconds() const;  // the sum over the epochs
  // "training", "finished", "stopped early" or "interrupted".
  std::string status() const;
  // The value in the last epoch, and in the epoch marked as the best; empty if that epoch has no such number.
  std::optional<double> last(const std::string& key) const;
  std::optional<double> best(const std::string& key) const;
};

// True if the folder holds a run: a config.toml beside a log.jsonl, or beside a checkpoint of the first steps.
bool is_run_folder(const std::filesystem::path& folder);

// Lines of the log that are cut off are left out. Throws Error naming the file that cannot be read.
RunRecord read_run_record(const std::filesystem::path& folder);

}  // namespace melgrad
