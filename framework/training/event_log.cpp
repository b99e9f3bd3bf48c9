#include "framework/training/event_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <vector>

#include "framework/io/append_file.h"
#include "framework/io/atomic_file.h"
#include "framework/io/wall_time.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::string_view prefix = "events.out.tfevents.", suffix = ".melgrad";

std::vector<fs::path> event_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(suffix)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

// TensorBoard shows the names before a slash as headings, with a chart for each rest.
std::string scalar_name(const std::string& key) {
  for (const std::string side : {"train", "validation"}) {
    if (!key.starts_with(side + "_")) continue;
    const std::string rest = key.substr(side.size() + 1);
    return (rest == "track_accuracy" ? "accuracy" : rest) + "/" + side;
  }
  return key == "seconds" ? "epoch_seconds" : key;
}

// The finite numbers of a line of the log. The gradient norm of a step that fp16 skipped is not finite.
std::string epoch_record(const ordered_json& line) {
  NamedNumbers numbers;
  for (const auto& [key, value] : line.items()) {
    if (!value.is_number() || key == "epoch" || key == "time") continue;
    const auto number = value.get<double>();
    if (std::isfinite(number)) numbers.emplace_back(scalar_name(key), number);
  }
  // Older versions of melgrad logged no time.
  return scalars_record(line.value("time", wall_time()), line.value("epoch", int64_t{0}), numbers);
}

}  // namespace

EventLog::EventLog(const fs::path& run_folder, const RunLog& log, const NamedSettings& settings) {
  const std::vector<fs::path> old_files = event_files(run_folder);
  const double now = wall_time();
  auto seconds = static_cast<int64_t>(now);
  for (const fs::path& file : old_files) {
    // A clock that was set back must not give an older name.
    seconds = std::max<int64_t>(seconds, std::atoll(file.filename().string().c_str() + prefix.size()) + 1);
  }
  file_ = run_folder / fmt::format("{}{:010}{}", prefix, seconds, suffix);
  std::string records = version_record(now) + session_start_record(now, 0) + settings_record(now, settings);
  for (const ordered_json& line : log.lines()) records += epoch_record(line);
  write_file_atomically(file_, records);
  std::error_code ignored;  // a file that remains is forgotten by readers
  for (const fs::path& file : old_files) fs::remove(file, ignored);
}

void EventLog::append_epoch(const ordered_json& line) { append_to_file(file_, epoch_record(line)); }

void EventLog::append_picture(int64_t epoch, const std::string& name, const std::string& png) {
  append_to_file(file_, picture_record(wall_time(), epoch, name, png));
}

void EventLog::end(int64_t epoch) { append_to_file(file_, end_record(wall_time(), epoch)); }

}  // namespace melgrad
