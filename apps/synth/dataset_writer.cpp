#include "apps/synth/dataset_writer.h"

#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "framework/io/atomic_file.h"
#include "framework/terminal/interrupt.h"
#include "kernels/device/error.h"
#include "kernels/device/parallel.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

// This file marks a folder as a demo set, whose tracks may be replaced. Loaders ignore it because its name begins with
// a dot.
constexpr const char* marker_name = ".melgrad_demo_set";

// The output of libsndfile in memory. A file written directly could be cut short by a full disk or a signal and would
// then pass for a valid track.
struct MemoryFile {
  std::string bytes;
  size_t position = 0;
};

SF_VIRTUAL_IO memory_io = {
    .get_filelen = [](void* self) { return std::ssize(static_cast<MemoryFile*>(self)->bytes); },
    .seek =
        [](sf_count_t offset, int whence, void* self) {
          auto& file = *static_cast<MemoryFile*>(self);
          const sf_count_t origin = whence == SEEK_SET   ? 0
                                    : whence == SEEK_CUR ? static_cast<sf_count_t>(file.position)
                                                         : std::ssize(file.bytes);
          file.position = static_cast<size_t>(origin + offset);
          return origin + offset;
        },
    .read = [](void*, sf_count_t, void*) { return sf_count_t{0}; },
    .write =
        [](const void* from, sf_count_t count, void* self) {
          auto& file = *static_cast<MemoryFile*>(self);
          const size_t end = file.position + static_cast<size_t>(count);
          file.bytes.resize(std::max(file.bytes.size(), end));
          std::memcpy(file.bytes.data() + file.position, from, static_cast<size_t>(count));
          file.position = end;
          return count;
        },
    .tell = [](void* self) { return static_cast<sf_count_t>(static_cast<MemoryFile*>(self)->position); }};

void write_wav(const fs::path& path, const std::vector<float>& samples, int sample_rate) {
  std::vector<short> pcm;
  pcm.reserve(samples.size());
  for (const float sample : samples) pcm.push_back(static_cast<short>(std::lround(32767 * sample)));
  SF_INFO info{};
  info.samplerate = sample_rate;
  info.channels = 1;
  info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  MemoryFile content;
  content.bytes.reserve(pcm.size() * sizeof(short) + 64);  // callbacks of a C library must not throw
  std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> file(sf_open_virtual(&memory_io, SFM_WRITE, &info, &content), sf_close);
  if (!file) fail("cannot write '{}': {}", path.string(), sf_strerror(nullptr));
  if (sf_write_short(file.get(), pcm.data(), std::ssize(pcm)) != std::ssize(pcm)) {
    fail("cannot write '{}': {}", path.string(), sf_strerror(file.get()));
  }
  file.reset();
  write_file_atomically(path, content.bytes);
}

void remove_tracks(const fs::path& out) {
  for (const std::string& genre : synth_genres()) {
    if (!fs::is_directory(out / genre)) continue;
    std::vector<fs::path> tracks;
    for (const auto& entry : fs::directory_iterator(out / genre)) {
      const std::string name = entry.path().filename().string();
      const bool ours = name.ends_with(".wav") || name.ends_with(".tmp");  // .tmp: left by a process that was killed
      if (name.starts_with(genre + ".") && ours) tracks.push_back(entry.path());
    }
    for (const fs::path& track : tracks) fs::remove(track);
  }
}

// Makes `out` a folder with the marker, the folders of the genres and no tracks.
void prepare(const fs::path& out, const SynthOptions& options) {
  if (fs::exists(out) && !fs::is_directory(out)) fail("'{}' is a file; give a folder for the demo set", out.string());
  make_folders(out);
  if (fs::exists(out / marker_name)) {
    remove_tracks(out);
  } else if (!fs::is_empty(out)) {
    fail("'{}' is not empty and is not a demo set; give a new or empty folder", out.string());
  }
  write_file_atomically(out / marker_name,
                        fmt::format("tracks_per_genre {}\nseconds {}\nsample_rate {}\nseed {}\n",
                                    options.tracks_per_genre, options.seconds, options.sample_rate, options.seed));
  for (const std::string& genre : synth_genres()) make_folders(out / genre);
}

}  // namespace

void write_demo_set(const fs::path& out, const SynthOptions& options,
                    const std::function<void(int done, int total)>& progress) {
  check(options);
  prepare(out, options);
  const int total = static_cast<int>(synth_genres().size()) * options.tracks_per_genre;
  int done = 0;
  std::mutex mutex;
  kernel::for_each_task(total, [&](int64_t index) {
    if (interrupted()) return;
    const int genre = static_cast<int>(index) / options.tracks_per_genre;
    const int track = static_cast<int>(index) % options.tracks_per_genre;
    const std::string& name = synth_genres()[static_cast<size_t>(genre)];
    write_wav(out / name / fmt::format("{}.{:05}.wav", name, track), compose(genre, track, options),
              options.sample_rate);
    const std::lock_guard lock(mutex);
    ++done;
    if (progress) progress(done, total);
  });
  if (done < total) {
    throw Interrupted(
        fmt::format("interrupted after {} of {} tracks; run the command again to write all of them", done, total));
  }
}

}  // namespace melgrad
