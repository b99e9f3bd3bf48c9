// The label that a classifier gives to a recording or to a part of it, with the probabilities of all labels.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace melgrad {

// The label of an answer whose largest probability is too low.
inline constexpr const char* unsure_label = "unsure";

struct Answer {
  double begin = 0, end = 0;         // seconds from the start of the recording
  std::string label;                 // of the most probable class, or unsure_label
  float probability = 0;             // of `label`; of the most probable class if the label is unsure_label
  std::vector<float> probabilities;  // one per class
};

// Turns probabilities into answers.
struct AnswerRule {
  std::vector<std::string> labels;  // one per class
  double unsure = 0;                // answers with a lower probability get unsure_label; 0: none

  Answer answer(double begin, double end, std::vector<float> probabilities) const;
};

// The value with as many decimals as programs get: JSON then has 0.81 instead of 0.8100000023841858.
double rounded(double value, int decimals);

// A recording to classify.
struct Input {
  std::filesystem::path path;  // as it is opened; "-": standard input
  std::filesystem::path name;  // relative; names the files that are written about it
};

}  // namespace melgrad
