// WAV files with arbitrary headers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace melgrad::test {

struct WavHeader {
  uint16_t format = 1, channels = 1;  // 1: integers, 3: floats
  uint32_t rate = 22050;
  uint16_t bits = 16;
  std::optional<uint32_t> claimed = std::nullopt;  // length of the samples in bytes; by default the true one
  std::string chunk = "data";
};

template <class T>
std::string bytes_of(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

inline std::string wav_bytes(const WavHeader& header, const std::string& samples) {
  const auto frame_bytes = static_cast<uint16_t>(header.channels * header.bits / 8);
  const std::string body = "WAVEfmt " + bytes_of(uint32_t{16}) + bytes_of(header.format) + bytes_of(header.channels) +
                           bytes_of(header.rate) + bytes_of(header.rate * frame_bytes) + bytes_of(frame_bytes) +
                           bytes_of(header.bits) + header.chunk +
                           bytes_of(header.claimed.value_or(static_cast<uint32_t>(samples.size())));
  return "RIFF" + bytes_of(static_cast<uint32_t>(body.size() + samples.size())) + body + samples;
}

}  // namespace melgrad::test
