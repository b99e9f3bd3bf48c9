#include "apps/run_record.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "apps/config.h"
#include "framework/io/atomic_file.h"
#include "framework/training/checkpoint.h"
#include "framework/training/run_lock.h"

namespace melgrad {
namespace {

std::vector<nlohmann::json> read_log(const std::filesystem::path& file) {
  std::vector<nlohmann::json> epochs;
  if (!std::filesystem::exists(file)) return epochs;
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);) {
    nlohmann::json epoch = nlohmann::json::parse(line, nullptr, false);
    if (epoch.is_object()) epochs.push_back(std::move(epoch));
  }
  return epochs;
}

std::optional<double> number_in(const nlohmann::json& epoch, const std::string& key) {
  const auto found = epoch.find(key);
  if (found == epoch.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

}  // namespace

std::string RunRecord::option(const std::string& key) const {
  for (const auto& [name, value] : options) {
    if (name == key) return value;
  }
  return "";
}

int64_t RunRecord::planned_epochs() const { return std::atoll(option("epochs").c_str()); }

double RunRecord::training_seconds() const {
  double seconds = 0;
  for (const nlohmann::json& epoch : epochs) seconds += number_in(epoch, "seconds").value_or(0);
  return seconds;
}

std::string RunRecord::status() const {
  if (is_training) return "training";
  const auto done = std::ssize(epochs);
  if (done >= planned_epochs()) return "finished";
  // The log does not tell why a training ended. With patience it ends that many epochs after the best one.
  const int64_t patience = std::atoll(option("patience").c_str());
  int64_t since_best = 0;
  for (auto epoch = epochs.rbegin(); epoch != epochs.rend() && !epoch->value("best", false); ++epoch) ++since_best;
  return patience > 0 && since_best >= patience ? "stopped early" : "interrupted";
}

std::optional<double> RunRecord::last(const std::string& key) const {
  return epochs.empty() ? std::nullopt : number_in(epochs.back(), key);
}

std::optional<double> RunRecord::best(const std::string& key) const {
  for (auto epoch = epochs.rbegin(); epoch != epochs.rend(); ++epoch) {
    if (epoch->value("best", false)) return number_in(*epoch, key);
  }
  return std::nullopt;
}

bool is_run_folder(const std::filesystem::path& folder) {
  std::error_code unseen;  // a folder without access rights is no run
  const auto has = [&](const char* file) { return std::filesystem::exists(folder / file, unseen); };
  return has("config.toml") && (has("log.jsonl") || has(training_state_file));
}

RunRecord read_run_record(const std::filesystem::path& folder) {
  RunRecord record{.folder = folder};
  record.options = values_in(folder / "config.toml");
  record.epochs = read_log(folder / "log.jsonl");
  const std::filesystem::path evaluation = folder / "evaluation" / "report.json";
  if (std::filesystem::exists(evaluation))
    record.evaluation = nlohmann::json::parse(read_file(evaluation), nullptr, false);
  record.is_training = is_locked(folder);
  return record;
}

}  // namespace melgrad
