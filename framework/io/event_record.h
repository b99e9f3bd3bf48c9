// The records of an event file of TensorBoard, which is a TFRecord file of protobuf messages. The field numbers are
// those of tensorboard/compat/proto/event.proto, summary.proto and tensorboard/plugins/hparams/plugin_data.proto.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace melgrad {

// The length of the data (8 bytes), its masked CRC-32C (4 bytes), the data and their masked CRC-32C; all numbers are
// little-endian. The mask is that of tensorflow/core/lib/hash/crc32c.h.
std::string tf_record(std::string_view data);

// The first record of a file. Times are seconds since 1970.
std::string version_record(double time);

// A reader that has read records of other files of the folder forgets those of this step and later ones.
std::string session_start_record(double time, int64_t step);

using NamedNumbers = std::vector<std::pair<std::string, double>>;
std::string scalars_record(double time, int64_t step, const NamedNumbers& scalars);

// `png` holds the bytes of a PNG file.
std::string picture_record(double time, int64_t step, const std::string& name, const std::string& png);

// The hyperparameters of the run, for TensorBoard's table of runs.
using NamedSettings = std::vector<std::pair<std::string, std::variant<bool, double, std::string>>>;
std::string settings_record(double time, const NamedSettings& settings);

// Says that the run has ended.
std::string end_record(double time, int64_t step);

}  // namespace melgrad
