#include "framework/prediction/table_writer.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "framework/io/atomic_file.h"
#include "framework/io/csv_writer.h"

namespace melgrad {
namespace {

using nlohmann::ordered_json;

// Lines for a file that is written at the end, or for the standard output, which gets each line at once.
class Lines {
 public:
  explicit Lines(std::filesystem::path file) : file_(std::move(file)) {}

  void append(const std::string& line) {
    if (file_ != "-") {
      text_ += line;
      return;
    }
    fmt::print("{}", line);
    if (std::fflush(stdout) != 0) throw std::system_error(errno, std::generic_category());
  }

  void finish() const {
    if (file_ != "-") write_file_atomically(file_, text_);
  }

 private:
  std::filesystem::path file_;
  std::string text_;
};

std::string column_of(const std::string& label) { return "probability_" + label; }

std::string seconds_text(double value) { return fmt::format("{:.3f}", value); }
std::string probability_text(float value) { return fmt::format("{:.6f}", value); }

class CsvWriter final : public PredictionWriter {
 public:
  CsvWriter(const std::filesystem::path& file, const std::vector<std::string>& labels) : lines_(file) {
    std::vector<std::string> header{"path", "start_s", "end_s", "label", "probability"};
    for (const std::string& label : labels) header.push_back(column_of(label));
    lines_.append(csv_record(header));
  }

  void add(const Input& input, const Answer& answer) override {
    std::vector<std::string> fields{input.path.string(), seconds_text(answer.begin), seconds_text(answer.end),
                                    answer.label, probability_text(answer.probability)};
    for (const float probability : answer.probabilities) fields.push_back(probability_text(probability));
    lines_.append(csv_record(fields));
  }

  void finish() override { lines_.finish(); }

 private:
  Lines lines_;
};

class NdjsonWriter final : public PredictionWriter {
 public:
  NdjsonWriter(const std::filesystem::path& file, std::vector<std::string> labels)
      : lines_(file), labels_(std::move(labels)) {}

  void add(const Input& input, const Answer& answer) override {
    ordered_json row{{"path", input.path.string()},
                     {"start_s", rounded(answer.begin, 3)},
                     {"end_s", rounded(answer.end, 3)},
                     {"label", answer.label},
                     {"probability", rounded(static_cast<double>(answer.probability), 6)}};
    for (size_t i = 0; i < labels_.size(); ++i) {
      row[column_of(labels_[i])] = rounded(static_cast<double>(answer.probabilities[i]), 6);
    }
    append(row);
  }

  void fail(const Input& input, const std::string& message) override {
    append({{"path", input.path.string()}, {"error", message}});
  }

  void finish() override { lines_.finish(); }

 private:
  void append(const ordered_json& row) {
    lines_.append(row.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
  }

  Lines lines_;
  std::vector<std::string> labels_;
};

}  // namespace

std::unique_ptr<PredictionWriter> csv_writer(const std::filesystem::path& file,
                                             const std::vector<std::string>& labels) {
  return std::make_unique<CsvWriter>(file, labels);
}

std::unique_ptr<PredictionWriter> ndjson_writer(const std::filesystem::path& file, std::vector<std::string> labels) {
  return std::make_unique<NdjsonWriter>(file, std::move(labels));
}

}  // namespace melgrad
