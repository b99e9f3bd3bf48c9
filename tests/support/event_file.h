// Reads an event file of TensorBoard record by record, with its checksums.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <vector>

#include "framework/io/atomic_file.h"
#include "framework/io/crc32c.h"

namespace melgrad::test {

struct ReadEvent {
  double time = 0;
  int64_t step = 0;
  std::string version;
  bool starts_session = false;
  std::map<std::string, float> scalars;
  std::map<std::string, std::string> pictures;  // PNG files
  std::vector<std::string> hparams;             // names of the records of the plugin
};

inline void read_value(protozero::pbf_reader value, ReadEvent& event) {
  std::string name;
  while (value.next()) {
    if (value.tag() == 1) {
      name = value.get_string();
    } else if (value.tag() == 2) {
      event.scalars[name] = value.get_float();
    } else if (value.tag() == 4) {
      protozero::pbf_reader image = value.get_message();
      while (image.next()) image.tag() == 4 ? void(event.pictures[name] = image.get_string()) : image.skip();
    } else if (value.tag() == 9) {
      event.hparams.push_back(name);
      value.skip();
    } else {
      value.skip();
    }
  }
}

inline ReadEvent read_event(const std::string& message) {
  ReadEvent event;
  protozero::pbf_reader reader(message);
  while (reader.next()) {
    if (reader.tag() == 1) {
      event.time = reader.get_double();
    } else if (reader.tag() == 2) {
      event.step = reader.get_int64();
    } else if (reader.tag() == 3) {
      event.version = reader.get_string();
    } else if (reader.tag() == 5) {
      protozero::pbf_reader summary = reader.get_message();
      while (summary.next(1)) read_value(summary.get_message(), event);
    } else if (reader.tag() == 7) {
      protozero::pbf_reader session = reader.get_message();
      while (session.next(1)) event.starts_session = session.get_enum() == 1;
    } else {
      reader.skip();
    }
  }
  return event;
}

inline uint64_t number_at(const std::string& bytes, size_t position, size_t width) {
  uint64_t value = 0;
  for (size_t i = width; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes.at(position + i));
  return value;
}

// Undoes the mask of tensorflow/core/lib/hash/crc32c.h.
inline uint32_t unmasked(uint64_t masked) {
  const uint32_t rotated = static_cast<uint32_t>(masked) - 0xA282EAD8u;
  return rotated >> 17 | rotated << 15;
}

inline std::vector<ReadEvent> read_event_file(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  std::vector<ReadEvent> events;
  for (size_t begin = 0; begin < bytes.size();) {
    const size_t length = number_at(bytes, begin, 8);
    EXPECT_EQ(unmasked(number_at(bytes, begin + 8, 4)), crc32c(bytes.substr(begin, 8)));
    const std::string message = bytes.substr(begin + 12, length);
    EXPECT_EQ(unmasked(number_at(bytes, begin + 12 + length, 4)), crc32c(message));
    events.push_back(read_event(message));
    begin += length + 16;
  }
  return events;
}

// The event files of a run.
inline std::vector<std::filesystem::path> event_files_in(const std::filesystem::path& run) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(run)) {
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) files.push_back(entry.path());
  }
  return files;
}

}  // namespace melgrad::test
