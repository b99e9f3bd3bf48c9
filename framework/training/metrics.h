// How good a classifier is: the confusion matrix and what follows from it, and how far an accuracy can be trusted.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace melgrad {

// counts[true class][predicted class], of tracks or of segments.
struct ConfusionMatrix {
  explicit ConfusionMatrix(std::vector<std::string> class_labels);

  // Throws Error when a class is not one of the labels.
  void add(int64_t true_class, int64_t predicted_class);

  std::vector<std::string> labels;
  std::vector<std::vector<int64_t>> counts;
};

struct ClassScores {
  double precision = 0;  // of those predicted as this class, the part that is of it
  double recall = 0;     // of those that are of this class, the part predicted as it
  double f1 = 0;         // harmonic mean of the two
  int64_t support = 0;   // how many are of this class
};

// scikit-learn's conventions (classification_report, zero_division=0): a ratio without a denominator is 0, and a class
// that is neither true nor predicted anywhere does not enter the macro averages.
struct ClassificationReport {
  std::vector<std::string> labels;
  std::vector<ClassScores> classes;  // in the order of the labels
  ClassScores macro;                 // unweighted means; the support is the total
  double accuracy = 0;
};

ClassificationReport classification_report(const ConfusionMatrix&);

// Aligned columns for a terminal. The matrix cuts long column headings to keep lines near 100 columns, and shows 0 as
// '.'.
std::string to_text(const ConfusionMatrix&);
std::string to_text(const ClassificationReport&);

// RFC 4180. The matrix: true\predicted,<label>...; the report: class,precision,recall,f1,support.
std::string to_csv(const ConfusionMatrix&);
std::string to_csv(const ClassificationReport&);

// What one track adds to an accuracy: its segments, or itself as the only one.
struct TrackScore {
  int64_t correct = 0, total = 1;
};

struct Accuracy {
  double value = 0;
  double low = 0, high = 0;  // 95 % interval
};

// The accuracy over all tracks' segments with a percentile bootstrap interval (Efron & Tibshirani 1993, chapter 13):
// whole tracks are drawn with replacement, since the segments of one track err together. A function of its arguments
// alone, at any number of threads. Throws Error when there is no track or a track has no segment.
Accuracy bootstrap_accuracy(std::span<const TrackScore>, uint64_t seed, int64_t replicates = 10'000);

}  // namespace melgrad
