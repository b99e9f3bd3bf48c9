#include "framework/training/run_log.h"

#include <algorithm>
#include <fstream>

#include "framework/io/append_file.h"
#include "framework/io/atomic_file.h"
#include "framework/io/wall_time.h"

namespace melgrad {
namespace {

using nlohmann::ordered_json;

// "time" is that of the end of the epoch, in seconds since 1970.
ordered_json to_json(const EpochReport& report) {
  ordered_json line{{"epoch", report.epoch}, {"train_loss", report.train_loss}};
  if (report.train_accuracy) line["train_accuracy"] = *report.train_accuracy;
  line["validation_loss"] = report.validation.loss;
  if (report.validation.accuracy) {
    line[fmt::format("validation_{}", report.validation.accuracy_name)] = *report.validation.accuracy;
  }
  line["learning_rate"] = report.learning_rate;
  line["gradient_norm"] = report.gradient_norm;
  if (report.loss_scaling) {
    line["loss_scale"] = report.loss_scaling->scale;
    line["skipped_steps"] = report.loss_scaling->skipped_steps;
  }
  line["seconds"] = report.seconds;
  line["time"] = wall_time();
  line[fmt::format("{}_per_second", report.items_name)] = report.items_per_second;
  line["best"] = report.best;
  return line;
}

}  // namespace

RunLog::RunLog(std::filesystem::path file, int64_t completed_epochs) : file_(std::move(file)) {
  std::ifstream old(file_);
  std::string kept, line;
  while (static_cast<int64_t>(lines_.size()) < completed_epochs && std::getline(old, line)) {
    ordered_json entry = ordered_json::parse(line, nullptr, false);
    if (entry.is_discarded()) break;
    lines_.push_back(std::move(entry));
    kept += line + "\n";
  }
  write_file_atomically(file_, kept);
}

const ordered_json* RunLog::line_of(int64_t epoch) const {
  const auto found = std::find_if(lines_.begin(), lines_.end(), [epoch](const ordered_json& line) {
    return line.value("epoch", int64_t{0}) == epoch;
  });
  return found == lines_.end() ? nullptr : &*found;
}

void RunLog::append(const EpochReport& report) {
  lines_.push_back(to_json(report));
  append_to_file(file_, lines_.back().dump() + "\n");
}

}  // namespace melgrad
