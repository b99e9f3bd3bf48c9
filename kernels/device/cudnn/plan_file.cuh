// Choices of plans that outlive the process: measuring them anew takes seconds at every start. One small JSON file,
//   {"format": "melgrad cuDNN plans", "version": 2, "checksum": "<XXH3-64 of the plans, in hexadecimal>",
//    "plans": {"<key>": {"engine": 1, "knobs": [[2, 7]]}}}
// that is a convenience only: a file that is damaged, or of another version, is passed over and replaced.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "kernels/device/cudnn/graph.cuh"

namespace melgrad::kernel::cudnn {

// What a choice holds for: it is remade on another chip, by another cuDNN, for another shape or dtype.
std::string plan_key(const std::string& chip, size_t cudnn_version, const Convolution& convolution);

class PlanFile {
 public:
  // `path` empty: nothing is read or written. A file that cannot be used is told of on stderr, in one line.
  explicit PlanFile(std::filesystem::path path);

  std::optional<EngineChoice> find(const std::string& key) const;
  // Writes the file whole, with what other processes added meanwhile, or not at all. Where that fails, says so once on
  // stderr and keeps to memory.
  void put(const std::string& key, const EngineChoice& choice);

 private:
  using Choices = std::map<std::string, EngineChoice>;
  Choices read() const;
  void write() const;

  std::filesystem::path path_;
  Choices choices_;
};

}  // namespace melgrad::kernel::cudnn
