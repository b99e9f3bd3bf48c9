// Metrics of a classifier: the confusion matrix, precision, recall and F1, and accuracies with confidence intervals.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace melgrad {

// counts[true class][predicted class]
struct ConfusionMatrix {
  explicit ConfusionMatrix(std::vector<std::string> class_labels);

  // Throws Error when a class is not one of the labels.
  void add(int64_t true_class, int64_t predicted_class);

  std::vector<std::string> labels;
  std::vector<std::vector<int64_t>> counts;
};

struct ClassScores {
  double precision = 0;  // share of the examples predicted as this class that belong to it
  double recall = 0;     // share of the examples of this class that are predicted as it
  double f1 = 0;         // harmonic mean of precision and recall
  int64_t support = 0;   // number of examples of this class
};

// Follows scikit-learn (classification_report, zero_division=0): a ratio with denominator 0 is 0, and the macro
// averages leave out classes that are neither a true nor a predicted class of any example.
struct ClassificationReport {
  std::vector<std::string> labels;
  std::vector<ClassScores> classes;  // in the order of the labels
  ClassScores macro;                 // unweighted means; the support is the total
  double accuracy = 0;
};

ClassificationReport classification_report(const ConfusionMatrix&);

// Aligned columns for a terminal. The matrix cuts long column headings so that lines have about 100 columns, and prints
// 0 as '.'.
std::string to_text(const ConfusionMatrix&);
std::string to_text(const ClassificationReport&);

// RFC 4180. The matrix: true\predicted,<label>...; the report: class,precision,recall,f1,support.
std::string to_csv(const ConfusionMatrix&);
std::string to_csv(const ClassificationReport&);

// The examples of one cluster, for example the segments of one recording. Their errors are correlated. To compare two
// classifiers on the same examples, `correct` is the difference of their counts, which may be negative.
struct ClusterScore {
  int64_t correct = 0, total = 1;
};

struct Accuracy {
  double value = 0;
  double low = 0, high = 0;  // 95 % interval
};

// The accuracy over the examples of all clusters, with a percentile bootstrap interval (Efron & Tibshirani 1993,
// chapter 13) that draws whole clusters with replacement. The result depends only on the arguments, not on the number
// of threads. Throws Error when there is no cluster or a cluster has no example.
Accuracy bootstrap_accuracy(std::span<const ClusterScore>, uint64_t seed, int64_t replicates = 10'000);

// A share of independent examples with Wilson's score interval (Wilson 1927), which unlike the bootstrap is not empty
// when all examples or none are correct. Throws Error unless 0 <= correct <= total and total > 0.
Accuracy wilson_accuracy(int64_t correct, int64_t total);

}  // namespace melgrad
