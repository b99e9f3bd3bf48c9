// Writes a data set of any size with its features in a cache, in the time that it takes to write them:
//   melgrad_large_set OUT TRACKS [FRAMES]
//
// The recordings are distinct, but short: OUT/music/GENRE/NNNNNN.wav has a few samples. The features, in OUT/cache, are
// those of recordings with FRAMES frames (default 1292: 30 s): noise that is louder in the mel bins of the genre.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "framework/audio/log_mel.h"
#include "framework/dataset/audio_cache.h"
#include "framework/terminal/progress.h"
#include "kernels/device/parallel.h"
#include "kernels/device/philox.h"

namespace {

namespace fs = std::filesystem;
using namespace melgrad;

constexpr int64_t genres = 10;

fs::path path_of(const fs::path& out, int64_t track) {
  return out / "music" / fmt::format("genre{}", track % genres) / fmt::format("{:06}.wav", track);
}

// A WAV file of 16 bits, mono, 22050 Hz, whose samples are the digits of its number.
void write_wav(const fs::path& path, int64_t track) {
  constexpr int samples = 64;
  std::string bytes(44 + 2 * samples, '\0');
  const auto put = [&](size_t at, auto value) { std::memcpy(bytes.data() + at, &value, sizeof value); };
  std::memcpy(bytes.data(), "RIFF", 4);
  put(4, static_cast<uint32_t>(bytes.size() - 8));
  std::memcpy(bytes.data() + 8, "WAVEfmt ", 8);
  put(16, uint32_t{16});
  put(20, uint16_t{1});
  put(22, uint16_t{1});
  put(24, uint32_t{22050});
  put(28, uint32_t{44100});
  put(32, uint16_t{2});
  put(34, uint16_t{16});
  std::memcpy(bytes.data() + 36, "data", 4);
  put(40, uint32_t{2 * samples});
  put(44, track);
  std::ofstream(path, std::ios::binary) << bytes;
}

// dB values from -60 to 0. One draw gives four values of 16 bits each, because the set is large.
std::vector<float> features_of(int64_t track, int64_t n_mels, int64_t frames) {
  std::vector<float> db(static_cast<size_t>(n_mels * frames));
  for (int64_t mel = 0; mel < n_mels; ++mel) {
    const float louder = mel * genres / n_mels == track % genres ? 10.0f : 0.0f;
    float* const row = db.data() + mel * frames;
    for (int64_t t = 0; t < frames; t += 8) {
      const Philox4 bits = philox(1, static_cast<uint64_t>(track), static_cast<uint64_t>(mel << 32 | t));
      for (int64_t i = 0; i < std::min<int64_t>(8, frames - t); ++i) {
        const uint32_t half = bits.v[i / 2] >> (16 * (i % 2)) & 0xFFFF;
        row[t + i] = -60 + louder + static_cast<float>(half) * (50.0f / 65536);
      }
    }
  }
  return db;
}

void write_set(const fs::path& out, int64_t tracks, int64_t frames) {
  for (int64_t genre = 0; genre < genres; ++genre) fs::create_directories(path_of(out, genre).parent_path());
  kernel::for_each_task(tracks, [&](int64_t track) { write_wav(path_of(out, track), track); });
  // The cache remembers only files that have not just changed.
  std::this_thread::sleep_for(std::chrono::seconds(3));
  AudioCache cache({out / "cache", ShardStore::no_limit});
  const MelSettings settings;
  const uint64_t hash = settings_hash(description(settings));
  Progress progress("features", tracks, "tracks");
  std::mutex mutex;
  int64_t done = 0;
  kernel::for_each_task(tracks, [&](int64_t track) {
    const std::vector<float> db = features_of(track, settings.n_mels, frames);
    const double seconds = static_cast<double>(frames * settings.hop_length) / settings.sample_rate;
    cache.add(cache.key_of(path_of(out, track), hash), BlobKind::log_mel,
              {static_cast<double>(settings.n_mels), static_cast<double>(frames), seconds},
              std::as_bytes(std::span(db)));
    const std::lock_guard lock(mutex);
    progress.update(++done);
  });
  progress.finish();
  for (const std::string& note : cache.finish()) fmt::print(stderr, "{}\n", note);
}

int64_t number(const char* text) {
  int64_t value = -1;
  std::from_chars(text, text + std::strlen(text), value);
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int64_t usual_frames = 1292;
  const int64_t tracks = argc > 2 ? number(argv[2]) : -1, frames = argc > 3 ? number(argv[3]) : usual_frames;
  if (argc < 3 || argc > 4 || tracks < 1 || frames < 1) {
    fmt::print(stderr, "usage: melgrad_large_set OUT TRACKS [FRAMES]\n");
    return 2;
  }
  write_set(argv[1], tracks, frames);
}
