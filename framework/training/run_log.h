// The log of a run, RUN/log.jsonl: one JSON object per line, one line per epoch.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "framework/training/trainer.h"

namespace melgrad {

class RunLog {
 public:
  // Keeps the first `completed_epochs` lines of an existing file. A killed run may have logged later epochs, whole or
  // in part, that its checkpoint does not contain; they are trained and logged again.
  RunLog(std::filesystem::path file, int64_t completed_epochs);
  // Throws WriteError.
  void append(const EpochReport& report);
  const std::vector<nlohmann::ordered_json>& lines() const { return lines_; }
  // nullptr when the file has no line for this epoch.
  const nlohmann::ordered_json* line_of(int64_t epoch) const;

 private:
  std::filesystem::path file_;
  std::vector<nlohmann::ordered_json> lines_;
};

}  // namespace melgrad
