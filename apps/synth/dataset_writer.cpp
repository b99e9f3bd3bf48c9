#include "apps/synth/dataset_writer.h"

#include <sndfile.h>

#include <cmath>
#include <exception>
#include <memory>
#include <vector>

#include "framework/io/atomic_file.h"
#include "kernels/error.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

// Tells a demo set from a folder of somebody's music. Its name begins with a dot, so that no loader takes it for data.
constexpr const char* marker_name = ".melgrad_demo_set";

void write_wav(const fs::path& path, const std::vector<float>& samples, int sample_rate) {
  std::vector<short> pcm;
  pcm.reserve(samples.size());
  for (const float sample : samples) pcm.push_back(static_cast<short>(std::lround(32767 * sample)));
  SF_INFO info{};
  info.samplerate = sample_rate;
  info.channels = 1;
  info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  const std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> file(sf_open(path.c_str(), SFM_WRITE, &info), sf_close);
  if (!file) fail("cannot write '{}': {}", path.string(), sf_strerror(nullptr));
  if (sf_write_short(file.get(), pcm.data(), std::ssize(pcm)) != std::ssize(pcm)) {
    fail("cannot write '{}': {}", path.string(), sf_strerror(file.get()));
  }
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail("cannot make the folder '{}': {}", folder.string(), error.message());
}

void remove_tracks(const fs::path& out) {
  for (const std::string& genre : synth_genres()) {
    if (!fs::is_directory(out / genre)) continue;
    std::vector<fs::path> tracks;
    for (const auto& entry : fs::directory_iterator(out / genre)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(genre + ".") && name.ends_with(".wav")) tracks.push_back(entry.path());
    }
    for (const fs::path& track : tracks) fs::remove(track);
  }
}

// Leaves `out` as a folder with the marker, the genres' folders and no tracks.
void prepare(const fs::path& out, const SynthOptions& options) {
  if (fs::exists(out) && !fs::is_directory(out)) fail("'{}' is a file; name a folder for the demo set", out.string());
  make_folder(out);
  if (fs::exists(out / marker_name)) {
    remove_tracks(out);
  } else if (!fs::is_empty(out)) {
    fail("'{}' is not empty and holds no demo set of ours; name a new or empty folder", out.string());
  }
  write_file_atomically(out / marker_name,
                        fmt::format("tracks_per_genre {}\nseconds {}\nsample_rate {}\nseed {}\n",
                                    options.tracks_per_genre, options.seconds, options.sample_rate, options.seed));
  for (const std::string& genre : synth_genres()) make_folder(out / genre);
}

}  // namespace

void write_demo_set(const fs::path& out, const SynthOptions& options,
                    const std::function<void(int done, int total)>& progress) {
  check(options);
  prepare(out, options);
  const int total = static_cast<int>(synth_genres().size()) * options.tracks_per_genre;
  int done = 0;
  std::exception_ptr error;
#pragma omp parallel for schedule(dynamic)
  for (int index = 0; index < total; ++index) {
    // An exception must not leave an OpenMP loop: the first is kept, the tracks after it are skipped.
    bool failed = false;
#pragma omp critical(melgrad_demo_set)
    failed = error != nullptr;
    if (failed) continue;
    std::exception_ptr caught;
    try {
      const int genre = index / options.tracks_per_genre, track = index % options.tracks_per_genre;
      const std::string& name = synth_genres()[static_cast<size_t>(genre)];
      write_wav(out / name / fmt::format("{}.{:05}.wav", name, track), compose(genre, track, options),
                options.sample_rate);
    } catch (...) {
      caught = std::current_exception();
    }
#pragma omp critical(melgrad_demo_set)
    {
      if (caught && !error) error = caught;
      if (!error && progress) {
        try {
          progress(++done, total);
        } catch (...) {
          error = std::current_exception();
        }
      }
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace melgrad
