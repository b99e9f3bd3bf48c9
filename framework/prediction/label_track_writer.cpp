#include "framework/prediction/label_track_writer.h"

#include <fmt/format.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "framework/io/atomic_file.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

bool names_one_file(const fs::path& target, std::string_view extension) {
  std::error_code ignored;
  return target.extension() == extension && !fs::is_directory(target, ignored);
}

// The text of a file about one recording of `seconds`.
using Format = std::function<std::string(const Input&, const std::vector<Answer>&, double seconds)>;

class LabelTrackWriter final : public PredictionWriter {
 public:
  LabelTrackWriter(fs::path target, std::string suffix, Format format)
      : target_(std::move(target)), suffix_(std::move(suffix)), format_(std::move(format)) {}

  void add(const Input& /*input*/, const Answer& answer) override { answers_.push_back(answer); }

  void end(const Input& input, double seconds) override {
    const fs::path file = file_for(input);
    if (file.has_parent_path()) make_folders(file.parent_path());
    write_file_atomically(file, format_(input, std::exchange(answers_, {}), seconds));
  }

  void fail(const Input& input, const std::string& /*message*/) override {
    if (!answers_.empty()) end(input, answers_.back().end);
  }

 private:
  fs::path file_for(const Input& input) {
    if (names_one_file(target_, std::string_view(suffix_).substr(suffix_.rfind('.')))) return target_;
    fs::path name = input.name;
    name += suffix_;
    return target_ / names_.unique(name);
  }

  fs::path target_;
  std::string suffix_;
  Format format_;
  std::vector<Answer> answers_;
  OutputNames names_;
};

std::string audacity_labels(const Input& /*input*/, const std::vector<Answer>& answers, double /*seconds*/) {
  std::string text;
  for (const Answer& answer : answers)
    text += fmt::format("{:.6f}\t{:.6f}\t{}\n", answer.begin, answer.end, answer.label);
  return text;
}

std::string raven_table(const std::vector<Answer>& answers, double low_hz, double high_hz) {
  std::string text =
      "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tLabel\tProbability\n";
  int number = 0;
  for (const Answer& answer : answers) {
    text += fmt::format("{}\tSpectrogram 1\t1\t{:.6f}\t{:.6f}\t{:.1f}\t{:.1f}\t{}\t{:.6f}\n", ++number, answer.begin,
                        answer.end, low_hz, high_hz, answer.label, answer.probability);
  }
  return text;
}

std::string jams_text(const Input& input, const std::vector<Answer>& answers, double seconds, bool timeline) {
  ordered_json data = ordered_json::array();
  for (const Answer& answer : answers) {
    data.push_back({{"time", rounded(answer.begin, 6)},
                    {"duration", rounded(answer.end - answer.begin, 6)},
                    {"value", answer.label},
                    {"confidence", rounded(static_cast<double>(answer.probability), 6)}});
  }
  const ordered_json annotation_metadata{{"curator", {{"name", ""}, {"email", ""}}},
                                         {"annotator", ordered_json::object()},
                                         {"version", ""},
                                         {"corpus", ""},
                                         {"annotation_tools", "melgrad"},
                                         {"annotation_rules", ""},
                                         {"validation", ""},
                                         {"data_source", "program"}};
  ordered_json annotation{{"annotation_metadata", annotation_metadata},
                          {"namespace", timeline ? "segment_open" : "tag_open"},
                          {"time", 0},
                          {"duration", rounded(seconds, 6)},
                          {"data", std::move(data)},
                          {"sandbox", ordered_json::object()}};
  const ordered_json file_metadata{{"title", ""},
                                   {"artist", ""},
                                   {"release", ""},
                                   {"duration", rounded(seconds, 6)},
                                   {"identifiers", ordered_json::object()},
                                   {"jams_version", "0.3.4"}};
  const ordered_json jams{{"annotations", ordered_json::array({std::move(annotation)})},
                          {"file_metadata", file_metadata},
                          {"sandbox", {{"path", input.path.string()}}}};
  return jams.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::unique_ptr<PredictionWriter> audacity_writer(const fs::path& target) {
  return std::make_unique<LabelTrackWriter>(target, ".txt", audacity_labels);
}

std::unique_ptr<PredictionWriter> raven_writer(const fs::path& target, double low_hz, double high_hz) {
  return std::make_unique<LabelTrackWriter>(
      target, ".selections.txt", [low_hz, high_hz](const Input&, const std::vector<Answer>& answers, double) {
        return raven_table(answers, low_hz, high_hz);
      });
}

std::unique_ptr<PredictionWriter> jams_writer(const fs::path& target, bool timeline) {
  return std::make_unique<LabelTrackWriter>(
      target, ".jams", [timeline](const Input& input, const std::vector<Answer>& answers, double seconds) {
        return jams_text(input, answers, seconds, timeline);
      });
}

void require_single_input(const char* option, const fs::path& target, std::string_view extension, size_t inputs) {
  if (inputs == 1 || !names_one_file(target, extension)) return;
  fail("{} {} names one file for {} recordings; give a folder", option, target.string(), inputs);
}

}  // namespace melgrad
