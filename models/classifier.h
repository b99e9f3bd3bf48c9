// Classifies audio samples with a trained model. This header is for programs that use melgrad without extending it. It
// includes no other header of melgrad, and future versions only add to it.
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
  float probability;  // in [0, 1], at the model's temperature; the probabilities of all classes add up to 1
};

// All exceptions are std::runtime_error. Their message is one line that says what is wrong and what to do.
class Classifier {
 public:
  // `run` is a folder written by `melgrad train --out`, or a .safetensors file in it. `device` is "auto" (the first
  // GPU, otherwise the CPU), "cpu", "cuda" or "cuda:N". A process can use only one GPU.
  explicit Classifier(const std::filesystem::path& run, const std::string& device = "auto");
  ~Classifier();
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;

  // The names of the classes, in the order of the model.
  const std::vector<std::string>& labels() const;

  // Returns the probability of every class, the most probable first. `samples` is one channel in [-1, 1) (mix stereo to
  // (left + right) / 2), with at least one sample, all finite. `sample_rate` is 1000 to 768000 Hz. Rate and length may
  // differ from those of the training data, but clips shorter than a few seconds give poor results. Safe to call from
  // any thread; the calls of a process run one at a time.
  std::vector<ClassProbability> classify(std::span<const float> samples, int sample_rate) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace melgrad
