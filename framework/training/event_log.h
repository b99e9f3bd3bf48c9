// The log of a run as an event file for TensorBoard, RUN/events.out.tfevents.<seconds>.melgrad.
#pragma once

#include <filesystem>

#include "framework/io/event_record.h"
#include "framework/training/run_log.h"

namespace melgrad {

class EventLog {
 public:
  // Writes a new file with the settings and the epochs of the log and deletes the event files that a killed or resumed
  // run has left, because they may hold epochs that the log does not have. The new file sorts after them, so that a
  // TensorBoard that is running reads it next, and its first records make it forget the old ones. Throws WriteError.
  EventLog(const std::filesystem::path& run_folder, const RunLog& log, const NamedSettings& settings);

  // Appends an epoch: a line of the log. Throws WriteError.
  void append_epoch(const nlohmann::ordered_json& line);
  // Appends a picture: the bytes of a PNG file. Throws WriteError.
  void append_picture(int64_t epoch, const std::string& name, const std::string& png);
  // Says that the run has ended. Throws WriteError.
  void end(int64_t epoch);

 private:
  std::filesystem::path file_;
};

}  // namespace melgrad
