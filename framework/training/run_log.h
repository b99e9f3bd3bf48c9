// RUN/log.jsonl: a JSON object a line, a line an epoch.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "framework/training/trainer.h"

namespace melgrad {

class RunLog {
 public:
  // Keeps the first `epochs_done` lines of an existing file: a killed run may have logged an epoch, whole or in part,
  // that its checkpoint does not contain and that will be run again.
  RunLog(std::filesystem::path file, int64_t epochs_done);
  // Throws WriteError.
  void append(const EpochReport& report);
  const std::vector<nlohmann::ordered_json>& lines() const { return lines_; }
  // Nothing where somebody removed the line.
  const nlohmann::ordered_json* line_of(int64_t epoch) const;

 private:
  std::filesystem::path file_;
  std::vector<nlohmann::ordered_json> lines_;
};

}  // namespace melgrad
