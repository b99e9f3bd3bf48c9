// Classifies samples with a trained model: the header for programs that use melgrad and do not extend it. It includes
// no other header of melgrad and changes only by addition.
//
//   melgrad::Classifier classifier("runs/first");
//   for (const auto& [label, probability] : classifier.classify(samples, 44100)) ...
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace melgrad {

struct ClassProbability {
  std::string label;
  float probability;  // in [0, 1]; those of all classes add up to 1
};

// Whatever throws, throws std::runtime_error with one line that says what is wrong and what to do about it.
class Classifier {
 public:
  // `run` is the folder that `melgrad train --out` wrote, or a .safetensors file of it. `device` is "auto" (a GPU where
  // there is one), "cpu", "cuda" or "cuda:N"; a process computes on one GPU at most.
  explicit Classifier(const std::filesystem::path& run, const std::string& device = "auto");
  ~Classifier();
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;

  // In the order of the model's classes.
  const std::vector<std::string>& labels() const;

  // The probability of every class, the most probable first. `samples` are one channel (mix stereo to (left + right) /
  // 2), in [-1, 1) as audio files are decoded, at `sample_rate` Hz from 1000 to 768000; at least one, and all finite.
  // They need not be of training's rate or length; less than a few seconds tells little. Any thread may call; calls of
  // one process wait for each other.
  std::vector<ClassProbability> classify(std::span<const float> samples, int sample_rate) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace melgrad
