#include "framework/training/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "framework/io/csv_writer.h"
#include "kernels/device/error.h"
#include "kernels/device/parallel.h"
#include "kernels/device/philox.h"

namespace melgrad {
namespace {

double ratio(double numerator, double denominator) { return denominator > 0 ? numerator / denominator : 0; }

size_t code_points(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

size_t widest(const std::vector<std::string>& texts) {
  size_t width = 0;
  for (const std::string& text : texts) width = std::max(width, code_points(text));
  return width;
}

// Interpolates linearly between the two nearest values, as numpy.percentile does by default.
double quantile(const std::vector<double>& sorted, double fraction) {
  const double position = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], position - static_cast<double>(below));
}

double resampled_accuracy(std::span<const ClusterScore> clusters, uint64_t seed, uint64_t replicate) {
  constexpr size_t words = std::size(decltype(Philox4::v){});
  int64_t correct = 0, total = 0;
  for (size_t i = 0; i < clusters.size(); i += words) {
    const Philox4 random = philox(seed, i / words, replicate);
    for (size_t j = 0; j < std::min(words, clusters.size() - i); ++j) {
      const ClusterScore& drawn = clusters[uint64_t{random.v[j]} * clusters.size() >> 32];
      correct += drawn.correct;
      total += drawn.total;
    }
  }
  return ratio(static_cast<double>(correct), static_cast<double>(total));
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(std::vector<std::string> class_labels)
    : labels(std::move(class_labels)), counts(labels.size(), std::vector<int64_t>(labels.size())) {}

void ConfusionMatrix::add(int64_t true_class, int64_t predicted_class) {
  for (const int64_t index : {true_class, predicted_class}) {
    MELGRAD_CHECK(std::cmp_greater_equal(index, 0) && std::cmp_less(index, labels.size()),
                  "class {} is not one of the {} labels", index, labels.size());
  }
  ++counts[static_cast<size_t>(true_class)][static_cast<size_t>(predicted_class)];
}

ClassificationReport classification_report(const ConfusionMatrix& matrix) {
  ClassificationReport report;
  report.labels = matrix.labels;
  int64_t correct = 0, present = 0;
  for (size_t i = 0; i < matrix.labels.size(); ++i) {
    const int64_t hits = matrix.counts[i][i];
    const int64_t support = std::reduce(matrix.counts[i].begin(), matrix.counts[i].end());
    int64_t predicted = 0;
    for (const auto& row : matrix.counts) predicted += row[i];

    const auto hit_count = static_cast<double>(hits);
    const ClassScores scores{.precision = ratio(hit_count, static_cast<double>(predicted)),
                             .recall = ratio(hit_count, static_cast<double>(support)),
                             .f1 = ratio(2 * hit_count, static_cast<double>(predicted + support)),
                             .support = support};
    report.classes.push_back(scores);
    report.macro.precision += scores.precision;
    report.macro.recall += scores.recall;
    report.macro.f1 += scores.f1;
    report.macro.support += support;
    correct += hits;
    present += support + predicted > 0 ? 1 : 0;
  }
  for (double ClassScores::*score : {&ClassScores::precision, &ClassScores::recall, &ClassScores::f1}) {
    report.macro.*score = ratio(report.macro.*score, static_cast<double>(present));
  }
  report.accuracy = ratio(static_cast<double>(correct), static_cast<double>(report.macro.support));
  return report;
}

std::string to_text(const ConfusionMatrix& matrix) {
  constexpr size_t line = 100, gap = 2, narrowest = 4;
  const size_t label_width = widest(matrix.labels);
  size_t digits = 1;
  for (const auto& row : matrix.counts) {
    for (const int64_t count : row) digits = std::max(digits, fmt::formatted_size("{}", count));
  }
  const size_t columns = std::max<size_t>(matrix.labels.size(), 1);
  const size_t room = line > label_width ? (line - label_width) / columns : 0;
  const size_t heading = std::min(label_width, room > gap + narrowest ? room - gap : narrowest);
  const size_t column = std::max(heading, digits) + gap;

  std::string text = fmt::format("{:{}}", "", label_width);
  for (const std::string& label : matrix.labels) {
    text += fmt::format("{:>{}}", fmt::format("{:.{}}", label, heading), column);
  }
  text += "  <- predicted\n";
  for (size_t i = 0; i < matrix.labels.size(); ++i) {
    text += fmt::format("{:<{}}", matrix.labels[i], label_width);
    for (const int64_t count : matrix.counts[i]) {
      text += fmt::format("{:>{}}", count == 0 ? "." : fmt::to_string(count), column);
    }
    text += '\n';
  }
  return text;
}

std::string to_text(const ClassificationReport& report) {
  constexpr std::string_view macro_label = "macro average", accuracy_label = "accuracy";
  const size_t width = std::max(widest(report.labels), macro_label.size());
  const auto row = [&](std::string_view label, const ClassScores& scores) {
    return fmt::format("{:<{}}  {:9.3f}  {:6.3f}  {:6.3f}  {:7}\n", label, width, scores.precision, scores.recall,
                       scores.f1, scores.support);
  };
  std::string text = fmt::format("{:{}}  precision  recall      f1  support\n", "", width);
  for (size_t i = 0; i < report.labels.size(); ++i) text += row(report.labels[i], report.classes[i]);
  text += '\n' + row(macro_label, report.macro);
  return text + fmt::format("{:<{}}  {:9}  {:6}  {:6.3f}  {:7}\n", accuracy_label, width, "", "", report.accuracy,
                            report.macro.support);
}

std::string to_csv(const ConfusionMatrix& matrix) {
  std::vector<std::string> fields = matrix.labels;
  fields.insert(fields.begin(), "true\\predicted");
  std::string csv = csv_record(fields);
  for (size_t i = 0; i < matrix.labels.size(); ++i) {
    fields.assign({matrix.labels[i]});
    for (const int64_t count : matrix.counts[i]) fields.push_back(fmt::to_string(count));
    csv += csv_record(fields);
  }
  return csv;
}

std::string to_csv(const ClassificationReport& report) {
  std::string csv = csv_record(std::vector<std::string>{"class", "precision", "recall", "f1", "support"});
  for (size_t i = 0; i < report.labels.size(); ++i) {
    const ClassScores& scores = report.classes[i];
    csv += csv_record(std::vector<std::string>{report.labels[i], fmt::to_string(scores.precision),
                                               fmt::to_string(scores.recall), fmt::to_string(scores.f1),
                                               fmt::to_string(scores.support)});
  }
  return csv;
}

Accuracy bootstrap_accuracy(std::span<const ClusterScore> clusters, uint64_t seed, int64_t replicates) {
  MELGRAD_CHECK(!clusters.empty() && replicates > 0, "cannot compute an accuracy from {} clusters with {} replicates",
                clusters.size(), replicates);
  ClusterScore sum{.correct = 0, .total = 0};
  for (const ClusterScore& cluster : clusters) {
    MELGRAD_CHECK(cluster.total > 0, "a cluster has {} examples", cluster.total);
    sum.correct += cluster.correct;
    sum.total += cluster.total;
  }
  std::vector<double> accuracies(static_cast<size_t>(replicates));
  kernel::for_each_row(replicates, std::ssize(clusters), [&](int64_t i) {
    accuracies[static_cast<size_t>(i)] = resampled_accuracy(clusters, seed, static_cast<uint64_t>(i));
  });
  std::ranges::sort(accuracies);
  return {.value = ratio(static_cast<double>(sum.correct), static_cast<double>(sum.total)),
          .low = quantile(accuracies, 0.025),
          .high = quantile(accuracies, 0.975)};
}

Accuracy wilson_accuracy(int64_t correct, int64_t total) {
  MELGRAD_CHECK(correct >= 0 && correct <= total && total > 0, "{} correct examples of {}", correct, total);
  constexpr double z = 1.959963984540054;  // the 97.5 % quantile of the normal distribution
  const auto n = static_cast<double>(total);
  const double share = static_cast<double>(correct) / n;
  const double middle = (share + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  // Rounding may put a bound beyond a share of 0 or 1.
  return {.value = share, .low = std::min(share, middle - half), .high = std::max(share, middle + half)};
}

}  // namespace melgrad
