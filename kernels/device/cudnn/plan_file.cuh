// Saved choices of execution plans. Measuring again would take seconds at every start. The file is JSON:
//   {"format": "melgrad cuDNN plans", "version": 2, "checksum": "<XXH3-64 of the plans, in hexadecimal>",
//    "plans": {"<key>": {"engine": 1, "knobs": [[2, 7]]}}}
// A file that is damaged or of another version is ignored and replaced.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "kernels/device/cudnn/graph.cuh"

namespace melgrad::kernel::cudnn {

// The key of a choice. It contains the chip, the version of cuDNN, the shapes and the dtype.
std::string plan_key(const std::string& chip, size_t cudnn_version, const Convolution& convolution);

class PlanFile {
 public:
  // If `path` is empty, nothing is read or written. If the file cannot be used, one line on stderr says why.
  explicit PlanFile(std::filesystem::path path);

  std::optional<EngineChoice> find(const std::string& key) const;
  // Adds a choice, merges those that other processes have added to the file, and replaces the file atomically. If that
  // fails, one line on stderr says so, and later choices stay in memory.
  void put(const std::string& key, const EngineChoice& choice);

 private:
  using Choices = std::map<std::string, EngineChoice>;
  Choices read() const;
  void write() const;

  std::filesystem::path path_;
  Choices choices_;
};

}  // namespace melgrad::kernel::cudnn
